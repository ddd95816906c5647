"""The first look at a request, and the headers that may travel."""

import pytest

from holdfast import wireheaders
from holdfast.call import META_VERSION, Call, Direction
from holdfast.errors import Cause, Refused
from holdfast.exchange import Head, Headers, Peer, Request
from holdfast.hosts import hosts_of
from holdfast.jsontext import JsonObject
from holdfast.passage import Kind
from holdfast.screen import screen

_JSON = ("content-type", "application/json")
_NO_ORIGINS: frozenset[str] = frozenset()
_OWN = hosts_of("https://mcp.example.com", "127.0.0.1", ("gw.internal",))


def _request(
    *headers: tuple[str, str], method: str = "POST", path: str = "/mcp", body: bytes = b"", default: Headers = (_JSON,)
) -> Request:
    return Request(method, path, (*default, *headers), body, Peer("127.0.0.1", 5))


def test_a_post_of_json_is_a_message() -> None:
    assert screen(_request(("mcp-session-id", "s1")), _NO_ORIGINS, _OWN).session == "s1"


def test_a_get_opens_a_stream_and_a_delete_ends_a_session() -> None:
    get = _request(("accept", "text/event-stream"), method="GET", default=())
    assert screen(get, _NO_ORIGINS, _OWN).kind is Kind.STREAM
    assert screen(_request(method="DELETE"), _NO_ORIGINS, _OWN).kind is Kind.END_SESSION


def test_the_session_of_http_sse_is_in_the_query() -> None:
    assert screen(_request(path="/messages?session_id=abc"), _NO_ORIGINS, _OWN).session == "abc"


@pytest.mark.parametrize(
    ("request_", "cause"),
    [
        (_request(method="PUT"), Cause.UNSUPPORTED),
        (_request(default=(("content-type", "text/plain"),)), Cause.UNSUPPORTED),
        (_request(default=()), Cause.UNSUPPORTED),
        (_request(("content-encoding", "gzip")), Cause.UNSUPPORTED),
        (_request(("upgrade", "H2C")), Cause.UNSUPPORTED),
        (_request(("upgrade", "websocket")), Cause.UNSUPPORTED),
        (_request(_JSON), Cause.MALFORMED),
        (_request(("authorization", "Bearer a"), ("authorization", "Bearer b")), Cause.MALFORMED),
        (_request(("x-a", "b\r\nc: d")), Cause.MALFORMED),
        (_request(("x-a", "b\0")), Cause.MALFORMED),
        (_request(path="http://other.example/mcp"), Cause.MALFORMED),
        (_request(path="*"), Cause.MALFORMED),
        (_request(path="/" + "a" * 1025), Cause.MALFORMED),
        (_request(path="/mcp?api_key=secret"), Cause.UNSUPPORTED),
        (_request(("mcp-session-id", "a b")), Cause.MALFORMED),
        (_request(*[(f"x-{n}", "v") for n in range(101)]), Cause.TOO_LARGE),
        (_request(("x-long", "v" * 65537)), Cause.TOO_LARGE),
        (_request(method="GET", default=()), Cause.UNSUPPORTED),
        (_request(("accept", "text/event-stream"), method="GET", body=b"x", default=()), Cause.MALFORMED),
        (_request(("origin", "https://evil.example")), Cause.FORBIDDEN),
        (_request(("origin", "null")), Cause.FORBIDDEN),
        (_request(("host", "evil.example"), ("origin", "http://evil.example")), Cause.FORBIDDEN),
        (_request(("mcp-session-id", "mine"), path="/mcp?sessionId=mine"), Cause.MALFORMED),
        (_request(path="/messages?session_id=a&sessionId=b"), Cause.MALFORMED),
        (_request(path="/mcp?" + "&".join(["a=b"] * 11)), Cause.MALFORMED),
        (_request(path="/mcp HTTP/1.1 x"), Cause.MALFORMED),
        (_request(path="/mcp\xa0"), Cause.MALFORMED),
        (_request(path="/mcp#x"), Cause.MALFORMED),
    ],
)
def test_what_no_mcp_client_sends_is_refused(request_: Request, cause: Cause) -> None:
    with pytest.raises(Refused) as caught:
        screen(request_, _NO_ORIGINS, _OWN)
    assert caught.value.cause is cause


@pytest.mark.parametrize(
    "host",
    [
        "mcp.example.com",
        "MCP.example.com:443",
        "mcp.example.com.",
        "gw.internal:1",
        "localhost:8080",
        "127.0.0.1:49152",
        "[::1]:8080",
    ],
)
def test_the_gateways_own_names_pass_with_any_port(host: str) -> None:
    screen(_request(("host", host)), _NO_ORIGINS, _OWN)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "mcp.example.com.evil.example",
        "localhost.evil.example",
        "mcp.example.com@evil.example",
        "evil.example#mcp.example.com",
        "192.0.2.1:8080",
        "[2001:db8::1]",
        "",
        "::1",
    ],
)
def test_a_name_that_is_not_the_gateways_is_refused_whatever_the_origin(host: str) -> None:
    with pytest.raises(Refused) as caught:
        screen(_request(("host", host)), _NO_ORIGINS, _OWN)
    assert caught.value.cause is Cause.FORBIDDEN


@pytest.mark.parametrize("listen_host", ["", "0.0.0.0", "::"])
def test_a_gateway_on_every_address_may_be_asked_by_any_address_and_by_no_foreign_name(listen_host: str) -> None:
    hosts = hosts_of("http://127.0.0.1:8080", listen_host, ())
    assert hosts.admit("192.0.2.1:8080")
    assert hosts.admit("[2001:db8::1]:8080")
    assert not hosts.admit("evil.example:8080")


def test_an_origin_that_is_named_passes() -> None:
    screen(_request(("origin", "https://ide.example")), frozenset({"https://ide.example"}), _OWN)


def _call(**arguments: object) -> Call:
    params: JsonObject = {"name": "pay", "arguments": arguments, "_meta": {META_VERSION: "2026-07-28"}}  # type: ignore[dict-item] # any JSON will do
    return Call("tools/call", params, 1, Direction.TO_SERVER)


_MODERN = ("mcp-protocol-version", "2026-07-28")


def test_headers_that_repeat_the_body_pass() -> None:
    mirrors = (("mcp-method", "tools/call"), ("mcp-name", "=?base64?cGF5?="), ("mcp-param-region", "eu"))
    wireheaders.check_mirrors(_request(_MODERN, *mirrors), _call(region="eu", amount=5))


@pytest.mark.parametrize(
    "header",
    [
        ("mcp-method", "tools/list"),
        ("mcp-name", "get"),
        ("mcp-name", "=?base64?!!?="),
        ("mcp-param-region", "us"),
        ("mcp-param-amount", "6"),
    ],
)
def test_a_header_that_contradicts_the_body_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        wireheaders.check_mirrors(_request(_MODERN, header), _call(region="eu", amount=5))
    assert caught.value.cause is Cause.MALFORMED


def test_a_modern_message_under_an_older_version_header_is_refused() -> None:
    with pytest.raises(Refused):
        wireheaders.check_mirrors(_request(("mcp-protocol-version", "2025-11-25")), _call())


def test_a_masked_argument_changes_its_mirror_too() -> None:
    headers = (("mcp-param-card", "4111111111111111"), ("mcp-param-region", "eu"), ("mcp-name", "pay"))
    before, after = _call(card="4111111111111111", region="eu"), _call(card="<CREDIT_CARD>", region="eu")
    assert wireheaders.mirror(headers, before, after) == (
        ("mcp-param-card", "<CREDIT_CARD>"),
        ("mcp-param-region", "eu"),
        ("mcp-name", "pay"),
    )


def _keep(text: str) -> str:
    return text.replace("4111111111111111", "<CREDIT_CARD>")


def test_only_headers_with_a_purpose_travel() -> None:
    request = _request(("authorization", "Bearer t"), ("cookie", "c"), ("x-note", "n"), ("mcp-session-id", "s"))
    sent = dict(wireheaders.to_server(request, "upstream:3000", _keep))
    assert sent == {
        "host": "upstream:3000",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-session-id": "s",
        "accept-encoding": "identity",
        "user-agent": "holdfast",
    }
    head = Head(200, (_JSON, ("set-cookie", "a=b"), ("server", "x"), ("mcp-session-id", "s")))
    assert dict(wireheaders.to_client(head, _keep)) == {"mcp-session-id": "s"}


@pytest.mark.parametrize("header", ["last-event-id", "mcp-session-id", "mcp-protocol-version"])
@pytest.mark.parametrize("value", ["4111111111111111", "two words", "x" * 2000])
def test_a_header_with_a_free_value_carries_an_id_and_nothing_else(header: str, value: str) -> None:
    with pytest.raises(Refused):
        wireheaders.to_server(_request((header, value)), "h", _keep)


def test_mirrors_travel_with_a_message_only() -> None:
    get = _request(("mcp-param-x", "4111111111111111"), ("accept", "text/event-stream"), method="GET", default=())
    assert dict(wireheaders.to_server(get, "h", _keep)).keys() == {"host", "accept", "accept-encoding", "user-agent"}


def test_what_a_server_writes_into_headers_freely_does_not_come_back() -> None:
    head = Head(200, (("cache-control", "bob@example.com"), ("x-accel-buffering", "4111"), ("retry-after", "soon")))
    assert wireheaders.to_client(head, _keep) == ()
    plain: Headers = (("cache-control", "no-cache, no-transform"), ("x-accel-buffering", "no"), ("retry-after", "5"))
    assert wireheaders.to_client(Head(200, plain), _keep) == plain
    with pytest.raises(Refused):
        wireheaders.to_client(Head(200, (("mcp-session-id", "4111111111111111"),)), _keep)


def test_one_mirror_for_one_argument() -> None:
    twice = (("mcp-param-region", "eu"), ("mcp-param-region", "us"))
    with pytest.raises(Refused):
        wireheaders.check_mirrors(_request(_MODERN, *twice), _call(region="eu", other="us"))
