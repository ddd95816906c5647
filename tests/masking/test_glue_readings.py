"""In how many ways a text is read where something is glued to values in it, and that none of them is missed."""

import re

import pytest

from holdfast.masking.glue import unglued
from holdfast.masking.masker import Masker
from holdfast.masking.spellings import spellings_of


@pytest.mark.parametrize(
    "text",
    [
        "user\\u005f1234567@example.com\u0435",
        "x_us\uff45r_\uff112\u24624567@example.com\xe9",
        "user%5F1234567@example.com\u53f7",
    ],
)
def test_an_address_with_a_low_line_before_digits_is_masked_whole_where_something_is_glued_behind_it(
    masker: Masker, text: str
) -> None:
    assert masker.keep_text(text).startswith("<EMAIL_ADDRESS")


@pytest.mark.parametrize("value", ["D\u041589370400440532013000", "DE8\uff19370400440532013000"])
def test_a_letter_that_belongs_to_a_value_is_not_taken_off_alone(masker: Masker, value: str) -> None:
    # The Cyrillic letter stands where something else would be glued to digits.
    assert masker.keep_text(f"to {value}\u53f7 now") == "to <IBAN_CODE>\u53f7 now"


def test_what_is_glued_is_taken_off_at_once_from_what_is_spelled_otherwise() -> None:
    text = "+1 212 555 2368\xe9\uff14\xe9 %31 " * 600
    assert len(spellings_of(text).others) == 4  # decoded or not, as it stands or by itself


def test_what_is_glued_is_taken_off_in_every_way_from_a_text_of_many_kinds_of_lookalikes() -> None:
    text = "+1 212 555 2368\xe9\uff14\xe9 %31 " * 600 + "".join(map(chr, range(0x249C, 0x24E9)))
    assert len(spellings_of(text).others) == 6


def test_what_is_glued_far_from_what_only_a_decoded_digit_touches_is_taken_off_too(masker: Masker) -> None:
    far = (" x" * 150 + " &amp;") * 5
    end = f"{far} \xe9{''.join(map(chr, range(0x2460, 0x2467)))}\xe9{far}"  # seven digits, no value
    kept = masker.keep_text(f"\u53f710.20.30.40\u53f7{end}")
    assert "10.20.30.40" not in kept
    assert kept.endswith(f"\u53f7{end}")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("\x1b[32m12:30:01\x1b[0m INFO\x1b[0m \x1b[1mcalls\x1b[0m\n", 1),  # without the codes
        ("12:30:01 INFO \x1b[1mcalls\x1b[0m\n", 1),
        ("\x1b[32m12:30:01\x1b[0m[INFO]\x1b[1mcalls\x1b[0m\n", 2),
        ("\x1b[1m12\x1b[0m \x1b[1m30\x1b[0m\n", 2),  # one number or two
        ("phone=+1 212 555 2368 ext=+44 (20) 7946\n", 0),
        ("at=2026-11-28T12:30:01+01:00 phone=+1 212 555 2368\n", 0),
        ("q=+12125552368 x\n", 1),
        ("mac=is+00:11:22:33:44:55\n", 1),
        ("q=at+01:00+4111+1111+1111+1111\n", 1),
    ],
)
def test_a_text_is_read_once_more_only_where_a_colour_or_plus_sign_may_hide_something(text: str, count: int) -> None:
    assert len(spellings_of(text * 20).others) == count


def test_colour_codes_between_numbers_are_blanks_whatever_blanks_are_among_them() -> None:
    apart = unglued("12\x1b[0m \x1b[1m30")
    assert apart is not None
    assert apart.text == "12   30"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id_457-5\x1b[1m5-5462", "id_<US_SSN>"),
        ("user_\x1b[01;31m\x1b[K4111\x1b[m\x1b[K111111111111\u53f7", "user_\x1b[01;31m\x1b[K************1111\u53f7"),
        ("\u53f7\u24d3e:ad:be:ef:00:01", "\u53f7<MAC_ADDRESS>"),
        ("2001:db8::8\u24d02e:370:7334_x", "<IP_ADDRESS>_x"),
        ("\u53f741111111\ufe0f\u20e311111111\u53f7", "\u53f7************1111\u53f7"),
        (" \u0111\uff110.20.30.4\u200d0\xf8", " \u0111<IP_ADDRESS>\xf8"),
        ("q=+1 4111+1111+1111+1111", "q=+1 ************1111"),
        ("iban=+1 2\u53f7 DE89+3704+0044+0532+0130+00", "iban=+1 2\u53f7 <IBAN_CODE>"),
        ("q=\u24b6DE89+3704+0044+0532+0130+00\u0430", "q=\u24b6<IBAN_CODE>\u0430"),
        ("INFO\x1b[0msk_live_%35%3123456789abcdefABCDEF12", "INFO\x1b[0m<API_KEY>"),
    ],
)
def test_what_looks_like_glue_may_be_part_of_a_value(masker: Masker, text: str, expected: str) -> None:
    assert re.sub(r"_[0-9a-f]{12}>", ">", masker.keep_text(text)) == expected
