"""What is read and written by a shorter way comes out as by the long one."""

import base64
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.conftest import Day
from tests.evidence.forge import lines, payload_lines, unpack

from holdfast.clock import utc_parse, utc_text
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files import payloads
from holdfast.evidence.files.entry import parse_entry
from holdfast.evidence.files.times import parse_time, time_text
from holdfast.jsontext import Json, canonical, parse
from holdfast.ledger import record

TIMES = st.datetimes(timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=30))]))


@given(TIMES.filter(lambda at: dt.MINYEAR < at.year < dt.MAXYEAR))
def test_a_time_is_written_as_ever(at: dt.datetime) -> None:
    assert time_text(at) == utc_text(at)


@given(st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{6}Z\Z"))
def test_a_time_is_read_as_ever_or_not_at_all(text: str) -> None:
    try:
        at = utc_parse(text)
    except ValueError:
        with pytest.raises(ValueError):
            parse_time(text)
    else:
        assert (parse_time(text), parse_time(text).tzinfo) == (at, dt.UTC)


def test_midnight_has_one_spelling() -> None:
    with pytest.raises(ValueError, match="does not match"):
        parse_time("2026-11-22T24:00:00.000000Z")


def utc_or_none(text: str) -> dt.datetime | None:
    try:
        return utc_parse(text)
    except ValueError:
        return None


@given(st.data())
def test_a_changed_record_is_read_as_the_strict_decoder_reads_it(day: Day, data: st.DataObject) -> None:
    entries = lines(unpack(day.package))
    index = data.draw(st.integers(0, len(entries) - 1))
    line = bytearray(entries[index])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        body = record.decode(bytes(line))
        calls_itself = f"record {index}: it calls itself record {body['n']}"
        expected = None if body["n"] == index else calls_itself
    except LedgerError as error:
        body, expected = {}, f"record {index}: {error}"
    if body and utc_or_none(str(body["ts"])) is None:
        expected = f"record {index}: ts: no such time"
    if expected is not None:
        with pytest.raises(EvidenceError) as raised:
            parse_entry(index, bytes(line))
        assert str(raised.value) == expected
        return
    assert parse_entry(index, bytes(line)).body == body


@given(st.data())
def test_a_changed_payload_line_is_read_as_the_strict_parser_reads_it(day: Day, data: st.DataObject) -> None:
    all_lines = payload_lines(unpack(day.package))
    line = bytearray(all_lines[data.draw(st.integers(0, len(all_lines) - 1))])
    commitment = str(parse(bytes(line))["c"])  # type: ignore[call-overload,index] # a line is an object
    at = data.draw(st.integers(0, len(line) - 1))
    line[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    found = payloads._read(bytes(line), commitment)
    try:
        expected = payloads._parse(bytes(line), commitment)
    except EvidenceError:
        assert found is None
        return
    if found is not None:
        assert found == expected


@given(st.text(), st.text(), st.binary())
def test_a_payload_line_is_canonical_json(commitment: str, content_type: str, raw: bytes) -> None:
    try:
        read: dict[str, Json] = {"text": raw.decode()}
    except UnicodeDecodeError:
        read = {"base64": base64.b64encode(raw).decode()}
    body: dict[str, Json] = {"c": commitment, "ct": content_type, "key": "AAAA", **read}
    assert payloads.as_line(commitment, payloads.Opened(content_type, bytes(3), raw)) == canonical(body)
