"""JSON in texts: objects in a row, numbers that stay what they were, names that are values, resources by MIME type."""

import base64
import json
from typing import Any

import pytest
from tests.masking.test_protocol_positions import EMAIL, PAN, SSN, STARS, at, mask, text_of

from holdfast import jsontext
from holdfast.call import Direction, parse_body
from holdfast.errors import Refused
from holdfast.jsontext import Json, JsonError
from holdfast.masking.masker import Masker

ROWS: list[Json] = [
    {"ssn": 234456789},
    {"card_number": 4111111111111112, "note": "second"},
    {"customer": {"name": "Ada Lovelace"}},
    {"name": "ssn", "value": "078051120"},
    {"phone": 2125552368},
    {"password": 'a"b\\c'},
    {"user": {"first_name": "Ada"}, "mail": EMAIL},
]


async def kept(masker: Masker, text: str) -> str:
    masked = await mask(masker, {"id": 1, "result": {"content": [{"type": "text", "text": text}]}})
    return str(at(masked.keep, "result", "content", 0, "text"))


async def forwarded(masker: Masker, text: str) -> str:
    masked = await mask(masker, {"id": 1, "result": {"content": [{"type": "text", "text": text}]}})
    return str(at(masked.forward, "result", "content", 0, "text"))


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n\n", " ", "", "\n  \n"])
async def test_objects_in_a_row_are_masked_as_each_is_by_itself(masker: Masker, between: str) -> None:
    lines = [json.dumps(row) for row in ROWS]
    assert await kept(masker, between.join(lines)) == between.join([await kept(masker, line) for line in lines])
    assert await kept(masker, f"\n {between.join(lines)}\n") == f"\n {await kept(masker, between.join(lines))}\n"


async def test_each_line_is_json_still_and_what_nobody_masks_is_not_rewritten(masker: Masker) -> None:
    lines = ['{ "a" :  [1,2 ] }', '{"ssn":234456789}', '{"n": 1.10e+3, "ssn": "234-45-6789"}', "[ ]"]
    said = (await forwarded(masker, "\n".join(lines))).split("\n")
    assert said[0] == lines[0]
    assert said[1] == '{"ssn":0}'
    assert json.loads(said[2]) == {"n": 1100.0, "ssn": "<US_SSN>"}
    assert said[3] == lines[3]


async def test_rows_in_a_row_have_the_columns_of_the_first(masker: Masker) -> None:
    text = '["name", "ssn"]\n["x", "234456789"]\n["y", "078051120"]\n'
    assert await kept(masker, text) == text.replace("234456789", "<US_SSN>").replace("078051120", "<US_SSN>")


async def test_a_finding_says_in_which_line_it_is(masker: Masker) -> None:
    text = f'{{"a": 1}}\n{{"note": "{SSN}"}}'
    masked = await mask(masker, {"id": 1, "result": {"x": text}})
    assert [finding.path for finding in masked.findings] == ["/result/x/1/note"]


@pytest.mark.parametrize(
    "text",
    [f'{{"a": 1}}\n{SSN}', f'{{"a": 1}}\n{{"b": "{SSN}"', f'{{"a": 1}} {{"a": 1, "a": "{SSN}"}}', f'[1]\n"{SSN}"'],
)
async def test_what_is_not_json_to_its_end_is_a_text(masker: Masker, text: str) -> None:
    assert await kept(masker, text) == text.replace(SSN, "<US_SSN>")


async def test_a_message_is_no_row_of_messages() -> None:
    line = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    with pytest.raises(Refused):
        parse_body(line + b"\n" + line, Direction.TO_SERVER)


def test_a_sequence_is_objects_and_arrays_with_blanks_between() -> None:
    assert jsontext.parse_sequence(' {"a":1}\n[2]\t') == [(1, 8, {"a": 1}), (9, 12, [2])]
    assert jsontext.parse_sequence("") == []
    for text in (
        "1",
        "{} 1",
        '{"a":1,"a":2}',
        "[NaN]",
        "[" * 70 + "]" * 70,
        "[" * 100_000,
        "{}\u00a0{}",
        '["\\ud800"]',
    ):
        with pytest.raises(JsonError):
            jsontext.parse_sequence(text)


NUMBERS: list[Any] = [
    0,
    -1,
    12345678901234567890123,
    2**53 + 1,
    -(2**63),
    1732300000123,
    0.1,
    -0.25,
    1e-7,
    6.02214076e23,
    1e22,
    123456789.125,
    19.99,
]


@pytest.mark.parametrize("value", NUMBERS)
async def test_numbers_beside_a_masked_value_are_the_same_numbers(masker: Masker, value: float) -> None:
    row: Json = {"n": value, "list": [value], "ssn": SSN}
    expected = {"n": value, "list": [value], "ssn": "<US_SSN>"}
    masked = await mask(masker, {"id": 1, "result": {"structuredContent": row}})
    said = json.loads(text_of(masked.forward))["result"]["structuredContent"]
    assert said == expected
    assert isinstance(said["n"], type(value))
    inner = json.loads(await forwarded(masker, json.dumps(row)))
    assert inner == expected
    assert isinstance(inner["n"], type(value))


@pytest.mark.parametrize("spelt", ["1E5", "1.0", "1e+2", "-0.0", "100000000000000000000000000"])
async def test_a_number_keeps_its_spelling_where_nothing_beside_it_is_masked(masker: Masker, spelt: str) -> None:
    text = f'{{"n": {spelt}, "note": "nothing"}}'
    assert await forwarded(masker, text) == text


@pytest.mark.parametrize(
    "spelt", ["4111111111111111", "-4111111111111111", "4111111111111111.0", "4.111111111111111e15"]
)
async def test_a_masked_number_in_a_text_stays_a_number(masker: Masker, spelt: str) -> None:
    said = json.loads(await forwarded(masker, f'{{"n": {spelt}, "m": 7}}'))
    assert said == {"n": 0, "m": 7}
    assert "4111111111" not in await kept(masker, f'{{"n": {spelt}}}')


async def test_names_that_are_values_and_have_one_mask_stay_apart_in_texts_too(masker: Masker) -> None:
    rows: Json = {SSN: 1, "345-67-8901": {"078-05-1120": 2, "<US_SSN>": 3}, "<US_SSN>-2": 4}
    for text in (json.dumps(rows), f"{json.dumps(rows)}\n{json.dumps(rows)}"):
        for line in (await forwarded(masker, text)).splitlines():
            said = json.loads(line)
            assert len(said) == 3
            assert said["<US_SSN>"] == 1
            inner = next(value for value in said.values() if isinstance(value, dict))
            assert sorted(inner.values()) == [2, 3]
            assert 4 in said.values()
            assert not any(number in line for number in (SSN, "345-67-8901", "078-05-1120"))


def test_thousands_of_names_may_have_one_mask(masker: Masker) -> None:
    """A directory whose keys are numbers of persons; each further name took as many steps as there were before it."""
    rows: Json = {f"{234 + at // 5000}-45-{1000 + at % 5000}": at for at in range(4000)}
    said = masker.keep_json(rows)
    assert isinstance(said, dict)
    assert sorted(said.values(), key=repr) == sorted(range(4000), key=repr)
    assert list(said)[:3] == ["<US_SSN>", "<US_SSN>-2", "<US_SSN>-3"]


BLOBS = {
    "application/json": (f'{{"card": "{PAN}", "n": 7}}', f'{{"card": "{STARS}", "n": 7}}'),
    "application/vnd.api+json": ('{"ssn": 234456789}', '{"ssn": 0}'),
    "application/x-ndjson": ('{"ssn": 234456789}\n{"a": 1}\n', '{"ssn": 0}\n{"a": 1}\n'),
    "text/html; charset=utf-8": (f"<p>{SSN}</p>", "<p><US_SSN></p>"),
    "image/svg+xml": (f"<svg><text>{SSN}</text></svg>", "<svg><text><US_SSN></text></svg>"),
    "text/csv": (f"card\n{PAN}\n", f"card\n{STARS}\n"),
}


@pytest.mark.parametrize("mime", BLOBS)
async def test_a_resource_in_base64_is_read_by_its_mime_type(masker: Masker, mime: str) -> None:
    text, expected = BLOBS[mime]
    resource: Json = {"uri": "x://y", "mimeType": mime, "blob": base64.b64encode(text.encode()).decode()}
    masked = await mask(masker, {"id": 1, "result": {"contents": [resource]}})
    blob = str(at(masked.forward, "result", "contents", 0, "blob"))
    assert base64.b64decode(blob, validate=True).decode() == expected
    assert at(masked.forward, "result", "contents", 0, "mimeType") == mime
