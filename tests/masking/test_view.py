"""A text as bytes, one for each character."""

import random

import pytest
import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.extent import CASED_BYTE, DIGIT_BYTE, OTHER_BYTE
from holdfast.masking.view import shown

ASCII = "".join(map(chr, range(0x80)))
DIGITS = [char for char in map(chr, range(0x80, 0x11000)) if char.isdecimal()]
LETTERS = regex.compile("[a-z]", regex.IGNORECASE)


def byte_of(char: str) -> int:
    if char.isascii():
        return ord(char)
    if char.isdecimal() or regex.match(r"\d", char):
        return DIGIT_BYTE
    return CASED_BYTE if LETTERS.match(char) else OTHER_BYTE


@pytest.mark.parametrize("kinds_count", [0, 1, 15, 40])
def test_every_character_is_one_byte_whatever_stands_beside_it(kinds_count: int) -> None:
    dice = random.Random(kinds_count)
    for _ in range(200):
        ascii_chars = dice.choice([ASCII, "a?1 ", "?", ""])
        beyond = [*dice.sample(DIGITS, kinds_count), *"\u212a\u017f\u0130\u0131\u00e9\ud800\U0001f600\xff\xfe\xfd"]
        text = "".join(dice.choices([*ascii_chars, *beyond], k=dice.randrange(1, 300)))
        assert shown(text) == bytes(map(byte_of, text))


def test_a_text_with_all_of_ascii_leaves_nothing_to_stand_for_its_digits() -> None:
    assert shown(ASCII + "\u0661?") == bytes(range(0x80)) + bytes([DIGIT_BYTE]) + b"?"
