"""The first half of an exchange: from the request's head to its last byte on the way to the server.

The raw request is kept beside the flow, not in it: what mitmweb, dumps and other addons see is the masked text from its
first moment. What is sent is taken from the seals alone, so changing a flow changes nothing that travels.
"""

import time
from typing import Final

from mitmproxy import flow, http
from mitmproxy.net.http import status_codes
from mitmproxy.net.http.validate import validate_headers
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpRequestHeadersHook, HttpRequestHook, HttpResponseHook

from holdfast.call import BODY_BYTES_MAX
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Peer, Request
from holdfast.proxy.hooks import Ending, HoldfastAdmitHook, HoldfastEndHook, HoldfastUnreadHook, Unread
from holdfast.proxy.monitor import MonitoredStream, wire_headers
from holdfast.proxy.seals import NOT_HTTP, UNSEALED, Passing
from holdfast.proxy.shown import shown_request, shown_response
from holdfast.proxy.speed import is_heard

HTTP_CONTINUE: Final = 100
_HTTP_1: Final = ("HTTP/1.0", "HTTP/1.1")


class RequestHalf(MonitoredStream):
    """The way of a request: collect it, ask the gate, send what was sealed."""

    _raw: http.Request | None = None
    talks = False  # whether the server has been sent the request
    begun = False  # whether the answer has begun while the call was held

    # -- the request ------------------------------------------------------------------------------------------------

    def state_wait_for_request_headers(self, event: layers.RequestHeaders) -> layer.CommandGenerator[None]:
        """Keep the raw head to ourselves and show viewers a flow without content or credential."""
        if event.replay_flow is not None:
            yield from self.stop("a replayed flow")
            return
        self._raw = event.request
        self.flow = http.HTTPFlow(self.context.client, self.context.server)
        self.flow.request = shown_request(event.request, self.context.server.address)
        self.flow.live = True
        self.passing = Passing(self.flow)
        if is_heard(HttpRequestHeadersHook.name):
            yield HttpRequestHeadersHook(self.flow)
        if (yield from self.check_killed(emit_error_hook=True)):
            return
        if event.request.data.method.upper() == b"CONNECT":  # no end of the message would ever come
            yield from self._give_up("refused by the gateway", layers.ErrorCode.GENERIC_CLIENT_ERROR)
            return
        if event.request.headers.get("expect", "").lower() == "100-continue":
            proceed = http.Response.make(HTTP_CONTINUE)
            proceed.headers.clear()
            yield layers.SendHttp(layers.ResponseHeaders(self.stream_id, proceed), self.context.client)
            self._head_sent = False
        self.client_state = self.state_consume_request_body
        self.server_state = self.state_wait_for_response_headers

    def state_consume_request_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Collect the body, then ask."""
        match event:
            case layers.RequestData(data=data):
                self.request_body_buf += data
                if len(self.request_body_buf) > BODY_BYTES_MAX:
                    yield from self._give_up("too large", layers.ErrorCode.REQUEST_TOO_LARGE)
            case layers.RequestTrailers():
                yield from self._give_up("refused by the gateway", layers.ErrorCode.GENERIC_CLIENT_ERROR)
            case _:
                self.client_state = self.state_done
                yield from self._ask_to_admit()

    def _peer(self) -> Peer:
        address = self.context.client.peername
        return Peer(address[0], address[1], self.context.client.tls)

    def _give_up(self, text: str, code: layers.ErrorCode) -> layer.CommandGenerator[None]:
        yield HoldfastUnreadHook(Unread(self._peer(), "the request is no acceptable HTTP", len(self.request_body_buf)))
        self.flow.error = flow.Error(text)
        yield HttpErrorHook(self.flow)
        yield layers.SendHttp(layers.ResponseProtocolError(self.stream_id, text, code), self.context.client)
        self.client_state = self.server_state = self.state_errored
        self.flow.live = False
        yield layers.DropStream(self.stream_id)

    def _ask_to_admit(self) -> layer.CommandGenerator[None]:
        passing, raw = self.sealed(), self._raw
        body = bytes(self.request_body_buf)
        self.request_body_buf.clear()
        self._raw = None
        if raw is None:
            raise RuntimeError("no request head was read")
        try:
            # CL with TE, two lengths, spaces before colons: two readers would cut the stream at different places.
            validate_headers(raw)
            passing.request = self._request(raw, body)
        except (ValueError, Refused):
            yield HoldfastUnreadHook(Unread(self._peer(), "the request is no acceptable HTTP", len(body)))
            yield from self.send_answer(NOT_HTTP)
            return
        passing.takes_chunks = raw.http_version != "HTTP/1.0"
        yield HoldfastAdmitHook(passing)
        while passing.sign is not None:
            yield from self._keep_client(passing)
            yield HoldfastAdmitHook(passing)
        # The credential and the raw bytes have been judged: nothing of them is kept.
        raw = passing.request = None
        if is_heard(HttpRequestHook.name):
            yield HttpRequestHook(self.flow)
        if (yield from self._left("the client left before the call was sent")):
            return
        if passing.outgoing is None:
            yield from self.send_answer(passing.answer or UNSEALED)
            return
        yield from self._send_request()

    def _keep_client(self, passing: Passing) -> layer.CommandGenerator[None]:
        """Let the client of a held call hear that somebody is still there; the first time, begin the answer."""
        if self.flow.error is not None:  # killed in mitmweb: nobody waits any more
            passing.gone.set()
        if passing.opened is None or passing.sign is None or passing.gone.is_set():
            return
        if not self.begun:
            self.begun = True
            self.flow.response = shown_response(passing.opened, None)
            head = response_of(passing.opened)
            yield layers.SendHttp(layers.ResponseHeaders(self.stream_id, head, end_stream=False), self.context.client)
        yield layers.SendHttp(layers.ResponseData(self.stream_id, passing.sign), self.context.client)

    def _request(self, raw: http.Request, body: bytes) -> Request:
        is_http2 = self.context.client.alpn == b"h2"
        if not is_http2 and (raw.data.authority or raw.http_version not in _HTTP_1):
            raise Refused(Cause.UNSUPPORTED, "only origin-form requests of HTTP/1 are carried")
        headers = [(k.decode("latin-1").lower(), v.decode("latin-1")) for k, v in raw.headers.fields]
        if raw.data.authority:  # HTTP/2 names the host in a pseudo-header
            headers.insert(0, ("host", raw.data.authority.decode("latin-1")))
        method = raw.data.method.decode("latin-1")  # `raw.method` is in capitals whatever came
        return Request(method, raw.data.path.decode("latin-1"), tuple(headers), body, self._peer())

    def _left(self, reason: str) -> layer.CommandGenerator[bool]:
        """Whether the client left, or somebody killed the flow, while we were asking."""
        passing = self.sealed()
        queued = any(isinstance(event, layers.RequestProtocolError) for event in self._paused_event_queue)
        if not queued and not passing.gone.is_set() and self.flow.error is None:
            return False
        yield HoldfastEndHook(Ending(passing, reason))
        passing.outgoing = None
        self.flow.error = self.flow.error or flow.Error("the client failed")
        yield HttpErrorHook(self.flow)
        yield layers.SendHttp(
            layers.ResponseProtocolError(self.stream_id, "killed", layers.ErrorCode.KILL), self.context.client
        )
        self.flow.live = False
        self.client_state = self.server_state = self.state_errored
        yield layers.DropStream(self.stream_id)
        return True

    def _send_request(self) -> layer.CommandGenerator[None]:
        sealed = self.sealed().outgoing
        assert sealed is not None
        to = sealed.upstream
        connection, error = yield layers.GetHttpConnection(to.address, to.tls, None)
        if error or connection.address != to.address or connection.tls != to.tls:  # an addon may send it elsewhere
            yield from self.fail("the server cannot be reached")
            return
        self.context.server = self.flow.server_conn = connection
        self.flow.request.data.host, self.flow.request.data.port = to.address
        self.talks = True
        now_s = time.time()
        head = http.Request(
            to.host,
            to.port,
            sealed.method.encode("latin-1"),
            b"https" if to.tls else b"http",
            b"",
            sealed.path.encode("latin-1"),
            b"HTTP/1.1",
            http.Headers(wire_headers(sealed.headers)),
            sealed.body,
            None,
            now_s,
            now_s,
        )
        server = self.context.server
        yield layers.SendHttp(layers.RequestHeaders(self.stream_id, head, not sealed.body), server)
        if sealed.body:
            yield layers.SendHttp(layers.RequestData(self.stream_id, sealed.body), server)
        yield layers.SendHttp(layers.RequestEndOfMessage(self.stream_id), server)

    # -- what the request half needs of the other ---------------------------------------------------------------------

    def sealed(self) -> Passing:
        """The passing of this exchange; it exists once the request head was read."""
        if self.passing is None:
            raise RuntimeError("no request head was read")
        return self.passing

    def fail(self, reason: str) -> layer.CommandGenerator[None]:
        """Write down that the server gave no usable response, and answer the client."""
        passing = self.sealed()
        yield from self.close_server()
        yield HoldfastEndHook(Ending(passing, reason))
        self.server_state = self.state_errored
        yield from self.send_answer(passing.answer or UNSEALED)

    def send_answer(self, answer: Answer) -> layer.CommandGenerator[None]:
        """Send a whole answer and end the exchange. The monitor compares it with the seals."""
        if self.begun:
            yield from self._end_begun(self.sealed())
            return
        self.flow.response = shown_response(answer, self.sealed().shown)
        yield HttpResponseHook(self.flow)
        if (yield from self.check_killed(emit_error_hook=False)):
            return
        head = response_of(answer)
        yield layers.SendHttp(layers.ResponseHeaders(self.stream_id, head, not answer.body), self.context.client)
        if answer.body:
            yield layers.SendHttp(layers.ResponseData(self.stream_id, answer.body), self.context.client)
        yield from self.finish()

    def _end_begun(self, passing: Passing) -> layer.CommandGenerator[None]:
        """End an answer that began while the call was held, with the one event that was sealed."""
        if passing.opened is None or passing.last is None:
            yield from self.stop("the end of a begun answer was not sealed")
            return
        self.flow.response = shown_response(passing.opened, passing.shown)
        yield HttpResponseHook(self.flow)
        if (yield from self.check_killed(emit_error_hook=False)):
            return
        if passing.last:
            yield layers.SendHttp(layers.ResponseData(self.stream_id, passing.last), self.context.client)
        yield from self.finish()

    def finish(self) -> layer.CommandGenerator[None]:
        """Nothing more will be sent for this exchange; the connections go on to the next."""
        self.server_state = self.state_done
        self.flow.live = False
        self._stopped = True  # what the server says after that, and has said meanwhile, is nobody's
        yield layers.DropStream(self.stream_id)
        yield layers.SendHttp(layers.ResponseEndOfMessage(self.stream_id), self.context.client)

    def close_server(self) -> layer.CommandGenerator[None]:
        """Close the connection to the server, if this exchange has used one."""
        if self.talks:
            self.talks = False
            yield layers.SendHttp(
                layers.RequestProtocolError(self.stream_id, "refused by the gateway", layers.ErrorCode.KILL),
                self.context.server,
            )


def response_of(answer: Answer) -> http.Response:
    """The head of ``answer`` as mitmproxy sends it."""
    reason = status_codes.RESPONSES.get(answer.status, "").encode("latin-1")
    headers = http.Headers(wire_headers(answer.headers))
    now_s = time.time()
    return http.Response(b"HTTP/1.1", answer.status, reason, headers, None, None, now_s, now_s)
