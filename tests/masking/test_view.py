"""A text as bytes, one for each character."""

import random

import pytest
import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.extent import CASED_BYTE, DIGIT_BYTE, OTHER_BYTE
from holdfast.masking.view import View, shown
from holdfast.masking.words import Cutter

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


def test_what_stands_in_masks_is_no_word_of_the_text() -> None:
    unmask = Cutter(["PHONE_NUMBER", "US_SSN"]).without_masks
    view = View("Call <PHONE_NUMBER> or <US_SSN_0a1b2c3d4e5f>, <ssn>", unmask)
    assert view.lower_unmasked == "call   or  , <ssn>"
    assert "phone" in view.lower
    plain = View("Phone 12", unmask)
    assert plain.lower_unmasked is plain.lower
