"""Event streams: whatever the chunking, the same events; whatever the event, the same back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import Refused
from holdfast.sse import EVENT_BYTES_MAX, Event, Splitter, format_event, parse_event

_TEXTS = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20)
_EVENTS = st.builds(
    Event,
    data=st.none() | st.lists(_TEXTS, min_size=1, max_size=3).map("\n".join),
    name=st.none() | _TEXTS,
    id=st.none() | _TEXTS,
    retry_ms=st.none() | st.integers(0, 100_000),
)


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


@given(st.lists(_EVENTS.filter(lambda event: not event.is_empty), max_size=5), st.lists(st.integers(1, 9), max_size=40))
def test_events_survive_any_chunking(events: list[Event], sizes: list[int]) -> None:
    splitter = Splitter()
    blocks = [block for piece in _cut(b"".join(map(format_event, events)), sizes) for block in splitter.feed(piece)]
    assert [parse_event(block) for block in blocks] == events


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_line_end_ends_a_line_in_any_chunking(end: bytes, size: int) -> None:
    text = b"data: a" + end + b"data: b" + end * 2 + b"data: c" + end * 2
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    splitter = Splitter()
    blocks = [block for piece in [*pieces, b"data: next"] for block in splitter.feed(piece)]
    assert [parse_event(block).data for block in blocks if not parse_event(block).is_empty] == ["a\nb", "c"]


def test_a_tail_without_a_blank_line_is_no_event() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: half\n") == []


def test_comments_and_unknown_fields_do_not_travel() -> None:
    event = parse_event(b": a secret comment\nnote: another\ndata: x\n\n")
    assert format_event(event) == b"data: x\n\n"


def test_a_block_of_comments_alone_becomes_nothing() -> None:
    assert parse_event(b": ping\n\n").is_empty


def test_a_priming_event_keeps_its_id_and_empty_data() -> None:
    event = parse_event(b"id: 7\ndata:\nretry: 1500\n\n")
    assert event == Event("", None, "7", 1500)
    assert parse_event(format_event(event)) == event


def test_an_event_without_end_is_cut_off_at_its_limit() -> None:
    splitter = Splitter()
    splitter.feed(b"data: " + b"a" * (EVENT_BYTES_MAX - 6))
    with pytest.raises(Refused, match="more than"):
        splitter.feed(b"a")


@pytest.mark.parametrize("block", [b"data: \xff\n\n", b"id: " + b"i" * 1025 + b"\n\n"])
def test_what_cannot_be_vouched_for_is_refused(block: bytes) -> None:
    with pytest.raises(Refused):
        parse_event(block)


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_any_bytes_are_events_or_refused(pieces: list[bytes]) -> None:
    splitter = Splitter()
    for piece in pieces:
        for block in splitter.feed(piece):
            try:
                event = parse_event(block)
            except Refused:
                continue
            assert parse_event(format_event(event)) == event or event.is_empty


def test_a_stream_that_ends_in_two_crs_keeps_its_last_event() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: a\r\rdata: b\r\r") == [b"data: a\r\r"]
    assert splitter.finish() == [b"data: b\r\r"]
    assert splitter.finish() == []


@pytest.mark.parametrize("tail", [b"data: half", b"data: half\n", b"data: half\r", b""])
def test_a_tail_is_no_event_at_the_end_either(tail: bytes) -> None:
    splitter = Splitter()
    splitter.feed(tail)
    assert splitter.finish() == []


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_byte_order_mark_is_passed_over_at_the_start_of_a_stream_alone(size: int) -> None:
    text = b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n"
    splitter = Splitter()
    blocks = [block for at in range(0, len(text), size) for block in splitter.feed(text[at : at + size])]
    assert [parse_event(block).data for block in blocks] == ["a", None]
