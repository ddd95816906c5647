"""Whether digits that are dialled in a region, or behind a plus sign, are a valid number: the library's judgement.

``phonenumbers.parse`` and ``Leniency.VALID`` take a tenth of a millisecond for each region, most of it for what plain
digits cannot be: words, extensions, addresses of RFC 3966. Here its own helpers are asked in its own order, and what
only depends on the country is prepared. A test holds the two against each other.
"""

import dataclasses
import functools
import re
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumbermatcher
from phonenumbers import phonenumberutil as upstream

DIGITS_MIN: Final = 3  # two digits are no number anywhere
CHARS_MAX: Final = 250  # the library reads no longer ones
_ABROAD_DIGITS_MIN: Final = 3  # behind an international prefix
_NATIONAL_DIGITS_MAX: Final = 17
_TYPES: Final = (
    *("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"),
    *("fixed_line", "mobile"),
)
_KEPT: Final = (
    upstream.ValidationResult.TOO_SHORT,
    upstream.ValidationResult.IS_POSSIBLE_LOCAL_ONLY,
    upstream.ValidationResult.INVALID_LENGTH,
)
_strip: Final[Any] = upstream._maybe_strip_national_prefix_carrier_code  # noqa: SLF001 -- the judge's own steps
_length: Final[Any] = upstream._test_number_length  # noqa: SLF001 -- same
_matches: Final[Any] = upstream._match_national_number  # noqa: SLF001 -- same
_idd: Final[Any] = upstream._parse_prefix_as_idd  # noqa: SLF001 -- same
_code_of: Final[Any] = upstream._extract_country_code  # noqa: SLF001 -- same
_form_of: Final[Any] = upstream._choose_formatting_pattern_for_number  # noqa: SLF001 -- same
_possible: Final[Any] = upstream._extract_possible_number  # noqa: SLF001 -- same
_is_viable: Final[Any] = upstream._is_viable_phone_number  # noqa: SLF001 -- same
_split: Final[Any] = upstream._maybe_strip_extension  # noqa: SLF001 -- same
_has_its_x: Final[Any] = phonenumbermatcher._contains_only_valid_x_chars  # noqa: SLF001 -- same
_normalize: Final[Any] = upstream._normalize  # noqa: SLF001 -- same
_LETTERS: Final[re.Pattern[str]] = upstream._VALID_ALPHA_PHONE_PATTERN  # noqa: SLF001 -- same
_PLUS: Final = "+\uff0b"
_CARRIER: Final = re.compile("xx", re.IGNORECASE)  # two of them stand before the number, for whoever carries it
_is_group_only: Final[Any] = upstream._formatting_rule_has_first_group_only  # noqa: SLF001 -- same


def prepare(region: str) -> None:
    """Make ready what judging digits of ``region`` takes, which otherwise the first text with some would pay for."""
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is not None:
        _international(region)
        for _, numbers in _regions(metadata.country_code):
            numbers.prepare()


def is_valid(digits: str, region: str, written: str | None = None) -> bool:
    """Whether ``digits``, of ASCII and :data:`DIGITS_MIN` at least, are a number where ``region`` dials them.

    ``written`` are all digits that were written, where there are more: in them the library looks for a prefix.
    """
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if _international(region).match(digits):
        is_abroad, rest = _idd(_international(region), digits)
        if is_abroad:
            return bool(is_valid_abroad(rest))
    code = metadata.country_code
    behind = _behind_code(digits, metadata)
    if behind is not None:
        return _is_international(behind, code)
    national = _stripped(digits, metadata)
    return _is_national(national, code) and _has_prefix(written or digits, national, code)


def is_valid_abroad(digits: str) -> bool | None:
    """Whether ``digits`` behind a plus sign are a number; None where they begin with no country code.

    The library then reads them without the plus sign.
    """
    if len(digits) < _ABROAD_DIGITS_MIN:
        return False
    code, national = _code_of(digits)
    return _is_international(national, code) if code else None


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """What the library reads as the number in a try: its digits, in ASCII, and ``written``, all digits of the try.

    ``is_abroad``: they stand behind a plus sign. ``is_spelled``: some of them stand for letters. ``is_certain``: they
    alone decide; else there is more that only the library can tell.
    """

    digits: str
    written: str
    is_abroad: bool
    is_spelled: bool
    is_certain: bool


def reading_of(part: str) -> Reading | None:
    """How the library reads ``part``; None where it reads no number in it."""
    number = _possible(part)
    if not _is_viable(number):
        return None
    extension, number = _split(number)
    has_carrier = _CARRIER.search(part) is not None
    if not has_carrier and not _has_its_x(phonenumbers.PhoneNumber(extension=extension or None), part):
        return None
    behind = number.lstrip(_PLUS)
    is_spelled = _LETTERS.fullmatch(behind) is not None
    written = phonenumbers.normalize_digits_only(part)
    return Reading(_normalize(behind), written, behind is not number, is_spelled, not (has_carrier or is_spelled))


def _behind_code(digits: str, metadata: Any) -> str | None:
    """What stands behind the region's own country code; None where the digits are better read without one."""
    if not digits.startswith(str(metadata.country_code)):
        return None
    behind: str = _strip(digits[len(str(metadata.country_code)) :], metadata)[1]
    described = metadata.general_desc
    is_better = not _matches(digits, described, False) and _matches(behind, described, False)
    is_long = _length(digits, metadata) == upstream.ValidationResult.TOO_LONG
    return behind if is_better or is_long else None


def _is_international(national: str, code: int) -> bool:
    return len(national) > 1 and _is_national(_stripped(national, _main(code)), code)


def _stripped(national: str, metadata: Any) -> str:
    prefix = metadata.national_prefix_for_parsing
    if not prefix or _compiled(prefix).match(national) is None:
        return national
    stripped: str = _strip(national, metadata)[1]
    return national if _length(stripped, metadata) in _KEPT else stripped


def _is_national(national: str, code: int) -> bool:
    if not 1 < len(national) <= _NATIONAL_DIGITS_MAX:
        return False
    # The first region of the country that the number belongs to decides.
    for leading, numbers in _regions(code):
        if leading is not None:
            if leading.match(national):
                return numbers(national)
        elif numbers(national):
            return True
    return False


def _has_prefix(digits: str, national: str, code: int) -> bool:
    """Whether the digits have the national prefix, where that belongs to such a number."""
    metadata = _main(code)
    form = _form_of(metadata.number_format, national)
    rule = form.national_prefix_formatting_rule if form is not None else None
    if not rule or form.national_prefix_optional_when_formatting or _is_group_only(rule):
        return True
    return bool(_strip(digits, metadata)[2])


@functools.cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


@functools.cache
def _international(region: str) -> re.Pattern[str]:
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return re.compile(metadata.international_prefix or "NonMatch")


@functools.cache
def _main(code: int) -> Any:
    region = phonenumbers.region_code_for_country_code(code)
    return phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)


@functools.cache
def _regions(code: int) -> tuple[tuple[re.Pattern[str] | None, "_Numbers"], ...]:
    """The regions of a country code, in the library's order: how numbers of one begin, where that decides; and all."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    found: list[Any] = [
        phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region) for region in regions
    ]
    return tuple(
        (re.compile(one.leading_digits) if one.leading_digits and len(regions) > 1 else None, _Numbers(one))
        for one in found
        if one is not None
    )


class _Numbers:
    """The numbers of one region, of whatever type."""

    def __init__(self, metadata: Any) -> None:
        self._general = _Description(metadata.general_desc)
        described = [getattr(metadata, name) for name in _TYPES]
        self._types = [_Description(one) for one in described if one is not None and one.national_number_pattern]

    def __call__(self, national: str) -> bool:
        """Whether ``national`` is one of them."""
        return self._general.fits(national) and any(one.fits(national) for one in self._types)

    def prepare(self) -> None:
        """Compile what is compiled when it is first asked, there being thousands of patterns in the world."""
        for one in (self._general, *self._types):
            one.prepare()


class _Description:
    def __init__(self, description: Any) -> None:
        self._lengths = frozenset(description.possible_length)
        self._expression: str = description.national_number_pattern or "(?!)"
        self._pattern: re.Pattern[str] | None = None

    def prepare(self) -> re.Pattern[str]:
        self._pattern = re.compile(self._expression)
        return self._pattern

    def fits(self, national: str) -> bool:
        if self._lengths and len(national) not in self._lengths:
            return False
        return (self._pattern or self.prepare()).fullmatch(national) is not None
