"""What viewers of a flow get to see: the outside of a request without content, credential, address or query.

The address is added when the gate has found it to be an endpoint; until then it is a stranger's text like any other.
"""

import time
from typing import Final

from mitmproxy import http

from holdfast.call import HANDSHAKE_VERSIONS, MODERN_VERSION
from holdfast.exchange import Answer
from holdfast.proxy.monitor import wire_headers
from holdfast.proxy.seals import OWN_ANSWERS

# Values that say nothing about anybody. Every other header may hold a secret or a regulated value.
_SHOWN: Final = {
    b"content-type": frozenset({b"application/json", b"text/event-stream"}),
    b"mcp-protocol-version": frozenset(v.encode() for v in (*HANDSHAKE_VERSIONS, MODERN_VERSION)),
}
_METHODS: Final = frozenset({b"GET", b"POST", b"DELETE", b"OPTIONS", b"HEAD", b"PUT", b"PATCH", b"CONNECT"})


def shown_request(raw: http.Request, server: tuple[str, int] | None) -> http.Request:
    """A request for viewers, made from ``raw``: its method and harmless headers."""
    host, port = (server[0], server[1]) if server else ("", 0)
    fields = tuple((k, v) for k, v in raw.headers.fields if v in _SHOWN.get(k.lower(), ()))
    method = raw.data.method if raw.data.method in _METHODS else b"OTHER"
    return http.Request(
        host,
        port,
        method,
        b"http",
        b"",
        b"/",
        b"HTTP/1.1",
        http.Headers(fields),
        b"",
        None,
        raw.timestamp_start,
        raw.timestamp_end,
    )


def shown_response(answer: Answer, shown: bytes | None) -> http.Response:
    """A response for viewers: the head of ``answer`` and the masked body that the gate let them see."""
    headers = tuple((name, value) for name, value in answer.headers if name == "content-type")
    content = answer.body if answer in OWN_ANSWERS else shown or b""
    now_s = time.time()  # mitmproxy's own field, no decision hangs on it
    fields = http.Headers(wire_headers(headers))
    return http.Response(b"HTTP/1.1", answer.status, b"", fields, content, None, now_s, now_s)
