"""Replies that come as events: each is masked and recorded before it goes on, and a failure cuts the stream."""

import json
import threading
from collections.abc import Callable

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.upstream import Script, Talk, answers, answers_and_stays, answers_politely, reply_to
from tests.live.harness.world import LOOSE, PATIENCE_S, SAID_BY_SERVER, call, result, until

pytestmark = pytest.mark.live

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
MASKED = b"************1881"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(body: object, more: str = "", end: str = "\n\n") -> bytes:
    return f"{more}data: {json.dumps(body)}{end}".encode()


def notice(text: str) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": text}}


SECRET = notice(f"the card is {SAID_BY_SERVER}")


def read_stream(bench: Bench, script: Script) -> tuple[bytes, bool]:
    """The body of an event stream, and whether it ended in good order."""
    bench.serve(script)
    answer = bench.ask()
    assert answer.status == 200
    return answer.body, answer.whole


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
def test_events_are_masked_wherever_the_chunks_are_cut(bench: Bench, size: int, end: str) -> None:
    data = event(SECRET, end=end) + event(SECRET, "event: message\nid: 7\n", end) + event(result(1), end=end)
    data += b": a carriage return at the very end might be half of a line end"
    chunks = [chunk(data[at : at + size]) for at in range(0, len(data), size)]
    body, whole = read_stream(bench, answers(HEAD + b"".join(chunks) + END))
    assert whole
    assert body.count(MASKED) == 3
    assert b"id: 7" in body


def test_the_first_event_comes_before_the_last_was_sent(bench: Bench) -> None:
    seen = threading.Event()

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(HEAD + chunk(event(SECRET)))
        seen.wait(PATIENCE_S)
        talk.say(chunk(event(result(1))) + END)

    bench.serve(script)
    with bench.wire() as wire:
        wire.send(bench.request())
        wire.until(MASKED)
        assert bench.gateway.records("call")[-1]["rpc"]["method"] == "notifications/message"
        seen.set()
        wire.until(b"\r\n0\r\n\r\n")
    assert bench.gateway.records("reply")[-1]["ref"]


def test_events_behind_a_head_that_was_refused_are_nobodys(bench: Bench) -> None:
    """They had come in one piece with it; the stream layer failed on them, and with it the client's connection."""
    head = HEAD.replace(b"\r\n\r\n", f"\r\nMcp-Session-Id: {SAID_BY_SERVER}\r\n\r\n".replace(" ", "").encode(), 1)
    bench.serve(answers_and_stays(head + chunk(event(SECRET)) + chunk(event(result(1))) + END))
    with bench.wire() as wire:
        wire.send(bench.request())
        assert wire.answer().status == 502
        bench.serve(answers_politely)
        wire.send(bench.request(call(call_id=2)))
        assert wire.answer().status == 200
    assert "crashed" not in bench.gateway.log()


def test_a_value_split_over_two_events_is_masked_in_both_while_the_server_pauses_in_between(bench: Bench) -> None:
    begun, seen = threading.Event(), threading.Event()
    head, rest = SAID_BY_SERVER[:9], SAID_BY_SERVER[9:]

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(HEAD + chunk(event(notice("hello"))) + chunk(event(notice(f"the mail is bob.smith@{'exa'}"))))
        begun.wait(PATIENCE_S)
        talk.say(chunk(event(notice("mple.com, the card"))) + chunk(event(notice(head))) + chunk(event(notice(rest))))
        seen.wait(PATIENCE_S)
        talk.say(chunk(event(result(1))) + END)

    bench.serve(script)
    with bench.wire() as wire:
        wire.send(bench.request())
        wire.until(b'"hello"')
        begun.set()
        heard = wire.until(MASKED)
        seen.set()
        heard += wire.until(b"\r\n0\r\n\r\n")
    assert head.encode() not in heard
    assert rest.encode() not in heard
    assert b"exa" not in heard or b"mple.com" not in heard


def test_an_event_that_ends_in_half_a_value_goes_on_when_nothing_follows(bench: Bench) -> None:
    bench.serve(answers_and_stays(HEAD + chunk(event(notice("ask bob.smith@exa")))))
    with bench.wire() as wire:
        wire.send(bench.request(method="GET"))
        wire.until(b"ask bob.smith@exa")
    until(lambda: bench.gateway.records()[-1]["typ"] == "stream.closed", "the end of the stream is recorded")


CUTS = {
    "an id that holds a card number": event(notice("x"), f"id: {SAID_BY_SERVER}\n"),
    "a name that holds a card number": event(notice("x"), f"event: {SAID_BY_SERVER}\n"),
    "trailers": b"",
    "an event without an end": b"data: " + LOOSE * 400_000,
    "an endpoint elsewhere": b"event: endpoint\ndata: http://other.test/\n\n",
}


@pytest.mark.parametrize("name", CUTS)
def test_what_cannot_be_released_cuts_the_stream_after_the_last_event_that_was(bench: Bench, name: str) -> None:
    end = b"0\r\nX-Trailer: " + LOOSE + b"\r\n\r\n" if name == "trailers" else chunk(event(result(1))) + END
    parts = [chunk(event(notice("one"))), chunk(CUTS[name]) if CUTS[name] else b"", end]
    body, whole = read_stream(bench, answers_and_stays(HEAD, *parts))
    assert not whole
    assert body.count(b"data:") == body.count(b'"one"') <= 1
    lost = until(lambda: bench.gateway.records()[-1], "the end of the stream is recorded")
    assert lost["typ"] == "call.lost"
    assert "the stream ended without a reply" not in lost["reason"]


LEFT_OUT = {
    "no JSON": b"data: " + LOOSE + b"\n\n",
    "a question of the server": event({"jsonrpc": "2.0", "id": 9, "method": "sampling/createMessage", "params": {}}),
    "a reply to another call": event(result(77)),
    "a comment": b": " + LOOSE + b"\n\n",
    "an unknown field": LOOSE + b": x\n\n",
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_an_event_that_may_not_pass_is_left_out(bench: Bench, name: str) -> None:
    body, whole = read_stream(bench, answers(HEAD + chunk(LEFT_OUT[name] + event(result(1))) + END))
    assert whole
    assert body.count(b"data:") == 1
    assert MASKED in body


def test_a_stream_that_the_server_breaks_off_is_broken_for_the_client_too(bench: Bench) -> None:
    body, whole = read_stream(bench, answers(HEAD + chunk(event(SECRET)) + b"ff\r\n" + event(notice("half"))[:20]))
    assert not whole
    assert body.count(b"data:") == 1


def test_a_stream_without_the_reply_leaves_a_record_that_says_so(bench: Bench) -> None:
    read_stream(bench, answers(HEAD + chunk(event(SECRET)) + END))
    assert bench.gateway.records("call.lost")[-1]["reason"] == "the stream ended without a reply"


def test_a_compressed_stream_is_refused(bench: Bench) -> None:
    bench.serve(answers(HEAD.replace(b"Transfer", b"Content-Encoding: gzip\r\nTransfer") + chunk(LOOSE) + END))
    assert bench.ask().status == 502


def test_a_client_that_leaves_a_stream_ends_it_for_the_server(bench: Bench) -> None:
    ended = threading.Semaphore(0)

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(HEAD + chunk(event(SECRET)))
        talk.listen()
        ended.release()

    bench.serve(script)
    for _ in range(8):  # each leaves at another moment of what the gateway does about it
        with bench.wire() as wire:
            wire.send(bench.request())
            wire.until(MASKED)
    assert all(ended.acquire(timeout=PATIENCE_S) for _ in range(8))
    until(lambda: bench.gateway.records()[-1]["typ"] == "call.lost", "the call is lost")


def test_a_listening_stream_is_masked_and_recorded(bench: Bench) -> None:
    bench.serve(answers_and_stays(HEAD + chunk(event(SECRET))))
    with bench.wire() as wire:
        wire.send(bench.request(method="GET"))
        wire.until(MASKED)
    until(lambda: bench.gateway.records()[-1]["typ"] == "stream.closed", "the end of the stream is recorded")


def hold_back(release: threading.Event) -> Callable[[Talk], None]:
    def script(talk: Talk) -> None:
        while heard := talk.hear():
            if b"C-slow" in heard[1]:
                release.wait(PATIENCE_S)
            talk.say(reply_to(heard[1]))

    return script


def test_a_slow_server_and_a_held_call_do_not_block_other_clients(bench: Bench) -> None:
    release = threading.Event()
    held_before = len(bench.gateway.records("hold.opened"))
    bench.serve(hold_back(release))
    with bench.wire() as held, bench.wire() as slow:
        held.send(bench.request(call("delete_customer", {"customer_id": "C-held"})))
        slow.send(bench.request(call(arguments={"note": "C-slow"})))
        until(lambda: b"C-slow" in bench.upstream.heard(), "the slow call is out")
        until(lambda: len(bench.gateway.records("hold.opened")) > held_before, "the other is held")
        for _ in range(5):
            assert bench.ask().status == 200
        assert held.heard == slow.heard == b""
        release.set()
        assert slow.answer().status == 200
    assert b"C-held" not in bench.upstream.heard()


def test_a_server_that_is_faster_than_masking_is_slowed_down(bench: Bench) -> None:
    """Its stream was cut when more than 8 MiB waited, though the client read all that it was sent."""
    count = 220
    events = [chunk(event(notice(f"{number} " + "x y " * 15_000))) for number in range(count)]
    bench.serve(answers(HEAD, *events, chunk(event(result(1))) + END))
    with bench.wire() as wire:
        wire.send(bench.request())
        for number in range(count):
            wire.until(f'"{number} x'.encode())
        wire.until(b"\r\n0\r\n\r\n")


def test_a_client_that_leaves_without_reading_stops_the_server(bench: Bench) -> None:
    more = chunk(event(notice("x" * 60_000)))
    stopped = threading.Event()

    def script(talk: Talk) -> None:
        talk.hear()
        try:
            talk.say(HEAD)
            for _ in range(10_000):
                talk.say(more)
        except OSError:
            stopped.set()

    bench.serve(script)
    wire = bench.wire()
    wire.send(bench.request())
    wire.until(b"data:")
    wire.reset()
    assert stopped.wait(PATIENCE_S)
    until(lambda: bench.gateway.records()[-1]["typ"] == "call.lost", "the call is lost")
