"""A provider of models that speaks the three APIs over loopback, and says regulated values in every reply.

What the last user message says decides how it answers: `tool` calls a tool, `fail` is an error with HTTP 429, `break`
hangs up in the middle of a stream, anything else is a text.
"""

import http.server
import json
import threading
from collections.abc import Callable
from typing import Any, Final

from tests.llm.bodies import (
    CARD,
    MAIL,
    PROSE,
    chat_reply,
    chat_stream,
    chat_tool_stream,
    message_reply,
    message_stream,
    message_tool_stream,
    response_reply,
    response_stream,
)

SAID: Final = f"{PROSE * 4}The card is {CARD} and the mail {MAIL}. {PROSE * 4}"
ARGUMENTS: Final = json.dumps({"password": "correct horse", "card": CARD})
DELTA_CHARS: Final = 3  # about a token


def deltas(text: str) -> list[str]:
    return [text[start : start + DELTA_CHARS] for start in range(0, len(text), DELTA_CHARS)]


STREAMS: Final[dict[str, Callable[[list[str]], list[bytes]]]] = {
    "/v1/chat/completions": chat_stream,
    "/v1/responses": response_stream,
    "/v1/messages": message_stream,
}
TOOL_STREAMS: Final = {"/v1/chat/completions": chat_tool_stream, "/v1/messages": message_tool_stream}
REPLIES: Final[dict[str, Callable[[str], dict[str, Any]]]] = {
    "/v1/chat/completions": chat_reply,
    "/v1/responses": response_reply,
    "/v1/messages": message_reply,
}


class Provider:
    """The server, on a port of its own; ``heard`` are the heads and bodies of all requests."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"heard": self.heard})
        )
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    heard: list[tuple[dict[str, str], bytes]]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name of the base class
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
        asked = json.loads(body)
        said = json.dumps(asked.get("messages", asked.get("input")))
        if "fail" in said:
            error = {"type": "rate_limit_error", "message": f"too many requests about {CARD}", "code": None}
            self._whole(429, {"type": "error", "error": error}, [("retry-after", "0"), ("x-should-retry", "false")])
        elif asked.get("stream"):
            self._events(said)
        else:
            self._whole(200, REPLIES[self.path](SAID), [("request-id", "req_1"), ("x-request-id", "req_1")])

    def _whole(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in [("content-type", "application/json"), ("content-length", str(len(data))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _events(self, said: str) -> None:
        made = TOOL_STREAMS if "tool" in said else STREAMS
        blocks = made[self.path](deltas(ARGUMENTS if "tool" in said else SAID))
        if "break" in said:
            blocks = blocks[: len(blocks) // 2]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for block in blocks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block))
            self.wfile.flush()
        if "break" in said:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")
