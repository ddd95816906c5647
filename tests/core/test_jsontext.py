"""Strict JSON: what two readers could read differently is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import jsontext
from holdfast.jsontext import Json, JsonError

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES: st.SearchStrategy[Json] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not JSON"),
        (b'{"a":1', "not JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b'\xef\xbb\xbf{"a":1}', "byte order mark"),
        (b'{"a":1,"a":2}', "same member twice"),
        (b'{"o":{"a":1,"\\u0061":2}}', "same member twice"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"1e999", "too large"),
        (b"9" * 5000, "digits"),
        (b"-1" + b"0" * 308, "digits"),
        (b'"\\ud800"', "lone surrogate"),
        (b'{"\\udfff":1}', "lone surrogate"),
        (b"[" * 65 + b"]" * 65, "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 100_000, "nested deeper"),
        (b"'a'", "not JSON"),
        (b'{"a":1}{"b":2}', "not JSON"),
        (b'"\x00"', "not JSON"),
    ],
)
def test_what_readers_could_read_differently_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(JsonError, match=problem):
        jsontext.parse(data)


def test_a_refusal_never_quotes_the_text() -> None:
    with pytest.raises(JsonError) as caught:
        jsontext.parse(b'{"card": 4111111111111111 oops}')
    assert "4111" not in str(caught.value)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert jsontext.parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@given(_VALUES)
def test_what_is_written_reads_back_the_same(value: Json) -> None:
    for spelling in (jsontext.wire(value), jsontext.canonical(value)):
        assert json.dumps(jsontext.parse(spelling), sort_keys=True) == json.dumps(value, sort_keys=True)


@given(_VALUES)
def test_canonical_text_has_one_spelling(value: Json) -> None:
    assert jsontext.canonical(jsontext.parse(jsontext.wire(value))) == jsontext.canonical(value)


@given(st.binary(max_size=300))
def test_any_bytes_are_json_or_a_json_error(data: bytes) -> None:
    try:
        jsontext.parse(data)
    except JsonError:
        return


def test_every_number_that_is_read_is_one_for_javascript_too() -> None:
    largest = b"9" * jsontext.INT_DIGITS_MAX
    assert (
        jsontext.wire(jsontext.parse(b"[" + largest + b",-" + largest + b"]"))
        == b"[" + largest + b",-" + largest + b"]"
    )
    assert float(largest) < float("inf")


def test_large_integers_keep_every_digit() -> None:
    assert jsontext.wire(jsontext.parse(b"[12345678901234567890123]")) == b"[12345678901234567890123]"
