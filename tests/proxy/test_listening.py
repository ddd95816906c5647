"""Event streams in the stream layer: it listens to the gateway, sleeps in between, and opens what it may."""

import asyncio

import pytest
from mitmproxy import http, options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import taddons, tflow

from holdfast.exchange import Answer
from holdfast.outbox import Outbox
from holdfast.proxy.hooks import HoldfastEndHook, HoldfastListenHook, HoldfastOpenHook
from holdfast.proxy.seals import Chunk, Passing
from holdfast.proxy.stream import GateStream
from holdfast.sse import Splitter


class Listening:
    """A stream with an outbox, as the layer sees it."""

    listens = True

    def __init__(self) -> None:
        self.stirred = asyncio.Event()
        self.outbox = Outbox(self.stirred)


@pytest.fixture
def stream() -> GateStream:
    """A stream of HTTP+SSE whose server is quiet."""
    with taddons.context(Proxyserver()) as tctx:
        opts: options.Options = tctx.options
        client = tflow.tclient_conn()
        client.proxy_mode = ProxyMode.parse("reverse:http://up:1")
        made = GateStream(context.Context(client, opts), 1)
    made.flow = tflow.tflow()
    made.passing = Passing(made.flow)
    made.passing.opened = Answer(200, (("content-type", "text/event-stream"),), b"")
    made.passing.stream = Listening()  # type: ignore[assignment] # only this is looked at
    made._splitter = Splitter()
    made.client_state, made.server_state = made.state_done, made.state_events
    return made


LEFT = layers.RequestProtocolError(1, "the client failed", layers.ErrorCode.GENERIC_CLIENT_ERROR)


def outbox_of(stream: GateStream) -> Outbox:
    assert stream.passing is not None
    assert stream.passing.stream is not None
    assert stream.passing.stream.outbox is not None
    return stream.passing.stream.outbox


def listening(stream: GateStream, event: events.Event) -> tuple[commands.StartHook, list[bytes]]:
    """The hook at which ``stream`` waits after ``event``, and what it has sent."""
    done = list(stream.handle_event(event))
    sent = [
        bytes(one.event.data)
        for one in done
        if isinstance(one, layers.SendHttp) and isinstance(one.event, layers.ResponseData)
    ]
    assert isinstance(done[-1], HoldfastListenHook), done
    return done[-1], sent


def test_a_stream_that_has_said_what_it_had_to_say_sleeps_again(stream: GateStream) -> None:
    hook, _ = listening(stream, layers.ResponseData(1, b": from the server\n"))
    assert stream.passing is not None
    stream.passing.said = Chunk(b"data: refused\n\n")
    _, sent = listening(stream, events.HookCompleted(hook))
    assert sent == [b"data: refused\n\n"]
    assert not outbox_of(stream).stirred.is_set()


@pytest.mark.parametrize("event", [layers.ResponseData(1, b": more\n"), LEFT])
def test_a_stream_that_sleeps_is_woken_by_either_side(stream: GateStream, event: events.Event) -> None:
    listening(stream, layers.ResponseData(1, b": from the server\n"))
    assert list(stream.handle_event(event)) == []
    assert outbox_of(stream).stirred.is_set()


def test_a_stream_that_may_not_be_opened_ends_an_answer_that_has_begun(stream: GateStream) -> None:
    assert stream.passing is not None
    stream.passing.stream, stream.begun, stream.server_state = None, True, stream.state_wait_for_response_headers
    head = http.Response.make(200, b"", {"content-type": "text/event-stream"})
    asked = list(stream.handle_event(layers.ResponseHeaders(1, head)))[-1]
    assert isinstance(asked, HoldfastOpenHook)
    assert isinstance(list(stream.handle_event(events.HookCompleted(asked)))[-1], HoldfastEndHook)
