"""What mitmproxy's HTTP/1 reader lacks: an answer to trailers, and a limit on what it keeps in memory."""

from collections.abc import Callable
from typing import Any, Final

from mitmproxy import http
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._base import ReceiveHttp

from holdfast.call import BODY_BYTES_MAX
from holdfast.exchange import HEADERS_BYTES_MAX

HEAD_BYTES_MAX: Final = 2 * HEADERS_BYTES_MAX  # the gate refuses and records those that end before this
AHEAD_BYTES_MAX: Final = 2 * BODY_BYTES_MAX  # a client may send its next request before it has the reply

_LIMITS: Final = (
    (_http1.Http1Connection, "wait", AHEAD_BYTES_MAX),
    (_http1.Http1Connection, "read_body", HEAD_BYTES_MAX),  # the head of a chunk, with its extensions
    (_http1.Http1Server, "read_headers", HEAD_BYTES_MAX),
    (_http1.Http1Client, "read_headers", HEAD_BYTES_MAX),
)
REFUSED_TEXT: Final = "Holdfast refused this: it is not acceptable HTTP."

type Reader = Callable[[Any, events.Event], layer.CommandGenerator[None]]


def install() -> None:
    """Put the limits around the core's reader. Call it once."""
    connection = _http1.Http1Connection
    setattr(_http1, "make_error_response", _error_page)  # noqa: B010 -- a function of the module is replaced
    setattr(connection, "read_body", _without_trailers(connection.read_body))  # noqa: B010 -- a method is replaced
    for kind, name, bytes_max in _LIMITS:
        setattr(kind, name, _short_of(getattr(kind, name), bytes_max))


def _error_page(status: int, _message: str = "") -> bytes:
    """The core's error page, without the bytes of a peer that the core quotes in ``_message``."""
    body = f'{{"jsonrpc":"2.0","id":null,"error":{{"code":-31003,"message":"{REFUSED_TEXT}"}}}}'.encode()
    headers = http.Headers(content_type="application/json", connection="close")
    page: bytes = http1.assemble_response(http.Response.make(status, body, headers))
    return page


def _without_trailers(read: Reader) -> Reader:
    def read_body(self: _http1.Http1Connection, event: events.Event) -> layer.CommandGenerator[None]:
        try:
            yield from read(self, event)
        except NotImplementedError:  # what the core raises on trailers of HTTP/1, and then hangs
            # The stream has an answer to them.
            assert self.stream_id is not None
            self.state = self.done
            trailers = layers.RequestTrailers if isinstance(self, _http1.Http1Server) else layers.ResponseTrailers
            yield ReceiveHttp(trailers(self.stream_id, http.Headers()))

    return read_body


def _short_of(read: Reader, bytes_max: int) -> Reader:
    def read_within(self: _http1.Http1Connection, event: events.Event) -> layer.CommandGenerator[None]:
        state = self.state
        yield from read(self, event)
        if self.state != state or len(self.buf) <= bytes_max:
            return
        self.state = self.done
        yield commands.CloseConnection(self.conn)
        if self.stream_id is not None:
            yield ReceiveHttp(self.ReceiveProtocolError(self.stream_id, "too long", self.ReceiveProtocolError.code))

    return read_within
