"""What viewers of a flow get to see: the outside of a request without content, credential or query."""

import time
from typing import Final

from mitmproxy import http

from holdfast.exchange import Answer
from holdfast.proxy.monitor import wire_headers
from holdfast.screen import PATH_CHARS_MAX

# Headers with a fixed vocabulary. Everything else may hold a secret or a regulated value.
_SHOWN: Final = frozenset({b"content-type", b"content-length", b"accept", b"mcp-protocol-version", b"mcp-method"})
_METHODS: Final = frozenset({b"GET", b"POST", b"DELETE", b"OPTIONS", b"HEAD", b"PUT", b"PATCH", b"CONNECT"})


def shown_request(raw: http.Request, server: tuple[str, int] | None) -> http.Request:
    """A request for viewers, made from ``raw``: its method, path and harmless headers, no body."""
    host, port = (server[0], server[1]) if server else ("", 0)
    fields = tuple((k, v) for k, v in raw.headers.fields if k.lower() in _SHOWN and len(v) < 100)  # noqa: PLR2004
    path = raw.data.path.partition(b"?")[0][:PATH_CHARS_MAX]
    method = raw.data.method if raw.data.method in _METHODS else b"OTHER"
    return http.Request(
        host,
        port,
        method,
        b"http",
        b"",
        path,
        b"HTTP/1.1",
        http.Headers(fields),
        b"",
        None,
        raw.timestamp_start,
        raw.timestamp_end,
    )


def shown_response(answer: Answer, shown: bytes | None) -> http.Response:
    """A response for viewers: the head of ``answer`` and the masked body shown so far.

    An answer that the gateway wrote itself (nothing was shown) has no content of others and is shown as it is.
    """
    headers = tuple((name, value) for name, value in answer.headers if name == "content-type")
    content = answer.body if shown is None else shown
    now_s = time.time()  # mitmproxy's own field, no decision hangs on it
    fields = http.Headers(wire_headers(headers))
    return http.Response(b"HTTP/1.1", answer.status, b"", fields, content, None, now_s, now_s)
