"""A cheap, sound answer to "can this be a telephone number at all?", before the library parses it.

Most digits in tool traffic are no telephone number, and parsing one takes 50 microseconds. A national number is valid
only if it matches the pattern of some type of some region of its country code, once at most the country code and the
national prefix are taken from its front. Whatever could be read in another way (a plus sign, an international prefix,
an extension, a prefix that rewrites the number) is not ruled out here.
"""

import functools
import re
from typing import Any, Final

import phonenumbers

from holdfast.masking.reading import read

_PLAIN: Final = re.compile(r"[0-9 ()\[\]./-]*")
_NOT_DIGITS: Final = re.compile(r"[^0-9]+")
_DIGITS_MAX: Final = 64  # more than a candidate has
_TYPES: Final = (
    *("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail"),
    *("fixed_line", "mobile"),
)


class National:
    """What numbers dialled within one region look like."""

    def __init__(self, metadata: Any) -> None:
        code = metadata.country_code
        prefix = metadata.national_prefix_for_parsing or ""
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        self._international = re.compile(metadata.international_prefix or "(?!)")
        self._skipped_max = len(str(code)) + 2 * _width_max(prefix)  # the prefix is looked for twice
        self._number = re.compile("|".join(sorted({pattern for region in regions for pattern in _patterns(region)})))

    def rules_out(self, candidate: str) -> bool:
        """Whether ``candidate`` is certainly no valid number."""
        if not _PLAIN.fullmatch(candidate):
            return False
        digits = _NOT_DIGITS.sub("", candidate)
        prefix = self._international.match(digits)
        if prefix and digits[prefix.end() : prefix.end() + 1] != "0":  # no country code begins with 0
            return False
        matches = self._number.fullmatch
        return not any(matches(digits, skipped) for skipped in range(min(self._skipped_max, len(digits)) + 1))


@functools.cache
def national_of(region: str) -> National | None:
    """How numbers look in ``region``; None where that cannot be told this way."""
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.national_prefix_transform_rule:
        return None
    if phonenumbers.region_code_for_country_code(metadata.country_code) != region:
        return None  # parsed by the rules of another region
    return National(metadata)


def _patterns(region: str) -> list[str]:
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    described = [getattr(metadata, name) for name in _TYPES] if metadata else []
    return [f"(?:{desc.national_number_pattern})" for desc in described if desc and desc.national_number_pattern]


def _width_max(pattern: str) -> int:
    tree = read(pattern)
    return _DIGITS_MAX if tree is None else min(int(tree.getwidth()[1]), _DIGITS_MAX)
