"""Streamed replies: values split over deltas are masked, parts are recorded before they go, failures cut the stream."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gate.works import FullAfter, Works
from tests.llm.bodies import (
    CARD,
    MAIL,
    PROSE,
    STARS,
    chat,
    chat_stream,
    chat_tool_stream,
    chunk,
    message,
    message_stream,
    message_tool_stream,
    response,
    response_stream,
    sse,
)
from tests.llm.talk import (
    admitted,
    chat_text,
    data_of,
    message_text,
    opened,
    response_text,
    streamed,
    through,
)

from holdfast.sse import Event

type Blocks = Callable[[list[str]], list[bytes]]
type Read = Callable[[list[Event]], str]

STREAMS: dict[str, tuple[Any, Blocks, Read]] = {
    "/v1/chat/completions": (chat, chat_stream, chat_text),
    "/v1/responses": (response, response_stream, response_text),
    "/v1/messages": (message, message_stream, message_text),
}
TEXT = f"{PROSE * 4}The card is {CARD} and the mail {MAIL}. {PROSE * 4}"
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
MASKED = TEXT.replace(CARD, STARS)


def masked(text: str) -> str:
    """``text`` with its mail address as the gate masks it, whatever the pseudonym."""
    return "<EMAIL_ADDRESS".join(
        part.partition(">")[2] if i else part for i, part in enumerate(text.split("<EMAIL_ADDRESS"))
    )


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("at_once", [1, 7, 10_000])
async def test_a_value_split_over_deltas_is_masked(works: Works, path: str, at_once: int) -> None:
    ask, blocks, read = STREAMS[path]
    admission = await admitted(works, path, ask("hello", stream=True))
    events = await streamed(works, admission, blocks(list(TEXT)), at_once=at_once)
    assert CARD not in read(events)
    assert MAIL not in read(events)
    assert masked(read(events)) == MASKED.replace(MAIL, "<EMAIL_ADDRESS")
    assert not any(CARD in (event.data or "") or MAIL in (event.data or "") for event in events)
    assert CARD.encode() not in works.everything_written()
    assert MAIL.encode() not in works.everything_written()


@pytest.mark.parametrize("path", STREAMS)
async def test_a_card_is_masked_at_every_place_where_it_can_be_split(works: Works, path: str) -> None:
    ask, blocks, read = STREAMS[path]
    start = TEXT.index(CARD)
    for at in range(start, start + len(CARD) + 1):
        admission = await admitted(works, path, ask("hello", stream=True))
        events = await streamed(works, admission, blocks([TEXT[:at], TEXT[at:]]), at_once=3)
        assert masked(read(events)) == MASKED.replace(MAIL, "<EMAIL_ADDRESS")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, len(TEXT)), max_size=40), st.sampled_from(sorted(STREAMS)), st.integers(1, 20))
async def test_text_in_any_deltas_and_any_batches_comes_out_the_same(
    works: Works, cuts: list[int], path: str, at_once: int
) -> None:
    ask, blocks, read = STREAMS[path]
    places = [0, *sorted(cuts), len(TEXT)]
    parts = [TEXT[start:end] for start, end in itertools.pairwise(places)]
    events = await streamed(works, await admitted(works, path, ask("x", stream=True)), blocks(parts), at_once=at_once)
    assert masked(read(events)) == MASKED.replace(MAIL, "<EMAIL_ADDRESS")


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_is_one_call_with_parts_and_one_reply(works: Works, path: str) -> None:
    ask, blocks, read = STREAMS[path]
    admission = await admitted(works, path, ask("hello", stream=True))
    events = await streamed(works, admission, blocks([word + " " for word in TEXT.split(" ")]))
    call, *parts, reply = works.records()
    assert (call["typ"], reply["typ"]) == ("call", "reply")
    assert {part["typ"] for part in parts} == {"reply.part"}
    assert all(part["ref"] == [call["n"]] and part["call"] == call["call"] for part in parts)
    assert len(parts) < 25, "one Record for every token"
    assert reply["mask"]["counts"] == {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1}  # type: ignore[index, call-overload] # as written
    assert works.screen.replies
    assert read(events)


async def test_nothing_goes_before_its_record_is_durable(works: Works) -> None:
    works.with_(ledger=FullAfter(works.ledger, 3))
    stream = await opened(works, await admitted(works, "/v1/messages", message("x", stream=True)))
    out = [await stream.release([block]) for block in message_stream([PROSE] * 20)]
    assert out.count(None) >= 1
    first = out.index(None)
    assert b"message_stop" not in b"".join(part for part in out[:first] if part)
    assert works.types() == ["call", "reply.part", "reply.part"]


@pytest.mark.parametrize("path", STREAMS)
async def test_a_reply_that_cannot_be_recorded_does_not_end(works: Works, path: str) -> None:
    ask, blocks, _ = STREAMS[path]
    admission = await admitted(works, path, ask("x", stream=True))
    works.with_(ledger=FullAfter(works.ledger, 0))
    stream = await opened(works, admission)
    assert await stream.release(blocks(["short"])) is None


async def test_the_whole_reply_is_kept_as_if_it_had_come_in_one(works: Works) -> None:
    for path, (ask, blocks, _) in STREAMS.items():
        await streamed(works, await admitted(works, path, ask("x", stream=True)), blocks(list(TEXT)))
    replies = [json.loads(text) for text in works.screen.replies if b"message_delta" not in text]
    whole = [reply for reply in replies if isinstance(reply, dict)]
    chat_whole, response_whole, message_whole = whole
    assert masked(chat_whole["choices"][0]["message"]["content"]) == MASKED.replace(MAIL, "<EMAIL_ADDRESS")
    assert chat_whole["choices"][0]["finish_reason"] == "stop"
    assert chat_whole["usage"]["total_tokens"] == 21
    assert masked(response_whole["output"][0]["content"][0]["text"]) == MASKED.replace(MAIL, "<EMAIL_ADDRESS")
    assert masked(message_whole["content"][1]["text"]) == MASKED.replace(MAIL, "<EMAIL_ADDRESS")
    assert message_whole["content"][0]["signature"] == "c2lnbmVk"
    assert message_whole["stop_reason"] == "end_turn"


async def test_the_arguments_of_a_streamed_tool_call_are_masked_by_their_keys(works: Works) -> None:
    arguments = json.dumps({"password": "correct horse", "card": CARD, "note": "x" * 400})
    admission = await admitted(works, "/v1/chat/completions", chat("x", stream=True))
    events = await streamed(works, admission, chat_tool_stream(list(arguments)))
    calls = [call for data in data_of(events) for call in data["choices"][0]["delta"].get("tool_calls", [])]
    assert calls[0]["function"]["name"] == "pay"
    whole = json.loads("".join(call["function"].get("arguments", "") for call in calls))
    assert whole == {"password": "<PASSWORD>", "card": STARS, "note": "x" * 400}
    admission = await admitted(works, "/v1/messages", message("x", stream=True))
    events = await streamed(works, admission, message_tool_stream(list(arguments)))
    assert json.loads(message_text(events, "partial_json")) == whole
    assert b"correct horse" not in works.everything_written()


async def test_thinking_is_masked_and_its_signature_travels(works: Works) -> None:
    admission = await admitted(works, "/v1/messages", message("x", stream=True))
    events = await streamed(works, admission, message_stream(["done"], thinking=list(TEXT)))
    assert CARD not in message_text(events, "thinking")
    assert message_text(events, "signature") == "c2lnbmVk"
    assert message_text(events) == "done"


async def test_several_choices_are_held_back_each_for_itself(works: Works) -> None:
    blocks = [chunk({"role": "assistant", "content": ""}, index=index) for index in (0, 1)]
    for char in TEXT:
        blocks += [chunk({"content": char}, index=index) for index in (0, 1)]
    blocks += [chunk({}, "stop", index=index) for index in (0, 1)] + [sse("[DONE]")]
    admission = await admitted(works, "/v1/chat/completions", chat("x", n=2, stream=True))
    events = await streamed(works, admission, blocks, at_once=5)
    for index in (0, 1):
        own = [data for data in data_of(events) if data["choices"][0]["index"] == index]
        text = "".join(data["choices"][0]["delta"].get("content") or "" for data in own)
        assert masked(text) == MASKED.replace(MAIL, "<EMAIL_ADDRESS")
        assert own[-1]["choices"][0]["finish_reason"] == "stop"


async def test_events_are_numbered_anew_without_gaps(works: Works) -> None:
    admission = await admitted(works, "/v1/responses", response("x", stream=True))
    events = await streamed(works, admission, response_stream(list(TEXT)))
    assert [data["sequence_number"] for data in data_of(events)] == list(range(len(events)))
    whole = data_of(events)[-1]["response"]["output"][0]["content"][0]["text"]
    assert whole == response_text(events)
    done = next(data for data in data_of(events) if data["type"] == "response.output_text.done")
    assert done["text"] == whole


async def test_a_ping_needs_no_record_and_says_nothing_of_the_servers(works: Works) -> None:
    stream = await opened(works, await admitted(works, "/v1/messages", message("x", stream=True)))
    assert await stream.release([sse({"type": "ping", "note": CARD}, "ping")]) == PING
    assert await stream.release([f": {CARD}\n\n".encode()]) == b": keep-alive\n\n"
    assert works.types() == ["call"]


@pytest.mark.parametrize("path", STREAMS)
async def test_an_error_in_the_middle_passes_masked_and_ends_the_call(works: Works, path: str) -> None:
    ask, blocks, _ = STREAMS[path]
    error = {"type": "error", "error": {"type": "overloaded_error", "message": f"busy with {CARD}"}}
    name = None if path == "/v1/chat/completions" else "error"
    admission = await admitted(works, path, ask("x", stream=True))
    events = await streamed(works, admission, [*blocks(["a"])[:3], sse(error, name)])
    assert data_of(events)[-1]["error"]["message"] == f"busy with {STARS}"
    assert works.types()[-1] == "reply"
    assert works.records()[-1]["out"]["ok"] is False  # type: ignore[index, call-overload] # as written


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_that_breaks_off_is_a_lost_call(works: Works, path: str) -> None:
    ask, blocks, read = STREAMS[path]
    stream = await opened(works, await admitted(works, path, ask("x", stream=True)))
    events = await through(stream, blocks([f"my card is {CARD}"])[:-3])
    await stream.close("the server failed in the middle of a stream")
    assert CARD not in read(events)
    assert works.types()[-1] == "call.lost"


LOOSE: list[tuple[str, bytes]] = [
    ("/v1/chat/completions", sse("no json")),
    ("/v1/chat/completions", sse([1])),
    ("/v1/chat/completions", sse({"choices": [{"index": -1, "delta": {"content": CARD}}]})),
    ("/v1/chat/completions", sse({"choices": {"delta": CARD}})),
    ("/v1/chat/completions", sse({"choices": [{"index": 0, "delta": [CARD]}]})),
    ("/v1/messages", sse({"type": "content_block_delta", "index": 7, "delta": {"text": CARD}}, "content_block_delta")),
    ("/v1/messages", sse({"type": "message_start", "message": CARD}, "message_start")),
    ("/v1/messages", sse({"type": "message_stop"}, "another_name")),
    ("/v1/messages", sse({"text": CARD})),
    ("/v1/responses", sse({"type": "response.output_text.delta", "output_index": [1], "delta": CARD})),
    ("/v1/responses", sse("[DONE]")),
    ("/v1/responses", b"data: \xff\n\n"),
]


@pytest.mark.parametrize(("path", "block"), LOOSE)
async def test_an_event_that_the_api_does_not_have_cuts_the_stream(works: Works, path: str, block: bytes) -> None:
    stream = await opened(works, await admitted(works, path, STREAMS[path][0]("x", stream=True)))
    assert await stream.release([block]) is None


@pytest.mark.parametrize("path", STREAMS)
async def test_nothing_comes_after_the_last_event(works: Works, path: str) -> None:
    ask, blocks, _ = STREAMS[path]
    stream = await opened(works, await admitted(works, path, ask("x", stream=True)))
    assert await stream.release(blocks(["a"]))
    assert await stream.release([blocks(["more"])[0]]) is None
    assert works.types().count("reply") == 1


async def test_unknown_events_are_masked_as_they_stand(works: Works) -> None:
    admission = await admitted(works, "/v1/responses", response("x", stream=True))
    told = {"type": "response.next_year.delta", "item_id": "i", "delta": CARD[:10]}
    more = {**told, "delta": CARD[10:]}
    end = {"type": "response.next_year.done", "item_id": "i", "whole": CARD}
    blocks = [sse(one, one["type"]) for one in (told, more, end)]
    events = await streamed(works, admission, [*blocks, *response_stream(["x"])])
    deltas = [data["delta"] for data in data_of(events) if data["type"] == "response.next_year.delta"]
    assert deltas == [STARS]
    assert CARD not in "".join(event.data or "" for event in events)


async def test_a_count_of_tokens_has_no_stream(works: Works) -> None:
    from holdfast.exchange import Head  # noqa: PLC0415 -- once
    from holdfast.llm.stream import LlmStream  # noqa: PLC0415 -- once

    admission = await admitted(works, "/v1/messages/count_tokens", message("x"))
    head = Head(200, (("content-type", "text/event-stream"),))
    assert await LlmStream(works.gate, admission, works.screen).open(head) is None
