"""What a server can answer, and what of it a client gets to see."""

import gzip
import json

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.upstream import Talk, answers, answers_and_stays, http
from tests.live.harness.wire import Answer
from tests.live.harness.world import LOOSE, SAID_BY_SERVER, call, result

pytestmark = pytest.mark.live

SERVER_FAULT = -31020
GOOD = json.dumps(result(1)).encode()
ZIPPED = gzip.compress(GOOD)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SIZED = OK + b"Content-Length: %d\r\n" % len(GOOD)
CHUNKED = b"%x\r\n%s\r\n0\r\n" % (len(GOOD), GOOD)


def bad_json(text: str) -> bytes:
    return http("200 OK", text.encode())


BROKEN = {
    "no HTTP": LOOSE + b"\r\n\r\n",
    "two megabytes without HTTP": LOOSE * 80_000,
    "two megabytes of lines": (LOOSE + b"\r\n") * 80_000 + b"\r\n",
    "a status that is no number": b"HTTP/1.1 OK " + LOOSE + b"\r\n\r\n",
    "an unknown version": b"HTTP/7.7 200 " + LOOSE + b"\r\nContent-Length: 0\r\n\r\n",
    "a header line without a colon": b"HTTP/1.1 200 OK\r\n" + LOOSE + b"\r\n\r\n" + GOOD,
    "a space before a colon": OK + b"Content-Length : 4\r\n\r\n" + GOOD,
    "a head that does not end": OK + (b"X-Filler: " + LOOSE * 1000 + b"\r\n") * 20,
    "two lengths": SIZED + b"Content-Length: 4\r\n\r\n" + GOOD,
    "length and chunked": SIZED + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED + b"\r\n",
    "an unknown transfer encoding": OK + b"Transfer-Encoding: rot13\r\n\r\n" + GOOD,
    "broken chunks": OK + b"Transfer-Encoding: chunked\r\n\r\nzz" + LOOSE + b"\r\n\r\n",
    "trailers": OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED + b"X-Trailer: " + LOOSE + b"\r\n\r\n",
    "less than its length": SIZED + b"\r\n" + GOOD[:-9],
    "100 Continue": b"HTTP/1.1 100 " + LOOSE + b"\r\nX-Note: " + LOOSE + b"\r\n\r\n",
    "100 and then more": b"HTTP/1.1 100 Continue\r\n\r\n" + http("200 OK", GOOD),
    "103 Early Hints": b"HTTP/1.1 103 Early Hints\r\nLink: <" + LOOSE + b">\r\n\r\n" + http("200 OK", GOOD),
    "101 and another protocol": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + LOOSE * 10,
    "101 and a websocket": b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello",
    "a redirect": http("307 Temporary", b"", more="Location: http://other.test/\r\n"),
    "nothing modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "an answer without content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "a compressed body": http("200 OK", ZIPPED, more="Content-Encoding: gzip\r\n"),
    "an unknown encoding": http("200 OK", GOOD, more="Content-Encoding: snappy\r\n"),
    "an encoding twice": http("200 OK", ZIPPED, more="Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"),
    "a compressed body that does not say so": http("200 OK", ZIPPED),
    "a page": http("200 OK", b"<p>" + LOOSE, "text/html"),
    "a body without a type": OK.replace(b"Content-Type: application/json\r\n", b"Content-Length: 5\r\n\r\n")
    + LOOSE[:5],
    "an error page": http("500 Oops " + LOOSE.decode(), b"Traceback " + LOOSE, "text/plain"),
    "an error page in JSON": http("500 Oops", json.dumps({"detail": LOOSE.decode()}).encode()),
    "a demand for a credential": http("401 No", b"{}", more=f"WWW-Authenticate: Basic realm={LOOSE.decode()}\r\n"),
    "five megabytes": http("200 OK", b'{"a":"' + b"x" * 5_000_000 + b'"}'),
    "five megabytes in chunks": OK
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 80,
    "no JSON": bad_json(LOOSE.decode()),
    "half of a message": bad_json(GOOD.decode()[:-4]),
    "a member twice": bad_json(GOOD.decode().replace('"id": 1', '"id": 1, "id": 1')),
    "no number": bad_json('{"jsonrpc":"2.0","id":1,"result":{"n":NaN}}'),
    "a message of another protocol": bad_json('{"result": "' + LOOSE.decode() + '"}'),
    "a reply to another call": bad_json(json.dumps(result(2))),
    "a reply to another kind of id": bad_json(json.dumps(result("1"))),
    "a hundred thousand brackets": bad_json("[" * 100_000),
    "no UTF-8": http("200 OK", b'{"jsonrpc":"2.0","id":1,"result":{"a":"\xff\xfe"}}'),
}


def assert_a_server_fault(answer: Answer) -> None:
    assert answer.json()["error"]["code"] == SERVER_FAULT, answer
    assert answer.headers["content-type"] == "application/json"
    assert answer.whole


@pytest.mark.parametrize("name", BROKEN)
def test_a_response_that_cannot_be_vouched_for_does_not_come_back(bench: Bench, name: str) -> None:
    bench.serve(answers(BROKEN[name]))
    assert_a_server_fault(bench.ask())
    assert LOOSE.decode() not in bench.gateway.log()
    assert bench.gateway.records("call.lost")[-1]["ref"] == [bench.gateway.records("call")[-1]["n"]]


@pytest.mark.parametrize("name", ["no HTTP", "101 and another protocol", "100 Continue", "a page", "trailers"])
def test_it_does_not_come_back_from_a_server_that_stays_connected_either(bench: Bench, name: str) -> None:
    bench.serve(answers_and_stays(BROKEN[name]))
    with bench.wire() as wire:
        wire.send(bench.request())
        assert_a_server_fault(wire.answer())
        wire.send(bench.request(b"a byte of another protocol"))
        assert wire.answer().status == 400
    assert b"a byte of another protocol" not in bench.upstream.heard()


def test_a_batch_that_nobody_asked_for_is_masked_like_any_reply(bench: Bench) -> None:
    bench.serve(answers(bad_json(f"[{GOOD.decode()}]")))
    assert bench.ask().body.decode().count("1881") == 1


def test_a_server_that_hangs_up_is_a_fault_that_is_recorded(bench: Bench) -> None:
    def hangs_up(talk: Talk) -> None:
        talk.hear()

    bench.serve(hangs_up)
    assert_a_server_fault(bench.ask())
    assert bench.gateway.records()[-1]["typ"] == "call.lost"


def test_a_server_that_resets_the_connection_is_a_fault(bench: Bench) -> None:
    def resets(talk: Talk) -> None:
        talk.hear()
        talk.reset()

    bench.serve(resets)
    assert_a_server_fault(bench.ask())


def test_a_second_response_to_one_call_reaches_nobody(bench: Bench) -> None:
    stale = http("200 OK", json.dumps(result(2, "stale")).encode())
    bench.serve(answers_and_stays(http("200 OK", GOOD) + stale))
    with bench.wire() as wire:
        wire.send(bench.request(call(call_id=1)))
        assert wire.answer().json()["id"] == 1
        bench.serve(answers(http("200 OK", json.dumps(result(2, "fresh")).encode())))
        wire.send(bench.request(call(call_id=2)))
        assert wire.answer().text() == "fresh"


@pytest.mark.parametrize("status", ["400 Bad", "404 Gone", "429 Slow"])
def test_a_status_that_steers_the_client_goes_on_without_its_text(bench: Bench, status: str) -> None:
    bench.serve(answers(http(status, LOOSE, "text/plain")))
    answer = bench.ask()
    assert answer.status == int(status[:3])
    assert_a_server_fault(answer)


def test_headers_of_a_server_without_a_purpose_do_not_come_back(bench: Bench) -> None:
    more = f"X-Cut: a\r{LOOSE.decode()}\r\n"
    more += f"Server: {LOOSE.decode()}\r\nSet-Cookie: a={LOOSE.decode()}\r\nX-Note: {SAID_BY_SERVER}\r\nAlt-Svc: h3\r\n"
    bench.serve(answers(http("200 OK", GOOD, more=more)))
    answer = bench.ask()
    assert answer.status == 200
    assert set(answer.headers) == {"content-type", "content-length"}


def test_a_reply_in_chunks_is_masked_though_the_value_lies_across_them(bench: Bench) -> None:
    parts = [GOOD[at : at + 3] for at in range(0, len(GOOD), 3)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    bench.serve(answers(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"))
    assert "1881" in bench.ask().text()


def test_a_reply_that_ends_with_the_connection_is_masked(bench: Bench) -> None:
    bench.serve(answers(OK + b"\r\n" + GOOD))
    assert "1881" in bench.ask().text()


def test_a_server_hears_that_it_must_not_compress(bench: Bench) -> None:
    bench.ask(headers=[("Accept-Encoding", "gzip, br")])
    assert bench.upstream.heard().lower().count(b"accept-encoding: identity") == 1
    assert b"gzip" not in bench.upstream.heard()


def test_no_connection_is_made_before_a_call_is_admitted(bench: Bench) -> None:
    with bench.wire() as wire:
        wire.send(bench.request(call("purge_logs")) + bench.request(method="PUT"))
        assert wire.answer().status == 200
        assert wire.answer().status == 415
    assert bench.upstream.talks == []
