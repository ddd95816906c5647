"""A text as bytes, one for each character."""

import itertools
import random

import pytest
import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.extent import CASED_BYTE, DIGIT_BYTE, INSIDE, OTHER_BYTE, OUTSIDE, extent_of
from holdfast.masking.masker import Masker
from holdfast.masking.runners import ContextWords
from holdfast.masking.view import View, shown
from holdfast.masking.words import Cutter

ASCII = "".join(map(chr, range(0x80)))
DIGITS = [char for char in map(chr, range(0x80, 0x11000)) if char.isdecimal()]
LETTERS = regex.compile("[A-Za-z]", regex.IGNORECASE)


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


def around_one_by_one(view: View, ends: list[int], table: bytes, width: int, beyond: int) -> set[int]:
    """The places that windows must cover: what a match of ``width`` that is told at one of ``ends`` can have."""
    classes = view.raw.translate(table)
    found: set[int] = set()
    for end in ends:
        for at in range(max(0, end - 1 - beyond), end):
            if classes[at : at + 1] != INSIDE:
                continue
            start, stop = classes.rfind(OUTSIDE, 0, at) + 1, classes.find(OUTSIDE, at)
            stop = stop if stop >= 0 else view.length
            found |= set(range(max(start, end - beyond - width), min(stop, end + width - 1)))
    return found


def test_windows_hold_all_that_a_match_can_and_no_more_than_some_times_as_much_of_a_long_run() -> None:
    dice = random.Random(4)
    extent = extent_of(r"\d{2,5}", 0)
    assert extent is not None
    for _ in range(400):
        text = "".join(dice.choice(["1", "22", "x", " ", "3" * dice.randrange(90)]) for _ in range(20))
        view = View(text)
        ends = sorted(dice.sample(range(1, len(text) + 1), min(len(text), 4)))
        width, beyond = dice.randrange(1, 7), dice.randrange(4)
        windows = view.around(ends, extent.table, width, beyond)
        covered = {at for start, stop in windows for at in range(start, stop)}
        assert around_one_by_one(view, ends, extent.table, width, beyond) <= covered, (text, ends, width, beyond)
        assert len(covered) <= sum(2 * (beyond + 7 * width) + beyond + 2 for _ in ends)
        assert all(before[1] < after[0] for before, after in itertools.pairwise(windows))


def test_what_stands_in_masks_is_no_word_of_the_text() -> None:
    unmask = Cutter(["PHONE_NUMBER", "US_SSN"]).without_masks
    view = View("Call <PHONE_NUMBER> or <US_SSN_0a1b2c3d4e5f>, <ssn>", unmask)
    assert view.lower_unmasked == "call   or  , <ssn>"
    assert "phone" in view.lower
    plain = View("Phone 12", unmask)
    assert plain.lower_unmasked is plain.lower


@pytest.mark.parametrize("rest", ["x", "1 SSN 2 <PHONE_NUMBER> ", "K\u212aD\u0131"])
def test_words_are_found_in_texts_of_any_length(rest: str) -> None:
    words = {word: frozenset(word) for word in ("ssn", "kk", "phone", "di", "card")}
    for text in (rest, rest * 5000, rest * 5000 + "card"):
        view = View(text, Cutter(["PHONE_NUMBER"]).without_masks)
        found = {word for word, chars in words.items() if view.has_unmasked({word: chars})}
        assert found == {word for word in words if word in view.lower_unmasked}
        assert view.has_unmasked(words) == bool(found)


@pytest.mark.parametrize("text", ["12 <PHONE_NUMBER> 34", "\u0661\u0662", "12", "", "\u5361"])
def test_a_text_without_letters_has_no_words(text: str) -> None:
    view = View(text, Cutter(["PHONE_NUMBER"]).without_masks)
    assert not view.has_letters
    assert not ContextWords(["phone", "12a"]).may_help(view, ())
    assert ContextWords(["phone", "12a"]).may_help(view, ("phone",))


@pytest.mark.parametrize(("word", "text"), [("12", "12 <PHONE_NUMBER>"), ("k", "\u212a"), ("card", "CARD 12")])
def test_words_of_digits_and_in_any_case_count_as_well(word: str, text: str) -> None:
    assert ContextWords([word]).may_help(View(text, Cutter(["PHONE_NUMBER"]).without_masks), ())


def test_no_text_of_a_message_is_made_bytes_of_twice(masker: Masker, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(text: str) -> bytes:
        made.append(text)
        return shown(text)

    monkeypatch.setattr("holdfast.masking.budget.shown", counted)
    text = "the card \u0664\u0661\u0661\u0661 1111 1111 1111 of nobody"
    masker.keep_json({"a": text, "b": [f"{text} else", text]})
    assert sorted(one for one in made if "\u0664" in one) == [text, f"{text} else"]
