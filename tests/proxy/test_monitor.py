"""The monitor: every command of the stream layer is compared with the seals, and nothing else decides."""

import dataclasses

import pytest
from mitmproxy import http, options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Server
from mitmproxy.proxy import commands, context
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import taddons, tflow

from holdfast.exchange import Answer, Headers, Outgoing, Upstream
from holdfast.proxy.monitor import MonitoredStream, wire_headers
from holdfast.proxy.request_half import response_of
from holdfast.proxy.seals import NOT_HTTP, UNSEALED, Chunk, Passing, with_length

_HEADERS: Headers = (("host", "up:1"), ("content-type", "application/json"), ("content-length", "2"))
_SERVER = Upstream("up", 1, tls=False)
_SEALED = Outgoing(_SERVER, "POST", "/mcp", _HEADERS, b"{}")
_ANSWER = with_length(Answer(200, (("content-type", "application/json"),), b"[]"))


@pytest.fixture
def stream() -> MonitoredStream:
    with taddons.context(Proxyserver()) as tctx:
        opts: options.Options = tctx.options
        client = tflow.tclient_conn()
        client.proxy_mode = ProxyMode.parse("reverse:http://up:1")
        made = MonitoredStream(context.Context(client, opts), 1)
    made.context.server.address = _SERVER.address
    made.passing = Passing(tflow.tflow())
    return made


def _objection(stream: MonitoredStream, command: commands.Command) -> str | None:
    return stream._objection(command)


def _to_server(event: layers.HttpEvent, stream: MonitoredStream) -> layers.SendHttp:
    return layers.SendHttp(event, stream.context.server)


def _head(headers: Headers = _HEADERS, path: bytes = b"/mcp", authority: bytes = b"") -> http.Request:
    fields = http.Headers(wire_headers(headers))
    return http.Request("up", 1, b"POST", b"http", authority, path, b"HTTP/1.1", fields, b"{}", None, 0, 0)


def test_without_a_seal_nothing_connects_and_nothing_is_sent(stream: MonitoredStream) -> None:
    for command in (
        layers.GetHttpConnection(("up", 1), False, None, "tcp"),
        _to_server(layers.RequestHeaders(1, _head(), False), stream),
        _to_server(layers.RequestData(1, b"{}"), stream),
        _to_server(layers.ResponseHeaders(1, response_of(_ANSWER), False), stream),
        _to_server(layers.ResponseData(1, b"[]"), stream),
        _to_server(layers.ResponseData(1, Chunk(b"data: x\n\n")), stream),
    ):
        assert _objection(stream, command) is not None, command


def test_what_is_sealed_goes_out(stream: MonitoredStream) -> None:
    assert stream.passing is not None
    stream.passing.outgoing, stream.passing.answer = _SEALED, _ANSWER
    for event in (
        layers.RequestHeaders(1, _head(), False),
        layers.RequestData(1, b"{}"),
        layers.RequestEndOfMessage(1),
        layers.ResponseHeaders(1, response_of(_ANSWER), False),
        layers.ResponseData(1, b"[]"),
    ):
        assert _objection(stream, _to_server(event, stream)) is None, event


@pytest.mark.parametrize(
    "head",
    [
        _head(path=b"/other"),
        _head(authority=b"evil:80"),
        _head((*_HEADERS, ("x-more", "1"))),
        _head(_HEADERS[:-1]),
        _head((("host", "evil:1"), *_HEADERS[1:])),
    ],
)
def test_a_request_that_was_changed_after_its_seal_stays(stream: MonitoredStream, head: http.Request) -> None:
    assert stream.passing is not None
    stream.passing.outgoing = _SEALED
    assert _objection(stream, _to_server(layers.RequestHeaders(1, head, False), stream)) is not None


@pytest.mark.parametrize(
    "command",
    [
        layers.GetHttpConnection(("up", 2), False, None),
        layers.GetHttpConnection(("other", 1), False, None),
        layers.GetHttpConnection(("up", 1), True, None),
        layers.GetHttpConnection(("up", 1), False, ("http", ("via", 80))),
        layers.GetHttpConnection(("up", 1), False, None, "udp"),
    ],
)
def test_a_connection_to_another_server_than_the_sealed_one_stays(
    stream: MonitoredStream, command: layers.GetHttpConnection
) -> None:
    assert stream.passing is not None
    stream.passing.outgoing = _SEALED
    assert _objection(stream, layers.GetHttpConnection(("up", 1), False, None)) is None
    assert _objection(stream, command) is not None


@pytest.mark.parametrize(("address", "tls"), [(("up", 2), False), (("other", 1), False), (("up", 1), True)])
def test_a_sealed_request_is_not_said_to_another_server(
    stream: MonitoredStream, address: tuple[str, int], *, tls: bool
) -> None:
    assert stream.passing is not None
    stream.passing.outgoing = _SEALED
    other = Server(address=address)
    other.tls = tls
    for event in (
        layers.RequestHeaders(1, _head(), False),
        layers.RequestData(1, b"{}"),
        layers.RequestEndOfMessage(1),
    ):
        assert _objection(stream, layers.SendHttp(event, other)) is not None


def test_a_seal_that_names_one_server_and_goes_to_another_connects_to_none(stream: MonitoredStream) -> None:
    assert stream.passing is not None
    stream.passing.outgoing = dataclasses.replace(_SEALED, upstream=Upstream("other", 1, tls=False))
    assert _objection(stream, layers.GetHttpConnection(("other", 1), False, None)) is not None


def test_another_body_or_a_streamed_part_of_one_stays(stream: MonitoredStream) -> None:
    assert stream.passing is not None
    stream.passing.outgoing, stream.passing.answer = _SEALED, _ANSWER
    assert _objection(stream, _to_server(layers.RequestData(1, b"{ }"), stream)) is not None
    assert _objection(stream, _to_server(layers.ResponseData(1, b"["), stream)) is not None
    trailers = http.Headers(((b"x", b"y"),))
    assert _objection(stream, _to_server(layers.RequestTrailers(1, trailers), stream)) is not None
    assert _objection(stream, _to_server(layers.ResponseTrailers(1, trailers), stream)) is not None


def test_only_released_chunks_stream(stream: MonitoredStream) -> None:
    assert stream.passing is not None
    stream.passing.opened = Answer(200, (("content-type", "text/event-stream"),), b"")
    assert _objection(stream, _to_server(layers.ResponseData(1, Chunk(b"data: x\n\n")), stream)) is None
    assert _objection(stream, _to_server(layers.ResponseData(1, b"data: x\n\n"), stream)) is not None


@pytest.mark.parametrize("status", [100, 101, 103])
def test_informational_responses_of_a_server_stay(stream: MonitoredStream, status: int) -> None:
    response = http.Response.make(status, b"", {"upgrade": "websocket"})
    assert _objection(stream, _to_server(layers.ResponseHeaders(1, response, True), stream)) is not None


def test_an_error_text_of_the_core_is_never_relayed(stream: MonitoredStream) -> None:
    text = "unexpected server response: b'4111 1111 1111 1111'"
    event = layers.ResponseProtocolError(1, text, layers.ErrorCode.GENERIC_SERVER_ERROR)
    assert _objection(stream, _to_server(event, stream)) is not None


@pytest.mark.parametrize("own", [NOT_HTTP, UNSEALED])
def test_the_gateways_fixed_answers_need_no_gate(stream: MonitoredStream, own: Answer) -> None:
    assert _objection(stream, _to_server(layers.ResponseHeaders(1, response_of(own), False), stream)) is None
    assert _objection(stream, _to_server(layers.ResponseData(1, own.body), stream)) is None


def test_raw_bytes_of_the_stream_layer_stay(stream: MonitoredStream) -> None:
    assert _objection(stream, commands.SendData(stream.context.client, b"x")) is not None
