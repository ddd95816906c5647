"""One HTTP exchange as the gateway runs it, in mitmproxy's sans-io terms.

::

    request head ─▶ body ─▶ admit? ─▶ connect ─▶ send ─▶ response head ─▶ JSON: body ─▶ release? ─▶ send
    └──────── request_half.py ────────────────────┘                  └▶ events: open? ─▶ batch ─▶ release? ─▶ send …
"""

import logging
from typing import Final

from mitmproxy import flow
from mitmproxy.net.http.validate import validate_headers
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpResponseHook

from holdfast.call import BODY_BYTES_MAX
from holdfast.errors import Refused
from holdfast.exchange import Head
from holdfast.proxy.hooks import (
    Ending,
    HoldfastEndHook,
    HoldfastEventsHook,
    HoldfastListenHook,
    HoldfastOpenHook,
    HoldfastReleaseHook,
)
from holdfast.proxy.request_half import RequestHalf, response_of
from holdfast.proxy.seals import UNSEALED, Batch, Chunk, Passing
from holdfast.proxy.shown import shown_response
from holdfast.proxy.valve import CLOSE_AT_BYTES, Valve
from holdfast.replies import is_events
from holdfast.sse import Splitter

log = logging.getLogger(__name__)

BACKLOG_BYTES_MAX: Final = 8 * 1024 * 1024  # mitmproxy reads on while a hook is pending; two of the largest events


class GateStream(RequestHalf):
    """An exchange that asks the gate before anything leaves."""

    _splitter: Splitter
    _valve: Valve | None = None
    _backlog_bytes = 0

    # -- the response -----------------------------------------------------------------------------------------------

    def state_wait_for_response_headers(self, event: layers.ResponseHeaders) -> layer.CommandGenerator[None]:
        """Decide by the head whether the body is JSON or events, or nothing that is carried."""
        passing = self.sealed()
        fields = event.response.headers.fields
        passing.head = Head(
            event.response.status_code,
            tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in fields),
        )
        try:
            validate_headers(event.response)
            as_events = is_events(passing.head)
        except ValueError:
            yield from self.fail("the server's response is not well-formed HTTP")
            return
        except Refused as refused:
            yield from self.fail(refused.reason)
            return
        if as_events and not event.end_stream:
            yield from self._open_stream(passing)
        else:
            self.server_state = self.state_consume_response_body

    def state_consume_response_body(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Collect the body, then ask."""
        match event:
            case layers.ResponseData(data=data):
                self.response_body_buf += data
                if len(self.response_body_buf) > BODY_BYTES_MAX:
                    yield from self.fail("the server's reply is too large")
            case layers.ResponseTrailers():
                yield from self.fail("the server sent trailers")
            case _:
                passing = self.sealed()
                passing.body = bytes(self.response_body_buf)
                self.response_body_buf.clear()
                self.server_state = self.state_done
                yield HoldfastReleaseHook(passing)
                passing.body = b""
                yield from self.send_answer(passing.answer or UNSEALED)

    # -- event streams ----------------------------------------------------------------------------------------------

    def _open_stream(self, passing: Passing) -> layer.CommandGenerator[None]:
        yield HoldfastOpenHook(passing)
        if passing.opened is None or passing.stream is None:  # the answer to a held call may have begun before
            yield from self.fail("the stream could not be written down")
            return
        if (yield from self._left_stream()):
            return
        self.flow.response = shown_response(passing.opened, None)
        if not self.begun:
            head = response_of(passing.opened)
            yield layers.SendHttp(layers.ResponseHeaders(self.stream_id, head, end_stream=False), self.context.client)
        self._splitter = Splitter()
        self._valve = Valve()
        self.server_state = self.state_events

    def state_events(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Cut the bytes into events, ask, and send what was released."""
        match event:
            case layers.ResponseData(data=data):
                yield from self._release_events(data)
                yield from self._listen()
            case layers.ResponseTrailers():
                yield from self._cut("the server sent trailers")
            case _:
                # What is left in the splitter without a blank line behind it is no event.
                yield from self._release_last(self._splitter.finish())
                if self.server_state == self.state_errored:
                    return
                yield HoldfastEndHook(Ending(self.sealed(), None))
                yield HttpResponseHook(self.flow)
                yield from self.finish()

    def _release_events(self, data: bytes) -> layer.CommandGenerator[None]:
        queue = self._paused_event_queue
        # One hook and one commit for all that arrived while the last batch was being written down.
        while queue and isinstance(queue[0], layers.ResponseData):
            more = queue.popleft()
            assert isinstance(more, layers.ResponseData)
            data += more.data
        self._backlog_bytes = 0
        self._read_on()
        try:
            blocks = self._splitter.feed(data)
        except Refused as refused:
            yield from self._cut(refused.reason)
            return
        yield from self._release_blocks(blocks)

    def _release_blocks(self, blocks: list[bytes]) -> layer.CommandGenerator[None]:
        if not blocks:
            return
        yield from self._release_batch(Batch(self.sealed(), blocks))

    def _release_batch(self, batch: Batch) -> layer.CommandGenerator[None]:
        yield HoldfastEventsHook(batch)
        if (yield from self._left_stream()):
            return
        if batch.out is None:
            yield from self._cut("an event was not released")
        elif batch.out:
            yield layers.SendHttp(layers.ResponseData(self.stream_id, Chunk(batch.out)), self.context.client)

    def _release_last(self, blocks: list[bytes]) -> layer.CommandGenerator[None]:
        """``blocks``, and what has waited for more to come."""
        passing = self.sealed()
        if blocks or (passing.stream is not None and passing.stream.listens):
            yield from self._release_batch(Batch(passing, blocks, is_last=True))

    def _listen(self) -> layer.CommandGenerator[None]:
        """While the server is quiet, send what the gateway itself says on a stream of HTTP+SSE, and what waited."""
        passing = self.sealed()
        while self.server_state == self.state_events and not self._paused_event_queue:
            if passing.stream is None or not passing.stream.listens:
                return
            yield HoldfastListenHook(passing)
            if (yield from self._left_stream()):
                return
            said, passing.said = passing.said, None
            if said is None:
                yield from self._cut("an event was not released")
            elif said:
                yield layers.SendHttp(layers.ResponseData(self.stream_id, said), self.context.client)

    def _left_stream(self) -> layer.CommandGenerator[bool]:
        """Whether the client left, or somebody killed the flow, while we were asking."""
        queued = any(isinstance(event, layers.RequestProtocolError) for event in self._paused_event_queue)
        if not queued and self.flow.error is None and not self._stopped:
            return False
        yield from self._cut("the client left")
        return True

    def _cut(self, reason: str) -> layer.CommandGenerator[None]:
        """End a stream in the middle: a client sees a broken body, never an event that was not released."""
        self.client_state = self.server_state = self.state_errored
        self._read_on()  # over HTTP/2, others may have streams on the same connection
        yield HoldfastEndHook(Ending(self.sealed(), reason))
        self.flow.error = self.flow.error or flow.Error("the stream was cut")
        yield HttpErrorHook(self.flow)
        yield from self.close_server()
        yield layers.SendHttp(
            layers.ResponseProtocolError(self.stream_id, "the stream was cut", layers.ErrorCode.KILL),
            self.context.client,
        )
        self.flow.live = False
        yield layers.DropStream(self.stream_id)

    def _read_on(self) -> None:
        if self._valve is not None:
            self._valve.open()

    # -- either side failing ----------------------------------------------------------------------------------------

    def handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        """Note at once what cannot wait until a pending hook is done: a client that left, a backlog that grows."""
        if self._paused and isinstance(event, layers.RequestProtocolError) and self.passing:
            self.passing.gone.set()
        if self._paused and isinstance(event, layers.ResponseData):
            self._backlog_bytes += len(event.data)
            if self._valve is not None and self._backlog_bytes > CLOSE_AT_BYTES:
                self._valve.close(self.context.server)
            if self._backlog_bytes > BACKLOG_BYTES_MAX and not self._stopped:
                self._paused_event_queue.clear()
                yield from self.stop("the backlog of a stream is too long")
        self._stir(event)
        if self._stopped and not isinstance(event, events.CommandCompleted):
            return
        yield from super().handle_event(event)

    def _stir(self, event: events.Event) -> None:
        """Wake a stream that listens to the gateway, since either side has done something."""
        # The end of the listening itself is no such thing: the stream would wake itself for ever.
        is_new = bool(self._paused) and not isinstance(event, events.CommandCompleted)
        if is_new and self.passing and self.passing.stream:
            self.passing.stream.stirred.set()

    def handle_protocol_error(
        self, event: layers.RequestProtocolError | layers.ResponseProtocolError
    ) -> layer.CommandGenerator[None]:
        """The client left, or the server failed; the texts of ``event`` are ours by now."""
        if self.state_errored in (self.client_state, self.server_state) or self.server_state == self.state_done:
            yield layers.DropStream(self.stream_id)
        elif isinstance(event, layers.ResponseProtocolError):
            if self.server_state == self.state_events:
                yield from self._release_last([])
                if self.server_state == self.state_events:
                    yield from self._cut("the server failed in the middle of a stream")
            else:
                self.talks = False
                yield from self.fail("the server failed before it had answered")
        else:
            yield from self._cut("the client left before it had the reply")
