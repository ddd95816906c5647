import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.ledgers import call, heartbeat, used_call

from holdfast.errors import LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft, Payload, Receipt
from holdfast.ledger.opening import Head, Previous
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.wire import Frame

AT = dt.datetime(2026, 11, 22, 18, 0, 0, 5, tzinfo=dt.UTC)


@given(
    headers=st.lists(st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3), max_size=5),
    payload=st.binary(max_size=40),
    cut=st.integers(1, 7),
)
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(
    headers: list[JsonObject], payload: bytes, cut: int
) -> None:
    data = b"".join(wire.encode(header, payload) for header in headers)
    splitter = wire.Splitter()
    found = [frame for at in range(0, len(data), cut) for frame in splitter.feed(data[at : at + cut])]
    assert found == [Frame(header, payload) for header in headers]
    assert splitter.waiting_bytes == 0


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_an_error(data: bytes) -> None:
    splitter = wire.Splitter()
    try:
        frames = splitter.feed(data)
    except LedgerError:
        return
    assert splitter.waiting_bytes + sum(8 + len(frame.payload) for frame in frames) <= len(data)


@pytest.mark.parametrize(
    "prefix",
    [bytes(3) + b"\x00\xff\xff\xff\xff", b"\x00\x40\x00\x01" + bytes(4), b"\xff" * 8, bytes(4) + b"\x04\0\0\1"],
)
def test_a_frame_that_is_too_long_is_refused_before_a_byte_of_it_came(prefix: bytes) -> None:
    with pytest.raises(LedgerError, match="longer than permitted"):
        wire.Splitter().feed(prefix)


@pytest.mark.parametrize(
    "header", [b"", b"[]", b"7", b'{"id":1,"id":2}', b'{"id":NaN}', b"\xff", b"[" * 100_000, b"{} x"]
)
def test_a_header_that_is_no_strict_json_object_is_refused(header: bytes) -> None:
    with pytest.raises(LedgerError, match="header"):
        wire.Splitter().feed(len(header).to_bytes(4) + bytes(4) + header)


def test_a_frame_longer_than_permitted_is_not_sent() -> None:
    with pytest.raises(LedgerError, match="longer than the ledger's socket takes"):
        wire.encode({}, bytes(wire.PAYLOAD_BYTES_MAX + 1))
    with pytest.raises(LedgerError, match="longer"):
        wire.encode({"a": "x" * wire.HEADER_BYTES_MAX})


def test_a_text_without_a_utf8_form_is_not_sent() -> None:
    with pytest.raises(LedgerError, match="no UTF-8 form"):
        wire.encode({"a": "\ud800"})


def test_drafts_come_out_as_they_went_in() -> None:
    two = Draft("reply", {"ref": [1]}, {"res": Payload("a/b", b"one"), "view": Payload("c/d", b"")})
    drafts = (call("first"), heartbeat(), two, used_call("hold-1", 3))
    listed, payload = wire.drafts_out(drafts)
    assert payload == b"firstone"
    assert wire.drafts_in(listed, payload) == drafts


@pytest.mark.parametrize(
    ("listed", "payload"),
    [
        ("x", b""),
        ([7], b""),
        ([{"typ": "call", "body": {}, "payloads": []}], b""),
        ([{"typ": "call", "body": {}, "payloads": [], "use": None, "more": 1}], b""),
        ([{"typ": "call", "body": {}, "payloads": [["req", "a/b", 3]], "use": None}], b"ab"),
        ([{"typ": "call", "body": {}, "payloads": [["req", "a/b", 1]], "use": None}], b"ab"),
        ([{"typ": "call", "body": {}, "payloads": [["req", "a/b", -1]], "use": None}], b""),
        ([{"typ": "call", "body": {}, "payloads": [["req", "a", 1], ["req", "a", 1]], "use": None}], b"ab"),
        ([{"typ": "call", "body": {}, "payloads": [], "use": ["x", True]}], b""),
        ([{"typ": "call", "body": {}, "payloads": [], "use": 4}], b""),
    ],
)
def test_drafts_of_another_form_are_refused(listed: Json, payload: bytes) -> None:
    with pytest.raises(LedgerError, match="drafts"):
        wire.drafts_in(listed, payload)


def test_receipts_heads_and_previous_come_out_as_they_went_in() -> None:
    receipts = (Receipt(3, "id", "ab" * 32, AT), Receipt(4, "id", "cd" * 32, AT))
    assert wire.receipts_in(wire.receipts_out(receipts)) == receipts
    head = Head(9, b"\x01" * 32, "a note\n")
    assert wire.head_in(wire.head_out(head)) == head
    for last_at in (None, AT):
        previous = Previous(9, "ab" * 32, clean=False, last_at=last_at)
        assert wire.previous_in(wire.previous_out(previous)) == previous


@pytest.mark.parametrize(
    "value", [None, 7, [[1, "id", "short", "t"]], [[1, "id", "ab" * 32, "yesterday"]], {"size": -1}]
)
def test_an_answer_of_another_form_is_an_error(value: Json) -> None:
    for read in (wire.receipts_in, wire.head_in, wire.previous_in):
        with pytest.raises(LedgerError):
            read(value)
