"""Rows of numbers in which the mask of one makes another of what stands beside it."""

import pytest
from tests.live.harness.warm import masker_of
from tests.masking.conftest import KEY, rules_of

from holdfast.masking.creeping import rows
from holdfast.masking.masker import Masker
from holdfast.masking.spans import PHONE, Span

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
