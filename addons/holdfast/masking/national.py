"""A cheap, sound answer to "where can this be a telephone number at all?", before the library parses it.

Most digits in tool traffic are no telephone number, and parsing one takes 50 microseconds. A national number is valid
only if it matches the pattern of some type of some region of its country code, once at most the country code and the
national prefix are taken from its front; and it does not count where people there would write that prefix and it has
none. Whatever could be read in another way (a plus sign, an extension, a prefix that rewrites the number) is not ruled
out here.
"""

import functools
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumberutil

from holdfast.masking.extent import extent_of

# What stands between the groups of a number. What means something else is not in it.
_BETWEEN: Final = (
    " ()[]./-\u2010\u2011\u2012\u2013\u2014\u2015\u2053\u2212\u223c\u30fc\uff0d\uff0e\uff0f"
    "\u3000\xa0\xad\u200b\u2060\uff08\uff09\uff3b\uff3d"
)
# Digits of any script as those of ASCII; nothing for what stands between them.
_DIGITS: Final[Mapping[int, str]] = dict.fromkeys(map(ord, _BETWEEN), "") | {
    code: str(unicodedata.decimal(chr(code))) for code in range(sys.maxunicode + 1) if chr(code).isdecimal()
}
_NATIONAL_DIGITS_MIN: Final = 2  # the library asks for more behind an international prefix
_COUNTRY_DIGITS_MAX: Final = 3
_TYPES: Final = (
    *("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"),
    *("fixed_line", "mobile"),
)


def plain_digits(candidate: str) -> str | None:
    """The digits of ``candidate`` in ASCII; None where there is more to it than digits and separators."""
    digits = candidate.translate(_DIGITS)
    return digits if digits.isascii() and (digits.isdecimal() or not digits) else None


class National:
    """What numbers dialled within one region look like."""

    def __init__(self, metadata: Any, main: Any) -> None:
        """``main`` is the region that numbers with the same country code in front are read by."""
        code = metadata.country_code
        prefixes = {one.national_prefix_for_parsing for one in (metadata, main)} - {None}
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        self.international = re.compile(metadata.international_prefix or "(?!)")
        prefix = f"(?:{'|'.join(f'(?:{one})' for one in sorted(prefixes))})?"
        numbers = "|".join(sorted({pattern for region in regions for pattern in _patterns(region)}))
        # The prefix is looked for behind the country code, and then once more.
        self.number = re.compile(f"(?:{code})?{prefix}{prefix}(?:{numbers})")
        self._code = str(code)
        self._prefix = re.compile(main.national_prefix_for_parsing or "(?!)")
        self._formats = tuple(map(_format, main.number_format))

    def rules_out(self, candidate: str) -> bool:
        """Whether ``candidate`` is certainly no valid number."""
        digits = plain_digits(candidate)
        return digits is not None and not self.may_be(digits)

    def may_be(self, digits: str) -> bool:
        """Whether ``digits`` may be dialled here."""
        prefix = self.international.match(digits)
        if prefix is not None and digits[prefix.end() : prefix.end() + 1] != "0":  # no country code begins with 0
            return _may_be_abroad(digits[prefix.end() :])
        return self.may_be_at_home(digits)

    def may_be_at_home(self, digits: str) -> bool:
        """The same of digits that do not begin as calls abroad do."""
        return self.number.fullmatch(digits) is not None and not self._lacks_prefix(digits)

    def fits(self, digits: str) -> bool:
        """Whether ``digits`` may be dialled here, with or without the prefix that people write."""
        return self.international.match(digits) is not None or self.number.fullmatch(digits) is not None

    def _lacks_prefix(self, digits: str) -> bool:
        """Whether ``digits`` are a national number as they stand, and one that is written with a prefix."""
        if digits.startswith(self._code) or self._prefix.match(digits):
            return False
        for leading, pattern, has_prefix in self._formats:  # the first that fits is the one in use
            if (leading is None or leading.match(digits)) and pattern.fullmatch(digits):
                return has_prefix
        return False


class Nationals:
    """Several regions, asked at once."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._known = [(region, national_of(region)) for region in regions]
        known = [national for _, national in self._known if national is not None]
        self._any = _either(one.number.pattern for one in known)
        extent = extent_of(self._any.pattern, 0)
        self._digits_max = extent.width if extent and extent.width is not None else sys.maxsize
        self._any_abroad = _either(one.international.pattern for one in known)
        self._unknown = tuple(region for region, national in self._known if national is None)

    def possible(self, digits: str) -> tuple[str, ...]:
        """The regions in which ``digits`` are not ruled out."""
        if self._any_abroad.match(digits) is not None:
            return tuple([region for region, national in self._known if national is None or national.may_be(digits)])
        if len(digits) > self._digits_max or self._any.fullmatch(digits) is None:  # as most digits
            return self._unknown
        return tuple(
            [region for region, national in self._known if national is None or national.may_be_at_home(digits)]
        )

    def fitting(self, digits: str) -> tuple[str, ...]:
        """The regions in which ``digits`` are not ruled out, with or without the prefix that people write there."""
        return tuple([region for region, national in self._known if national is None or national.fits(digits)])


@functools.cache
def national_of(region: str) -> National | None:
    """How numbers look in ``region``; None where that cannot be told this way."""
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return None
    main: Any = phonenumbers.PhoneMetadata.metadata_for_region(
        phonenumbers.region_code_for_country_code(metadata.country_code)
    )
    if main is None or metadata.national_prefix_transform_rule or main.national_prefix_transform_rule:
        return None
    return National(metadata, main)


def _either(patterns: Iterable[str]) -> re.Pattern[str]:
    """Matches what one of ``patterns`` matches."""
    return re.compile("|".join(f"(?:{one})" for one in dict.fromkeys(patterns)) or "(?!)")


def _format(form: Any) -> tuple[re.Pattern[str] | None, re.Pattern[str], bool]:
    """Which numbers are written in a form: how they begin, all of them; and whether the prefix is part of it."""
    leading = form.leading_digits_pattern
    has_prefix = (
        bool(form.national_prefix_formatting_rule)
        and not form.national_prefix_optional_when_formatting
        and not phonenumberutil._formatting_rule_has_first_group_only(form.national_prefix_formatting_rule)  # noqa: SLF001 -- the judge
    )
    return re.compile(leading[-1]) if leading else None, re.compile(form.pattern), has_prefix


def _may_be_abroad(digits: str) -> bool:
    """Whether ``digits`` begin with a country code, with something behind it."""
    if len(digits) <= _NATIONAL_DIGITS_MIN:
        return False
    codes = (int(digits[:size]) for size in range(1, _COUNTRY_DIGITS_MAX + 1))
    return any(code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for code in codes)


def _patterns(region: str) -> list[str]:
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    described = [getattr(metadata, name) for name in _TYPES] if metadata else []
    return [f"(?:{desc.national_number_pattern})" for desc in described if desc and desc.national_number_pattern]
