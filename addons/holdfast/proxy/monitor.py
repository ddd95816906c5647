"""The reference monitor at mitmproxy's sans-io boundary: no HTTP byte leaves that a seal does not cover.

`HttpStream` turns what happens into `SendHttp` and `GetHttpConnection` commands, and every byte of HTTP that leaves the
process, in either direction, passes through those. This subclass looks at each command before anybody carries it out.
An addon that raises, is missing, was unloaded, or changed a flow cannot get around it, because without a seal the
answer is no. It relies on private API of mitmproxy 12.2; `install.py` refuses to start when that has moved.
"""

import logging
from typing import Any, Final

from mitmproxy import flow, http
from mitmproxy.connection import Server
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import http as layers

from holdfast.exchange import Answer, Headers
from holdfast.proxy.seals import OWN_ANSWERS, Chunk, Passing

log = logging.getLogger(__name__)

SAFE_TEXTS: Final = frozenset(
    {"refused by the gateway", "the client failed", "the server failed", "killed", "the stream was cut", "too large"}
)


def wire_headers(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """Header pairs as mitmproxy holds them."""
    return tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)


class MonitoredStream(layers.HttpStream):
    """An `HttpStream` whose every outgoing command is compared with the seals of its passing."""

    passing: Passing | None = None
    _stopped = False
    _head_sent = False

    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        if self._stopped:
            return
        generator = self.judged(event)
        reply: Any = None
        while True:
            try:
                command = generator.send(reply)
                reason = self._objection(command)
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 -- a fault of the layer sends nothing
                log.error("the stream layer failed: %s", type(error).__name__)  # noqa: TRY400 -- no content in logs
                yield from self.stop("a fault in the stream layer")
                return
            if reason is not None:
                generator.close()
                yield from self.stop(reason)
                return
            if isinstance(command, layers.SendHttp) and isinstance(command.event, layers.ResponseHeaders):
                self._head_sent = True
            reply = yield command

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Replace what mitmproxy quotes of a peer's raw bytes, before the event waits in a queue that others read."""
        if isinstance(event, layers.RequestProtocolError | layers.ResponseProtocolError):
            client = isinstance(event, layers.RequestProtocolError)
            event = type(event)(event.stream_id, "the client failed" if client else "the server failed", event.code)
        yield from super().handle_event(event)

    def judged(self, event: events.Event) -> layer.CommandGenerator[None]:
        """The commands that answer ``event``, each of which is compared before it is carried out."""
        commands_of_core: layer.CommandGenerator[None] = super()._handle_event(event)
        return commands_of_core

    def _objection(self, command: commands.Command) -> str | None:
        """Why ``command`` must not be carried out, or None."""
        if isinstance(command, layers.GetHttpConnection):
            return self._connection_objection(command)
        if isinstance(command, commands.OpenConnection):
            return "a connection that nobody asked for"
        if isinstance(command, commands.SendData):
            return "raw bytes from the stream layer"
        if isinstance(command, layers.SendHttp):
            return self._peer_objection(command) or self._event_objection(command.event)
        return None

    def _connection_objection(self, command: layers.GetHttpConnection) -> str | None:
        sealed = self.passing.outgoing if self.passing else None
        if sealed is None:
            return "a connection before the request was sealed"
        to = sealed.upstream
        direct = command.via is None and command.transport_protocol == "tcp"
        if not direct or command.address != to.address or command.tls != to.tls:
            return "a connection to another server than the sealed one"
        if dict(sealed.headers).get("host") != to.host_text():
            return "a request that names another server than the sealed one"
        return None

    def _peer_objection(self, command: layers.SendHttp) -> str | None:
        """A request may only be said to the server that it was sealed for: a client connection can lead to several."""
        if not isinstance(command.event, layers.RequestHeaders | layers.RequestData | layers.RequestEndOfMessage):
            return None
        to = self.passing.outgoing.upstream if self.passing and self.passing.outgoing else None
        peer = command.connection
        same = to and isinstance(peer, Server) and (peer.address, peer.tls) == (to.address, to.tls)
        return None if same else "a request to another server than the sealed one"

    def _event_objection(self, event: layers.HttpEvent) -> str | None:
        sealed = self.passing
        match event:
            case layers.RequestEndOfMessage() | layers.RequestProtocolError() | layers.ResponseEndOfMessage():
                return None
            case layers.ResponseProtocolError(message=text):
                return None if text in SAFE_TEXTS else "an error text that is not ours"
            case layers.RequestHeaders(request=request):
                return self._request_objection(request)
            case layers.RequestData(data=data):
                return None if sealed and sealed.outgoing and data == sealed.outgoing.body else "an unsealed body"
            case layers.ResponseHeaders(response=response):
                return self._response_objection(response)
            case layers.ResponseData(data=data):
                if type(data) is Chunk and sealed and sealed.opened:
                    return None
                return None if any(data == answer.body for answer in self._answers()) else "an unsealed reply"
            case other:
                return f"{type(other).__name__} is never sent"

    def _request_objection(self, request: http.Request) -> str | None:
        sealed = self.passing.outgoing if self.passing else None
        if sealed is None:
            return "an unsealed request"
        same = (
            request.data.method == sealed.method.encode("latin-1")
            and request.data.path == sealed.path.encode("latin-1")
            and request.data.authority == b""
            and request.headers.fields == wire_headers(sealed.headers)
            and request.data.trailers is None
        )
        return None if same else "a request that differs from its seal"

    def _response_objection(self, response: http.Response) -> str | None:
        if response.status_code == 100:  # noqa: PLR2004 -- our own answer to Expect: 100-continue
            return "a 100 with headers" if response.headers.fields else None
        for sealed in self._answers():
            if (
                response.status_code == sealed.status
                and response.headers.fields == wire_headers(sealed.headers)
                and response.data.trailers is None
            ):
                return None
        return "a response without a seal, or that differs from it"

    def _answers(self) -> tuple[Answer, ...]:
        sealed = (self.passing.opened, self.passing.answer) if self.passing else ()
        return (*(answer for answer in sealed if answer is not None), *OWN_ANSWERS)

    def stop(self, reason: str) -> layer.CommandGenerator[None]:
        """Send nothing more in either direction and close both sides. Only texts from ``SAFE_TEXTS`` are used."""
        self._stopped = True
        log.warning("nothing was sent: %s", reason)
        self.client_state = self.server_state = self.state_errored
        current: http.HTTPFlow | None = getattr(self, "flow", None)
        if current is not None:
            current.error = current.error or flow.Error("refused by the gateway")
            current.live = False
        code = layers.ErrorCode.KILL if self._head_sent else layers.ErrorCode.GENERIC_SERVER_ERROR
        yield from self.close_server()
        yield layers.SendHttp(
            layers.ResponseProtocolError(self.stream_id, "refused by the gateway", code), self.context.client
        )
        yield layers.DropStream(self.stream_id)

    def close_server(self) -> layer.CommandGenerator[None]:
        """Close the connection to the server, if this exchange has one."""
        yield from ()
