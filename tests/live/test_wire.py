"""What a client can do to HTTP itself, and what becomes of it: the server hears nothing, the client is refused."""

import gzip
import json

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.wire import request
from tests.live.harness.world import LOOSE, SAID_BY_CALLER, call

pytestmark = pytest.mark.live

BODY = json.dumps(call()).encode()
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


def post(token: str, *fields: str, line: str = "POST /mcp HTTP/1.1", body: bytes = BODY) -> bytes:
    """A POST with these header lines and no others than host, type and credential."""
    shared = ("Host: 127.0.0.1", "Content-Type: application/json", f"Authorization: Bearer {token}")
    return "\r\n".join((line, *shared, *fields, "", "")).encode("latin-1") + body


LENGTH = f"Content-Length: {len(BODY)}"
REFUSED_FRAMES = {
    "length and chunked": ((LENGTH, "Transfer-Encoding: chunked"), CHUNKED),
    "chunked and length": (("Transfer-Encoding: chunked", LENGTH), CHUNKED),
    "two lengths": ((LENGTH, "Content-Length: 5"), BODY),
    "the same length twice": ((LENGTH, LENGTH), BODY),
    "two lengths in one line": ((f"{LENGTH}, {len(BODY)}",), BODY),
    "a length with a sign": ((f"Content-Length: +{len(BODY)}",), BODY),
    "a length that is no number": (("Content-Length: 0x10",), BODY),
    "an unknown transfer encoding": (("Transfer-Encoding: xchunked",), CHUNKED),
    "a transfer encoding that is not last": (("Transfer-Encoding: chunked, identity",), CHUNKED),
    "transfer encoding twice": (("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), CHUNKED),
    "a space before the colon": (("Transfer-Encoding : chunked",), CHUNKED),
    "a space before a length's colon": ((f"Content-Length : {len(BODY)}",), BODY),
    "a bare CR in a value": ((LENGTH, "X-Note: a\rX-Other: b"), BODY),
    "a NUL in a value": ((LENGTH, "X-Note: a\0b"), BODY),
    "a folded header": ((LENGTH, "X-Note: a", " b"), BODY),
    "a second credential": ((LENGTH, "Authorization: Bearer other"), BODY),
    "a second credential in other case": ((LENGTH, "AUTHORIZATION: Bearer other"), BODY),
    "a second host": ((LENGTH, "Host: other.test"), BODY),
    "an upgrade to h2c": (
        (LENGTH, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA"),
        BODY,
    ),
    "an upgrade to H2C": (
        (LENGTH, "Connection: Upgrade, HTTP2-Settings", "Upgrade: H2C", "HTTP2-Settings: AAMA"),
        BODY,
    ),
    "an upgrade without connection": ((LENGTH, "upgrade: h2C"), BODY),
    "settings without an upgrade": ((LENGTH, "HTTP2-Settings: AAMA"), BODY),
    "an upgrade to websocket": ((LENGTH, "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AAAA"), BODY),
    "a compressed body": (
        (f"Content-Length: {len(gzip.compress(BODY))}", "Content-Encoding: gzip"),
        gzip.compress(BODY),
    ),
    "an unknown encoding": ((LENGTH, "Content-Encoding: snappy"), BODY),
    "an encoding of encodings": ((LENGTH, "Content-Encoding: identity, gzip"), BODY),
    "another content type as well": ((LENGTH, "Content-Type: text/plain"), BODY),
    "a page from elsewhere": ((LENGTH, "Origin: https://evil.test"), BODY),
    "a query": ((LENGTH,), BODY),
}
LINES = {"a query": "POST /mcp?note=321-45-6780 HTTP/1.1"}


@pytest.mark.parametrize("name", REFUSED_FRAMES)
def test_a_request_that_two_readers_could_read_differently_is_refused(bench: Bench, name: str) -> None:
    fields, body = REFUSED_FRAMES[name]
    with bench.wire() as wire:
        wire.send(post(bench.token, *fields, line=LINES.get(name, "POST /mcp HTTP/1.1"), body=body))
        answer = wire.answer()
    assert 400 <= answer.status < 500, answer
    assert bench.upstream.talks == []


@pytest.mark.parametrize(
    "line",
    [
        "CONNECT other.test:443 HTTP/1.1",
        "CONNECT gateway.test:80 HTTP/1.1",
        "POST http://other.test/mcp HTTP/1.1",
        "POST http://gateway.test/mcp HTTP/1.1",
        "POST //other.test/mcp HTTP/1.0 HTTP/1.1",
        "POST mcp HTTP/1.1",
        "POST * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "PUT /mcp HTTP/1.1",
        "HEAD /mcp HTTP/1.1",
        "TRACE /mcp HTTP/1.1",
        "post /mcp HTTP/1.1",
        "P\u00f6ST /mcp HTTP/1.1",
        "POST /mcp#part HTTP/1.1",
        "POST /mcp HTTP/2.0",
        "POST /mcp HTTP/9.9",
        "POST /mcp",
        f"POST /{'a' * 5000} HTTP/1.1",
    ],
)
def test_a_request_line_that_is_no_plain_mcp_request_is_refused(bench: Bench, line: str) -> None:
    with bench.wire() as wire:
        wire.send(post(bench.token, LENGTH, line=line))
        assert 400 <= wire.answer().status < 500
    assert bench.upstream.talks == []


def test_after_a_refused_connect_no_byte_is_tunnelled(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(post(bench.token, line="CONNECT other.test:443 HTTP/1.1", body=b"") + bench.request())
        assert wire.answer().status == 400
        wire.to_the_end()
    assert bench.upstream.talks == []


@pytest.mark.parametrize("data", [H2_PREFACE, b"\x16\x03\x01\x02\x00\x01\x00\x01", b"SSH-2.0-x\r\n", b"\x05\x01\x00"])
def test_what_is_not_http_1_is_refused_and_closed(bench: Bench, data: bytes) -> None:
    with bench.wire() as wire:
        wire.send(data + b"\r\n\r\n" + bench.request())
        wire.to_the_end()
    assert bench.upstream.talks == []


def test_a_get_with_a_body_is_refused(bench: Bench) -> None:
    assert bench.ask(call(), method="GET").status == 400
    assert bench.upstream.talks == []


def test_a_delete_with_a_body_is_refused(bench: Bench) -> None:
    assert bench.ask(call(), method="DELETE").status == 400
    assert bench.upstream.talks == []


def test_trailers_of_a_client_are_refused_and_the_connection_closed(bench: Bench) -> None:
    with_trailers = CHUNKED.removesuffix(b"\r\n") + b"X-Trailer: late\r\n\r\n"
    told = bench.tell(post(bench.token, "Transfer-Encoding: chunked", body=with_trailers))
    assert told.startswith(b"HTTP/1.1 400 ")
    assert bench.upstream.talks == []


def test_a_chunked_call_is_carried_with_a_length(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(post(bench.token, "Transfer-Encoding: chunked", body=CHUNKED))
        assert wire.answer().status == 200
    heard = bench.upstream.heard().lower()
    assert b"content-length: " in heard
    assert b"chunked" not in heard


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"-1\r\nabc", b"5;" + b"x" * 10 + b"\r\nab\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n"]
)
def test_a_body_with_broken_chunks_is_refused(bench: Bench, body: bytes) -> None:
    with bench.wire() as wire:
        wire.send(post(bench.token, "Transfer-Encoding: chunked", body=body))
        wire.send(b"\r\n" * 4)
        told = wire.to_the_end()
    assert not told or told.startswith(b"HTTP/1.1 400 "), told
    assert bench.upstream.talks == []


def test_pipelined_calls_are_judged_one_by_one(bench: Bench) -> None:
    with bench.wire() as wire:
        allowed, denied = bench.request(call(call_id=1)), bench.request(call("purge_logs", call_id=2))
        wire.send(allowed + denied + request(None) + bench.request(call(call_id=4)))
        first, second, third = wire.answer(), wire.answer(), wire.answer()
        assert first.json()["id"] == 1
        assert second.json()["result"]["isError"]
        assert third.status == 401
        assert wire.answer().json()["id"] == 4
    assert bench.upstream.heard().count(b"POST /mcp") == 2
    assert b"purge_logs" not in bench.upstream.heard()


def test_a_smuggled_second_request_is_judged_on_its_own(bench: Bench) -> None:
    hidden = request(None, call("delete_customer"))
    with bench.wire() as wire:
        wire.send(post(bench.token, LENGTH, body=BODY + hidden))
        assert wire.answer().status == 200
        assert wire.answer().status == 401
    assert b"delete_customer" not in bench.upstream.heard()


def test_the_server_hears_nothing_before_a_client_that_expects_100_has_sent_its_body(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(post(bench.token, LENGTH, "Expect: 100-continue", body=b""))
        assert wire.answer().status == 100
        assert bench.upstream.talks == []
        wire.send(BODY)
        assert wire.answer().status == 200


def test_a_refused_call_is_refused_after_100_as_well(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(post("no-token", LENGTH, "Expect: 100-continue", body=b""))
        assert wire.answer().status == 100
        wire.send(BODY)
        assert wire.answer().status == 401
    assert bench.upstream.talks == []


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json-seq", "", "json"]
)
def test_a_content_type_that_is_not_json_is_refused(bench: Bench, kind: str) -> None:
    answer = bench.ask(without=["content-type"], headers=[("Content-Type", kind)])
    assert answer.status == 415
    assert bench.upstream.talks == []


def test_a_body_over_the_limit_is_refused_before_it_is_read_to_its_end(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(post(bench.token, f"Content-Length: {64 * 1024 * 1024}", body=b""))
        for _ in range(6):
            wire.send(b" " * (1024 * 1024))
        assert wire.answer().status == 413
    assert bench.upstream.talks == []


def test_an_endless_chunked_body_is_refused(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(post(bench.token, "Transfer-Encoding: chunked", body=b""))
        for _ in range(6):
            wire.send(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
        assert wire.answer().status == 413
    assert bench.upstream.talks == []


def test_too_many_headers_are_refused(bench: Bench) -> None:
    flood = [(f"X-Filler-{number}", "x") for number in range(300)]
    assert bench.ask(headers=flood).status == 413
    assert bench.ask(headers=[("X-Filler", "x" * 100_000)]).status == 413
    assert bench.upstream.talks == []


def test_a_head_that_does_not_end_is_cut_off(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(b"POST /mcp HTTP/1.1\r\n")
        line = b"X-Filler: " + b"x" * 65_000 + b"\r\n"
        with pytest.raises(OSError, match=r"(?i)broken pipe|reset"):  # noqa: PT012 -- it is cut at one of these
            for _ in range(640):
                wire.send(line)
                wire.send(line)
    assert bench.upstream.talks == []


def test_headers_without_a_purpose_do_not_travel(bench: Bench) -> None:
    strange = [("X-Note", SAID_BY_CALLER), ("Cookie", "a=b"), ("Proxy-Authorization", "Basic eDp5"), ("Via", "1.1 x")]
    assert bench.ask(headers=[*strange, ("X-Loose", LOOSE.decode()), ("Forwarded", "for=1.2.3.4")]).status == 200
    heard = bench.upstream.heard().lower()
    assert not any(
        name.lower().encode() in heard for name in ("x-note", "cookie", "proxy-", "via:", "x-loose", "forwarded")
    )


def test_a_log_never_quotes_what_a_broken_client_sent(bench: Bench) -> None:
    bench.tell(f"POST /{SAID_BY_CALLER} with {bench.token} HTTP/1.1 \r\n\r\n".encode())
    bench.tell(f"POST / HTTP/1.1\r\n{SAID_BY_CALLER}\r\n\r\n".encode())
    with bench.wire() as wire:
        wire.send(f"POST / HTTP/1.1\r\nX: {SAID_BY_CALLER} {bench.token}".encode())
    assert bench.upstream.talks == []
