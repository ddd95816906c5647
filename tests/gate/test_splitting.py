"""A value that is split over the events of one stream is masked as one, and events wait no longer than they must."""

import asyncio
import dataclasses
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gate.works import CARD, FullAfter, Works, result, token, tool

from holdfast import jsontext
from holdfast.call import Direction, parse_body
from holdfast.exchange import Head, Peer, Request
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.entries import Streams
from holdfast.masking.masker import Masker
from holdfast.masking.tails import tail_start
from holdfast.passage import Admission
from holdfast.running import spots_of
from holdfast.sse import Event
from holdfast.streams import EventStream
from holdfast.window import EVENTS_COUNT_MAX, KEYS_COUNT_MAX, Window, waiting_of

STARS = "*" * 12 + "1111"
STREAM = Head(200, (("content-type", "text/event-stream"),))
CHARS = 64


def block(message: Json, event_id: str | None = None) -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}data: ".encode() + jsontext.wire(message) + b"\n\n"


def progress(text: str, token: int | str = 1) -> JsonObject:
    params: JsonObject = {"progressToken": token, "progress": 1, "message": text}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def log(data: Json, logger: str = "sql") -> JsonObject:
    params: JsonObject = {"level": "info", "logger": logger, "data": data}
    return {"jsonrpc": "2.0", "method": "notifications/message", "params": params}


async def opened(works: Works) -> EventStream:
    stream = EventStream(works.gate, await works.admitted(tool("recalculate_scores")), works.screen)
    assert await stream.open(STREAM) is not None
    return stream


async def listening(works: Works) -> EventStream:
    headers = (("accept", "text/event-stream"), ("authorization", f"Bearer {token(works.clock)}"))
    admission = await works.gate.admit(Request("GET", "/mcp", headers, b"", Peer("192.0.2.1", 1)), works.screen)
    assert isinstance(admission, Admission)
    return EventStream(works.gate, admission, works.screen)


def texts(out: bytes | None) -> list[str]:
    """The texts of the notifications in ``out``."""
    assert out is not None
    found = []
    for line in out.decode().splitlines():
        if line.startswith("data: {"):
            params = json.loads(line[6:]).get("params", {})
            found.append(params.get("message", params.get("data")))
    return found


async def test_a_value_in_two_events_is_masked_where_it_begins_and_gone_where_it_goes_on(works: Works) -> None:
    stream = await opened(works)
    assert await stream.release([block(progress("her card is 4111 1111"))]) == b""
    out = await stream.release([block(progress(" 1111 1111, she says"))])
    assert texts(out) == [f"her card is {STARS}", ", she says"]
    assert b"4111" not in works.everything_written()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9])
async def test_a_value_in_many_events_is_masked_as_one(works: Works, size: int) -> None:
    stream = await opened(works)
    text = f"paid with {CARD} today"
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    out = [await stream.release([block(log(part))]) for part in parts]
    out.append(await stream.release_last([block(result("done"))]))
    said = "".join(text for some in out for text in texts(some) if text)
    assert "1111 1111" not in said
    assert said.startswith("paid with ")
    assert said.endswith(" today")
    assert sum(char.isdigit() for char in said) <= 3 + 4  # what went before it was a beginning, and the last four


async def test_values_of_two_loggers_do_not_mix(works: Works) -> None:
    stream = await opened(works)
    assert await stream.release([block(log("card 4111 1111", "a"))]) == b""
    assert await stream.release([block(log(" 9999 0000", "b"))]) == b""
    out = await stream.release([block(log(" 1111 1111", "a"))])
    assert texts(out) == [f"card {STARS}"]
    assert texts(await stream.release_last([])) == [" 9999 0000", ""]


async def test_a_word_in_the_event_before_is_context(works: Works) -> None:
    stream = await opened(works)
    out = await stream.release([block(log("his social security number is")), block(log("234456789"))])
    out = (out or b"") + (await stream.release_last([]) or b"")
    assert texts(out) == ["his social security number is", "<US_SSN>"]


async def test_an_event_that_ends_as_sentences_do_does_not_wait(works: Works) -> None:
    stream = await opened(works)
    for text in ("Reading files", "step 12 of 300", "done.", "50%", "state-of-the-art", ""):
        assert texts(await stream.release([block(progress(text))])) == [text]
    assert stream.wait_s() is None
    assert not stream.listens


async def test_an_event_goes_on_when_its_time_is_up_and_the_rest_of_the_value_is_masked_late(works: Works) -> None:
    stream = await opened(works)
    assert await stream.release([block(progress("mail bob.smith@exa"))]) == b""
    assert await stream.release_due() == b""
    wait_s = stream.wait_s()
    assert wait_s is not None
    works.clock.advance(wait_s)
    assert texts(await stream.release_due()) == ["mail bob.smith@exa"]
    assert stream.wait_s() is None
    (rest,) = texts(await stream.release_last([block(progress("mple.com now"))]))
    assert rest.startswith("<EMAIL_ADDRESS_")
    assert rest.endswith("> now")
    calls = [record for record in works.records() if record["typ"] == "call"][1:]
    assert [record.get("reason") for record in calls] == [
        None,
        "a value was split over messages: its beginning had gone before it was known",
    ]


async def test_what_is_behind_an_event_that_waits_waits_as_well(works: Works) -> None:
    stream = await opened(works)
    assert await stream.release([block(log("card 4111 1111"), "1"), block(progress("half done"), "2")]) == b""
    assert works.types() == ["call"]
    out = await stream.release([block(log(" 1111 1111."), "3")])
    assert out is not None
    assert [line for line in out.decode().splitlines() if line.startswith("id")] == ["id: 1", "id: 2", "id: 3"]
    assert works.types() == ["call"] * 4


async def test_a_reply_ends_the_waiting_and_comes_last(works: Works) -> None:
    stream = await opened(works)
    assert await stream.release([block(log("order 4711 0815"))]) == b""
    out = await stream.release([block(result("done"))])
    assert out is not None
    assert out.index(b"4711 0815") < out.index(b"done")
    assert works.types() == ["call", "call", "reply"]


async def test_the_end_of_the_stream_lets_go_what_waits(works: Works) -> None:
    stream = await listening(works)
    assert await stream.release([block(log("order 4711 0815"))]) == b""
    assert texts(await stream.release_last([])) == ["order 4711 0815"]


async def test_too_many_events_do_not_wait(works: Works) -> None:
    stream = await listening(works)
    assert await stream.release([block(log("order 4711 0815")), *[block(progress("x"))] * 10]) == b""
    out = await stream.release([block(progress("x"))] * EVENTS_COUNT_MAX)
    assert len(texts(out)) == EVENTS_COUNT_MAX + 11


async def test_what_waited_and_cannot_be_recorded_cuts_the_stream(works: Works) -> None:
    admission = await works.admitted(tool("recalculate_scores"))
    stream = EventStream(works.with_(ledger=FullAfter(works.ledger, 0)).gate, admission, works.screen)
    assert await stream.release([block(log("card 4111 1111"))]) == b""
    assert await stream.release_last([]) is None


async def test_a_mask_that_does_not_travel_is_kept_across_events(works: Works) -> None:
    stream = await opened(works)
    out = await stream.release([block(log("host 10.20.30."))])
    out = (out or b"") + (await stream.release_last([block(log("40 is up"))]) or b"")
    assert texts(out) == ["host 10.20.30.", "40 is up"]
    assert b"30." not in b"".join(works.screen.replies)
    assert b"<IP_ADDRESS" in b"".join(works.screen.replies)


async def test_nothing_waits_where_the_rules_say_so(works: Works) -> None:
    masking = dataclasses.replace(works.force.rules.masking, streams=Streams(0, CHARS))
    rules = dataclasses.replace(works.force.rules, masking=masking)
    works.force = dataclasses.replace(works.force, rules=rules)
    stream = await opened(works)
    assert texts(await stream.release([block(log("card 4111 1111"))])) == ["card 4111 1111"]
    assert texts(await stream.release([block(log(" 1111 1111."))])) == ["****1111."]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_split_value_is_masked_in_all_that_goes(masker: Masker, data: st.DataObject) -> None:
    """The window and the masker alone: whatever the cuts, what is kept and what travels shows no value."""
    value = data.draw(st.sampled_from([CARD, "234-45-6789", "DE89370400440532013000", "(212) 555-2368"]))
    text = f"she said: {value} . It was noted"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=12)))
    parts = [text[start:end] for start, end in itertools.pairwise([0, *cuts, len(text)])]

    def is_found(path: str, text: str, start: int) -> bool:
        return masker.is_found(path, text, start, Direction.TO_CLIENT, server="crm")

    window = Window(CHARS, is_found)
    forward: list[str] = []
    kept: list[str] = []

    def let_go(count: int) -> None:
        for _ in range(count):
            one = window.take()
            for spot in one.all_spots:
                beside = window.beside(spot)
                seam = asyncio.run(masker.seam(spot.path, spot.text, beside, Direction.TO_CLIENT, server="crm"))
                window.remember(spot, seam.next)
                forward.append(str(masker.keep_json(seam.forward)))
                kept.append(str(masker.keep_json(seam.kept)))

    for part in parts:
        window.add(waiting_of(Event(jsontext.wire(log(part)).decode()), 1))
        let_go(window.ready(0))
    let_go(window.count)
    squeezed = "".join(char for char in value if char.isalnum())
    for out in ("".join(forward), "".join(kept)):
        shown = "".join(char for char in out if char.isalnum())
        assert squeezed[3:-4] not in shown, (parts, out)
        assert out.startswith("she said: ")
        assert out.endswith(". It was noted")


TAILS = {
    "card 4111 11": " 4111 11",
    "call +1 (212) 5": "+1 (212) 5",
    "mail bob.smith@exa": "bob.smith@exa",
    "iban DE89 3704": "DE89 3704",
    "password: hun": "hun",
    "key AKIAIOSF": "AKIAIOSF",
    "use sk-proj-": "sk-proj-",
    "got eyJhbGci": "eyJhbGci",
    "at %34%31%31%31": "%34%31%31%31",
    "\uff14\uff11\uff11\uff11": "\uff14\uff11\uff11\uff11",
    "-----BEGIN RSA PRIV": "-----BEGIN RSA PRIV",
}


@pytest.mark.parametrize("text", TAILS)
def test_what_may_be_the_beginning_of_a_value_is_taken_for_one(text: str) -> None:
    assert text[tail_start(text, CHARS) :].strip() == TAILS[text].strip()


def test_running_texts_are_found_by_their_names_and_told_apart_by_what_they_are_about() -> None:
    def keys(message: Json) -> set[tuple[str, ...]]:
        return {
            spot.key
            for one in parse_body(jsontext.wire(message), Direction.TO_CLIENT).messages
            for spot in spots_of(one)
        }

    assert keys(progress("x", 1)) != keys(progress("x", "1"))
    assert keys(log("x", "a")) != keys(log("x", "b"))
    assert len(keys(log({"msg": "x", "ts": "2026", "rows": [{"text": "y"}], "content": [{"text": "z"}]}))) == 2
    assert keys(result("x")) == keys({"jsonrpc": "2.0", "id": 9, "method": "ping", "params": {"message": "x"}}) == set()


def test_of_many_texts_that_run_at_once_the_oldest_are_forgotten() -> None:
    window = Window(CHARS, lambda path, text, start: False)
    for index in range(KEYS_COUNT_MAX + 5):
        window.add(waiting_of(Event(jsontext.wire(log("x", str(index))).decode()), 0))
        (spot,) = window.take().all_spots
        window.remember(spot, window.beside(spot))
    assert len(window._gone) == KEYS_COUNT_MAX
