"""Words that headers of mails encode, which cut a value in two."""

import base64
import itertools
from collections.abc import Callable

import pytest

from holdfast.masking.masker import Masker

GAPS = [" ", "\n ", "\r\n\t"]


def quoted(text: str) -> str:
    said = "".join("_" if char == " " else char if char.isalnum() else f"={ord(char):02X}" for char in text)
    return f"=?utf-8?Q?{said}?="


def in_base64(text: str) -> str:
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("cut", range(1, 10))
def test_a_value_in_two_quoted_words_is_masked_and_what_stands_beside_it_is_not(
    masker: Masker, gap: str, cut: int
) -> None:
    text = f"Subject: {quoted('SSN 234-45-6789'[: 4 + cut])}{gap}{quoted('SSN 234-45-6789 of Bob'[4 + cut :])}\nTo: x"
    masked = masker.keep_text(text)
    assert masked == "Subject: =?utf-8?Q?SSN_<US_SSN>_of_Bob?=\nTo: x"


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("write", list(itertools.product((quoted, in_base64), repeat=2)))
def test_nothing_of_a_password_in_two_words_stays(
    masker: Masker, gap: str, write: tuple[Callable[[str], str], ...]
) -> None:
    first, second = write[0]("the long password: velvet-"), write[1]("hammer7 for you")
    masked = masker.keep_text(f"Subject: {first}{gap}{second}")
    assert "<PASSWORD>" in masked
    for part in ("velvet", "hammer7", first[10:-2], second[10:-2]):
        assert part not in masked


def test_a_value_at_the_end_of_a_word_leaves_the_end_of_the_word(masker: Masker) -> None:
    assert masker.keep_text(quoted("SSN 234-45-6789")) == "=?utf-8?Q?SSN_<US_SSN>?="


def test_one_word_of_base64_is_opened_and_closed_again(masker: Masker) -> None:
    assert masker.keep_text(in_base64("the SSN 234-45-6789 of Bob")) == in_base64("the SSN <US_SSN> of Bob")


@pytest.mark.parametrize(
    "text", ["Subject: =?utf-8?Q?Quarterly_report_for?=\n =?utf-8?Q?_the_b=C3=B6ard?=", "a=?b?c?=d =?utf-8?X?zz?="]
)
def test_words_that_hold_no_value_stay(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text
