"""Telephone numbers: what is said of digits without the library is what the library says."""

import dataclasses
import random

import phonenumbers
import pytest
from phonenumbers import phonenumbermatcher

from holdfast.masking.budget import WHOLE, Budget
from holdfast.masking.dialled import is_valid, is_valid_abroad, reading_of
from holdfast.masking.national import Nationals, national_of, plain_digits
from holdfast.masking.numbers import Numbers
from holdfast.masking.phones import PhoneSearch
from holdfast.masking.unscanned import LeafError
from holdfast.masking.view import View


def judged(part: str, region: str) -> bool:
    """What the library says of ``part``, as its matcher asks."""
    try:
        number = phonenumbers.parse(part, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return False
    matcher = phonenumbers.PhoneNumberMatcher(part, region)
    return bool(phonenumbermatcher._verify(phonenumbers.Leniency.VALID, number, part, matcher))


@pytest.mark.parametrize("region", ["US", "CA", "JM", "GB", "DE", "FR", "IL", "IN"])
def test_no_valid_number_is_ruled_out(region: str) -> None:
    national = national_of(region)
    assert national is not None
    dice = random.Random(region)
    valid = 0
    for _ in range(4000):
        digits = "".join(dice.choices("0123456789", k=dice.randint(4, 13)))
        candidate = dice.choice(["", "0", "1", "00", "011", "44", "+"]) + digits
        if judged(candidate, region):
            valid += 1
            assert not national.rules_out(candidate), candidate
    assert valid > 20
    assert national.rules_out("0000000000001234")


def dialled(dice: random.Random, region: str) -> str:
    """Digits that may be a number of ``region``: one of its own with a few changes, or any, and a prefix."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    example = phonenumbers.example_number_for_type(region, dice.randrange(11)) or phonenumbers.example_number(region)
    digits = list("".join(dice.choices("0123456789", k=dice.randint(3, 17))))
    if example is not None and dice.random() < 0.5:
        digits = list(phonenumbers.national_significant_number(example))
        for _ in range(dice.randrange(4)):
            digits[dice.randrange(len(digits))] = dice.choice("0123456789")
    code, prefix = str(metadata.country_code), metadata.national_prefix or ""
    return dice.choice(
        ["", "", "0", "1", "00", "011", code, "00" + code, "011" + code, prefix, code + prefix]
    ) + "".join(digits)


def test_digits_are_judged_as_the_library_judges_them() -> None:
    dice = random.Random(5)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    valid = 0
    for _ in range(6000):
        region = dice.choice(regions)
        digits = dialled(dice, region)
        expected = judged(digits, region)
        assert is_valid(digits, region) == expected, (digits, region)
        valid += expected
    assert valid > 600


def test_digits_behind_a_plus_sign_are_judged_as_the_library_judges_them() -> None:
    dice = random.Random(6)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    valid = unknown = 0
    for _ in range(6000):
        digits = dialled(dice, dice.choice(regions))
        candidate = dice.choice(["+", "+", "+ "]) + dice.choice([digits, f"{digits[:2]} {digits[2:5]}-{digits[5:]}"])
        region = dice.choice(regions)
        expected = judged(candidate, region)
        verdict = is_valid_abroad(digits)
        assert verdict in (None, expected), (candidate, region)
        valid += expected
        unknown += verdict is None
    assert valid > 600
    assert 0 < unknown < 4000


def extended(dice: random.Random, region: str) -> str:
    """A number as :func:`dialled` has it, in groups, with something behind it that may be an extension."""
    digits = dialled(dice, region)
    at = dice.randrange(len(digits))
    grouped = digits[:at] + dice.choice(["", " ", "-", ".", ") ", "/"]) + digits[at:]
    between = dice.choice([" ", "", ", ", ",", "-", "  ", "/ "])  # behind a slash, another number
    label = dice.choice(
        [
            "x",
            "X",
            "xx",
            "Xx",
            "xxx",
            "x x-x",
            "ext",
            "ext.",
            "Extension:",
            "#",
            "int",
            "\uff58",
            ";ext=",
            "доб",
            "~",
            "",
        ]
    )
    behind = "".join(dice.choices("0123456789", k=dice.randint(0, 9))) + dice.choice(["", "", "", "#", ")", " x 1"])
    return dice.choice(["", "", "", "+", "(", "+ "]) + grouped + between + label + behind


def digits_in(part: str) -> int:
    return sum(char.isdecimal() for char in part)


def carried(dice: random.Random, region: str) -> str:
    """A number as :func:`dialled` has it, behind what may be a code of a carrier, or with any mark in it."""
    digits = dialled(dice, region)
    mark = dice.choice(["xx", "XX", "xxx", "x", "~", " xx ", "xX-", "\uff58\uff58", "/", "x-x", "x-x-x"])
    if dice.random() < 0.5:
        return dice.choice(["0", "1", "", "05", "015"]) + mark + digits
    at = dice.randrange(len(digits) + 1)
    return dice.choice(["", "", "", "+", "\uff0b", "(", "x", "xx"]) + digits[:at] + mark + digits[at:]


def test_numbers_with_carriers_and_letters_in_them_are_judged_as_the_library_judges_them() -> None:
    dice = random.Random(9)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    valid = ruled_out = 0
    for _ in range(6000):
        region = dice.choice([*regions, "BR", "BR", "AR", "MX", "CO", "US", "US", "IT"])
        part = carried(dice, region)
        if not phonenumbermatcher._MATCHING_BRACKETS.fullmatch(part) or phonenumbermatcher._PUB_PAGES.search(part):
            continue  # the matcher does not ask about those
        expected = judged(part, region)
        found = Numbers((region,), phonenumbers.Leniency.VALID).valid(part, Budget())
        assert found == ((region,) if expected else ()), (part, region)
        reading = reading_of(part)
        valid += expected and reading is not None and not reading.is_certain
        ruled_out += not expected
    assert valid > 20
    assert ruled_out > 1000


def test_numbers_with_extensions_are_judged_as_the_library_judges_them() -> None:
    dice = random.Random(7)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    valid = cut = 0
    for _ in range(6000):
        region = dice.choice(
            [*regions, *["BY"] * 20]
        )  # there, what is behind a number makes a prefix of its first digit
        part = extended(dice, region)
        reading = reading_of(part)
        if not phonenumbermatcher._MATCHING_BRACKETS.fullmatch(part) or phonenumbermatcher._PUB_PAGES.search(part):
            continue  # the matcher does not ask about those
        expected = judged(part, region)
        found = Numbers((region,), phonenumbers.Leniency.VALID).valid(part, Budget())
        assert found == ((region,) if expected else ()), (part, region)
        valid += expected
        cut += expected and reading is not None and reading.is_certain and len(reading.digits) < digits_in(part)
    assert valid > 300
    assert cut > 100


def test_what_no_region_of_several_dials_is_ruled_out_at_once_and_nothing_else_is() -> None:
    dice = random.Random(8)
    regions = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "GG")
    nationals = Nationals(regions)
    known = {region: national_of(region) for region in regions}
    some = 0
    for _ in range(4000):
        digits = dialled(dice, dice.choice(regions))
        expected = tuple(one for one, national in known.items() if national is None or national.may_be(digits))
        assert nationals.possible(digits) == expected, digits
        some += len(expected) > 1
    assert some > 400
    assert nationals.possible("9" * 5000) == ("GG",)


def test_numbers_to_which_a_region_adds_digits_are_not_too_short() -> None:
    search = PhoneSearch(("NF",), phonenumbers.Leniency.VALID)
    for text in ("15303", "call 15303 now", "02001"):
        expected = [(one.start, one.end) for one in phonenumbers.PhoneNumberMatcher(text, "NF")]
        assert expected
        assert search.spans(View(text), None, Budget()) == expected


def test_separators_and_digits_of_any_script_make_no_difference_to_a_number() -> None:
    assert plain_digits("(\uff12\uff11\uff12)\u00a0555\u20112368") == "2125552368"
    for other in ("+12125552368", "212 555 2368 x1", "212 555 2368#", "2125552368 ext. 1", "212~555"):
        assert plain_digits(other) is None


def test_a_region_whose_prefix_rewrites_numbers_is_not_ruled_on() -> None:
    assert national_of("GG") is None  # six digits of Guernsey stand for ten of the United Kingdom


def test_what_was_not_tried_when_the_time_was_up_is_tried_in_the_next_text() -> None:
    """Of a message, one text may take too long; what is remembered of it must not stand for all that is in it."""
    text = "0440 0532//0440 0532 212 555 2368 030 12345678 - (212) 555-2368 " * 3
    regions = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "CA")
    search = PhoneSearch(regions, phonenumbers.Leniency.VALID)
    expected = search.spans(View(text), None, Budget())
    assert len(expected) > 4
    stopped = 0
    for looks in range(1, 200):
        left = looks

        def clock() -> float:
            nonlocal left
            left -= 1
            return 10.0 if left == 0 else 0.0

        budget = Budget(clock, dataclasses.replace(WHOLE, message_s=100.0, leaf_s=1.0, chars_unchecked=1))
        try:
            search.spans(View(text), None, budget)
        except LeafError:
            stopped += 1
        budget.begin_leaf()
        assert search.spans(View(text), None, budget) == expected, looks
    assert stopped > 100


def test_what_stands_beside_a_number_counts_each_time_that_it_comes() -> None:
    search, budget = PhoneSearch(("US",), phonenumbers.Leniency.VALID), Budget()
    number, other = "212 555 2368", "2012-01-02 08"  # the second is a time where minutes follow
    texts = [
        f"{before}{one}{behind}"
        for one in (number, other)
        for before in ("", "a", "$", "\u53f7")
        for behind in ("", "b", "%", ":00", ":0", " is", "\u53f7")
    ]
    for text in [*texts, *reversed(texts)]:
        expected = [(one.start, one.end) for one in phonenumbers.PhoneNumberMatcher(text, "US")]
        assert search.spans(View(text), None, budget) == expected, text
