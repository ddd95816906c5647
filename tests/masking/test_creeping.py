"""Rows of values in which the mask of one makes another of what stands beside it, or brings a word nearer to it."""

import random

import pytest
from tests.live.harness.warm import masker_of, scanner_of
from tests.masking.conftest import KEY, rules_of

from holdfast.masking.budget import Budget
from holdfast.masking.creeping import rows
from holdfast.masking.entries import MaskingRules
from holdfast.masking.masker import Masker
from holdfast.masking.nearby import Nearby, _Words
from holdfast.masking.spans import PHONE, Span
from holdfast.masking.words import Cutter

MASK = "<PHONE_NUMBER>"


@pytest.fixture(scope="module")
def phones() -> Masker:
    text = "version: 1\nphone_regions: [US, GB, DE, FR, ES, IT, IN, CA]\nentities: [{entity: PHONE_NUMBER}]\n"
    return masker_of(rules_of(text), KEY)


def span(start: int, end: int) -> Span:
    return Span(start, end, PHONE, 0.4, "PhoneRecognizer", "phone")


def places(text: str, *spans: Span) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in rows(text, spans)]


@pytest.mark.parametrize("count", [40, 100])
def test_a_mask_that_creeps_takes_the_row(phones: Masker, count: int) -> None:
    row = "1640 " * count
    masked = phones.keep_text(f"seen:\n{row}\nand 12 files")
    assert masked == f"seen:\n{MASK} {MASK} {MASK} \nand 12 files"
    assert phones.keep_text(masked) == masked


@pytest.mark.parametrize(
    "between",
    [
        *(" ~", " - ", "\u00a0", "\u2013", "\u3000", "\uff0d", "\u2028", "\x1b[0m", "%20 "),
        *("&#32;", "&nbsp;", "&amp;nbsp;", "\\t", "\\u0020", "\\u{20}", "\\U00000020", "\\040", "\\x20"),
    ],
)
def test_a_row_may_be_written_with_any_mark_between_numbers(phones: Masker, between: str) -> None:
    masked = phones.keep_text("seen:\n" + f"1640{between}" * 100 + "\nand 12 files")
    assert "1640" not in masked[:-60]
    assert masked.startswith("seen:\n")
    assert masked.endswith("\nand 12 files")
    assert phones.keep_text(masked) == masked


def test_only_the_row_goes(phones: Masker) -> None:
    """The first look finds the one number, the second what its mask made of the row; the lines around stay."""
    text = "id 17\ncall +1 212 555 2368 or 7\n"
    assert phones.keep_text(text) == f"id 17\ncall {MASK} or 7\n"


def test_a_number_beside_a_mask_stands_for_its_row() -> None:
    text = f"a: 1 2 3, 4 {MASK} 5 6 b 7"
    assert places(text, span(6, 7)) == [(6, 7)]  # not beside one
    assert places(text, span(10, 11)) == [(3, 11)]
    behind = text.index("5")
    assert places(text, span(behind, behind + 1)) == [(behind, behind + 3)]
    assert places(text, span(5, 8), span(10, 11), span(behind, behind + 3)) == [
        (5, 8),
        (3, 11),
        (behind, behind + 3),
    ]


def test_what_is_no_number_stays_as_it_is_found() -> None:
    text = f"1 2 bob {MASK} x@y.example"
    at = text.index("x@")
    assert places(text, span(4, 7), span(at, len(text))) == [(4, 7), (at, len(text))]


def test_what_began_before_the_text_stays_as_it_is_found() -> None:
    assert places(f"12 34 {MASK}", span(-3, 5)) == [(-3, 5)]


def test_a_row_is_told_once() -> None:
    text = "1 2 3 " * 3 + MASK
    assert places(text, span(14, 17), span(16, 17)) == [(0, 17)]


@pytest.mark.parametrize(
    ("before", "between", "value", "mask"),
    [
        (
            "Cookie: phone=+1 (212) 555-2368",
            "; shown=" + "often-and-red-" * 30,
            "; session=k3Jd8sQpLm2x",
            "; session=<API_KEY>",
        ),
        ("account 123456789 234567891", " &nbsp;" * 40, " 678912345", " <US_BANK_NUMBER>"),
        ("account 123456789 234567891", " toThe" * 40, " 678912345", " <US_BANK_NUMBER>"),
    ],
)
def test_what_a_mask_brings_to_light_is_found_however_far_away(
    masker: Masker, before: str, between: str, value: str, mask: str
) -> None:
    lines = "Red paper sold better than blue ink.\n" * 25
    masked = masker.keep_text(f"{lines}{before}{between}{value}\n{lines}")
    assert masked.endswith(f"{between}{mask}\n{lines}")


@pytest.mark.parametrize("between", ["; and ", ", ", "\n- ", " / "])
def test_every_value_of_a_list_is_as_near_to_a_word_as_the_first(masker: Masker, between: str) -> None:
    numbers = [str(123456789 + 7919 * at) for at in range(40)]
    masked = masker.keep_text(
        "account numbers: " + between.join(numbers) + ". Red, green, blue, black, white and grey 12345678 rows."
    )
    assert not any(number in masked for number in numbers)
    assert masked.endswith(". Red, green, blue, black, white and grey 12345678 rows.")
    assert masker.keep_text(masked) == masked


def test_what_is_found_in_a_second_look_is_remembered_apart(shipped_rules: MaskingRules) -> None:
    scanner = scanner_of(shipped_rules, KEY)
    text = "account " + ", ".join(str(123456789 + 7919 * at) for at in range(9))
    first, again = Budget(), Budget()
    again.is_again = True
    found = [len(scanner.scan(text, (), budget)) for budget in (first, again, first, again)]
    assert found == [5, 9, 5, 9]
    # Nor may any text pass for another: spans of one would leave a part of the other.
    for context in ((), ("account",)):
        shifted = scanner.scan("\0" + text, context, first)
        assert [span.start for span in scanner.scan(text, context, again)] != [span.start for span in shifted]


def test_a_word_reaches_no_further_than_five_words_behind_the_last_value(masker: Masker) -> None:
    text = "account 123456789, 234567891; seen red, green, blue, black or white 345678912"
    assert masker.keep_text(text) == text.replace("123456789", "<US_BANK_NUMBER>").replace(
        "234567891", "<US_BANK_NUMBER>"
    )


def test_values_that_are_passed_over_are_no_words_and_all_others_are() -> None:
    dice = random.Random(3)
    cutter = Cutter(["US_SSN"])
    for _ in range(200):
        words = ["card", "a", "17", "x1", "<US_SSN>", "of", "number"]
        pieces = dice.choices(words, k=40)
        values = dice.sample(range(40), 12)  # each recognizer tells its own, in whatever order
        text, places = "", []
        for piece in pieces:
            places.append(len(text))
            text += f"{piece}{dice.choice([' ', ', ', '; '])}"
        nearby = Nearby(text, cutter)
        without = list(text)
        for at in values:
            start, end = places[at], places[at] + len(pieces[at])
            expected = _Words(*cutter.words("".join(without))).before(start)
            assert nearby._before(start) == expected, (text, at)
            nearby.pass_over(start, end)
            without[start:end] = " " * (end - start)
