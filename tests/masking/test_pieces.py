"""A text in pieces comes out as the same text in one, and nothing of a value goes before it is known to be one."""

import asyncio
import base64
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.masking.conftest import rules_of

from holdfast.call import Direction, Reply
from holdfast.errors import MaskingError
from holdfast.masking.masker import Masker
from holdfast.masking.parts import RUN_CHARS_MAX
from holdfast.masking.pieces import HELD_CHARS_MAX, Pieces, Terms
from holdfast.masking.place import HOLD_BACK_CHARS

PATH = "/result/content/0/text"
PAN = "4111 1111 1111 1111"
SSN = "234-45-6789"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA0b9ZKq3v\n" * 40 + "-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0" * 15 + ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
VALUES = [
    PAN,
    SSN,
    "bob.smith@example.com",
    "his social security number is 234456789",
    "DE89 3704 0044 0532 0130 00",
    "(212) 555-2368",
    "4111\u200b1111\u200b1111\u200b1111",
    "password: hunter2!",
    "AKIAIOSFODNN7EXAMPLE",
    JWT,
    KEY,
    "10.20.30.40",
    "born on 1980-02-29",
]
PROSE = "The quick brown fox jumps over the lazy dog, and nothing of it is anybody's business. "


def pieces(masker: Masker, hold_back: int = HOLD_BACK_CHARS, *, whole: bool = False) -> Pieces:
    return masker.pieces(PATH, Direction.TO_CLIENT, Terms(hold_back, whole), server="llm")


async def streamed(masked: Pieces, parts: list[str]) -> tuple[str, str]:
    """All that came out, as forwarded and as kept."""
    out = [await masked.add(part) for part in parts] + [await masked.finish()]
    return "".join(pair[0] for pair in out), "".join(pair[1] for pair in out)


async def in_one(masker: Masker, text: str) -> tuple[str, str]:
    reply = Reply(1, {"content": [{"type": "text", "text": text}]}, None, Direction.TO_CLIENT)
    masked = await masker.mask(reply, server="llm")
    assert isinstance(masked.forward, Reply)
    assert isinstance(masked.keep, Reply)
    return masked.forward.result["content"][0]["text"], masked.keep.result["content"][0]["text"]  # type: ignore[index, call-overload, return-value] # as above


def cut_up(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize("value", VALUES)
async def test_a_value_that_is_split_anywhere_is_masked_as_if_it_were_not(masker: Masker, value: str) -> None:
    text = f"{PROSE * 4}She said: {value} . {PROSE * 4}"
    whole = await in_one(masker, text)
    start = text.index(value)
    for at in range(start, start + min(len(value), 60) + 1):
        assert await streamed(pieces(masker), [text[:at], text[at:]]) == whole
    assert await streamed(pieces(masker), list(text)) == whole


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_text_in_any_pieces_comes_out_as_in_one(masker: Masker, data: st.DataObject) -> None:
    words = st.sampled_from([*VALUES, "card", "ssn", "phone", "the", "naïve", "数据", "\n\n", "4111", "12-34", "é４"])
    text = " ".join(data.draw(st.lists(words, min_size=1, max_size=30)))
    parts = cut_up(text, data.draw(st.lists(st.integers(0, 5000), max_size=60)))
    masked = pieces(masker)
    assert asyncio.run(streamed(masked, parts)) == asyncio.run(in_one(masker, text))
    assert masked.late_count == 0


@pytest.mark.parametrize("value", [PAN, SSN, "bob.smith@example.com", JWT])
async def test_nothing_of_a_value_goes_before_it_is_masked(masker: Masker, value: str) -> None:
    masked = pieces(masker)
    gone = ""
    for char in f"{PROSE * 5}{value} {PROSE * 5}":
        gone += (await masked.add(char))[1]
        assert value[:8] not in gone
    assert len(gone) > 300


async def test_at_most_the_hold_back_and_a_step_are_held_of_ordinary_text(masker: Masker) -> None:
    masked = pieces(masker, 100)
    text = PROSE * 20
    gone = ""
    for count, char in enumerate(text, 1):
        gone += (await masked.add(char))[0]
        assert text.startswith(gone)
        assert count - len(gone) <= 100 + 50 + len("everybody's ")
    assert gone + (await masked.finish())[0] == text


async def test_scripts_without_blanks_go_on_too(masker: Masker) -> None:
    masked = pieces(masker, 64)
    text = "数据库里有很多客户的记录" * 40
    gone = "".join([(await masked.add(char))[0] for char in text])
    assert len(text) - len(gone) <= 64 + 32


async def test_a_mask_travels_only_where_the_rules_say_so_and_is_kept_always(masker: Masker) -> None:
    forward, kept = await streamed(pieces(masker), list(f"{PROSE * 5}host 10.20.30.40 {PROSE * 5}"))
    assert "10.20.30.40" in forward
    assert "10.20.30.40" not in kept


async def test_text_that_begins_as_json_is_held_to_its_end_and_masked_by_its_keys(masker: Masker) -> None:
    text = json.dumps({"name": "x" * 600, "password": "correct horse"})
    masked = pieces(masker)
    assert {await masked.add(char) for char in text} == {("", "")}
    out = await masked.finish()
    assert out == await in_one(masker, text)
    assert "correct horse" not in out[0]


async def test_base64_is_held_to_its_end_and_opened(masker: Masker) -> None:
    text = base64.b64encode(f"{PROSE * 9}{PAN}".encode()).decode()
    masked = pieces(masker)
    assert {await masked.add(char) for char in text} == {("", "")}
    out = await masked.finish()
    assert out == await in_one(masker, text)
    assert PAN not in base64.b64decode(out[0]).decode()


async def test_a_text_that_is_to_be_held_whole_is(masker: Masker) -> None:
    masked = pieces(masker, whole=True)
    assert await masked.add(PROSE * 50) == ("", "")
    assert (await masked.finish())[0] == PROSE * 50


async def fill(gone: list[str], masked: Pieces, lines: list[str]) -> None:
    for line in lines:
        gone += [(await masked.add(line))[0]]


async def test_a_finding_without_end_stops_the_stream(masker: Masker) -> None:
    masked = pieces(masker)
    gone: list[str] = []
    await masked.add(f"{PROSE * 5}-----BEGIN PRIVATE KEY-----\n")
    endless = ["MIIEowIBAAKCAQEA0b9ZKq3v\n"] * (HELD_CHARS_MAX // 24)
    with pytest.raises(MaskingError, match="goes on"):
        await fill(gone, masked, endless)
    assert "MII" not in "".join(gone)


async def test_json_without_end_stops_the_stream(masker: Masker) -> None:
    masked = pieces(masker)
    await masked.add("[")
    with pytest.raises(MaskingError, match="held to its end"):
        await masked.add("1," * 600_000)


async def test_a_run_that_no_pattern_knows_goes_on_in_parts(masker: Masker) -> None:
    text = "." + "ab12cd34" * 2000
    masked = pieces(masker)
    gone = "".join([(await masked.add(part))[0] for part in cut_up(text, list(range(0, len(text), 97)))])
    assert len(text) - len(gone) <= RUN_CHARS_MAX * 2
    assert gone + (await masked.finish())[0] == text


async def test_a_value_longer_than_the_hold_back_is_masked_from_where_it_is_known_and_counted() -> None:
    rules = rules_of(
        "version: 1\nentities:\n  - entity: RHYME\n"
        "patterns:\n  - {id: nursery-rhyme, entity: RHYME, regex: 'once upon [a-z ]{90,200}ever after'}\n"
    )
    masked = pieces(Masker(rules, bytes(32)), 32)
    text = "once upon " + "a time there was a fox " * 5 + "ever after. The end."
    forward, kept = await streamed(masked, list(text))
    assert forward == kept
    assert forward.endswith("<RHYME>. The end.")
    assert masked.late_count == 1
