"""A raw HTTP client: it sends whatever bytes a test says, and keeps every byte that comes back."""

import json
import socket
import struct
from collections.abc import Iterable
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.live.harness.modern import standard_headers
from tests.live.harness.world import PATIENCE_S, call

type Pairs = Iterable[tuple[str, str]]


class Answer(NamedTuple):
    """One response as it came; ``whole`` says whether its body ended as its head promised."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool

    def json(self) -> Any:
        return json.loads(self.body)

    def text(self) -> str:
        """What a reader of the tool's result sees."""
        return str(self.json()["result"]["content"][0]["text"])


class Wire:
    """A connection to the gateway. ``heard`` is all that ever came back on it."""

    def __init__(self, port: int, read_s: float = PATIENCE_S) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), read_s)
        self.heard = bytearray()
        self._read = 0
        self.ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def reset(self) -> None:
        """Leave without a goodbye: the peer sees a RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def say_goodbye(self) -> None:
        """Send nothing more, and listen on: the peer sees a FIN."""
        self._socket.shutdown(socket.SHUT_WR)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _more(self) -> bool:
        try:
            data = self._socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.heard += data
        self.ended = self.ended or not data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        """Read until ``mark`` has come; what came before it, and it."""
        while (at := self.heard.find(mark, self._read)) < 0:
            assert self._more(), f"ended before {mark!r}: {bytes(self.heard[-300:])!r}"
        found = bytes(self.heard[self._read : at + len(mark)])
        self._read = at + len(mark)
        return found

    def to_the_end(self) -> bytes:
        """Read until the gateway closes."""
        while self._more():
            pass
        found = bytes(self.heard[self._read :])
        self._read = len(self.heard)
        return found

    def answer(self) -> Answer:
        """Read one response."""
        head = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
        if status < 200 or status == 204:
            return Answer(status, headers, b"", whole=True)
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, *self._chunks())
        if "content-length" in headers:
            return Answer(status, headers, *self._exactly(int(headers["content-length"])))
        return Answer(status, headers, self.to_the_end(), whole=True)

    def _exactly(self, length: int) -> tuple[bytes, bool]:
        while len(self.heard) - self._read < length and self._more():
            pass
        found = bytes(self.heard[self._read : self._read + length])
        self._read += len(found)
        return found, len(found) == length

    def _line(self) -> bytes | None:
        while (at := self.heard.find(b"\r\n", self._read)) < 0:
            if not self._more():
                return None
        line = bytes(self.heard[self._read : at])
        self._read = at + 2
        return line

    def chunk(self) -> bytes | None:
        """The next chunk of an event stream; empty at its end in good order, None where it was cut."""
        line = self._line()
        if line is None:
            return None
        data, whole = self._exactly(int(line, 16))
        self._exactly(2)
        return data if whole else None

    def _chunks(self) -> tuple[bytes, bool]:
        body = b""
        while data := self.chunk():
            body += data
        return body, data is not None


def request(
    token: str | None,
    body: object = None,
    *,
    method: str = "POST",
    target: str = "/mcp",
    headers: Pairs = (),
    without: Iterable[str] = (),
) -> bytes:
    """The bytes of a request as an MCP client would send it; ``body`` is JSON, or bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(call() if body is None else body).encode()
    if method != "POST" and body is None:
        data = b""
    fields = [("Host", "127.0.0.1"), ("Accept", "application/json, text/event-stream")]
    fields += [("Authorization", f"Bearer {token}")] if token else []
    fields += [("Content-Type", "application/json"), ("Content-Length", str(len(data)))] if data else []
    headers = tuple(headers)
    left_out = {name.lower() for name in without}
    fields += standard_headers(body, headers)
    fields = [(n, v) for n, v in fields if n.lower() not in left_out] + [*headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + data
