"""A cheap, sound answer to "where can this be a telephone number at all?", before the library parses it.

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

    def __init__(self, metadata: Any, main: Any) -> None:
        """``main`` is the region that numbers with the same country code in front are read by."""
        code = metadata.country_code
        prefixes = [metadata.national_prefix_for_parsing or "", main.national_prefix_for_parsing or ""]
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        self._international = re.compile(metadata.international_prefix or "(?!)")
        skipped_max = len(str(code)) + 2 * max(map(_width_max, prefixes))  # the prefix is looked for twice
        numbers = "|".join(sorted({pattern for region in regions for pattern in _patterns(region)}))
        self.pattern = f"[0-9]{{0,{skipped_max}}}(?:{numbers})"
        self._number = re.compile(self.pattern)

    def rules_out(self, candidate: str) -> bool:
        """Whether ``candidate`` is certainly no valid number."""
        if not _PLAIN.fullmatch(candidate):
            return False
        digits = _NOT_DIGITS.sub("", candidate)
        return not self.is_dialled_abroad(digits) and self._number.fullmatch(digits) is None

    def is_dialled_abroad(self, digits: str) -> bool:
        """Whether ``digits`` begin with an international prefix; no country code begins with 0."""
        prefix = self._international.match(digits)
        return prefix is not None and digits[prefix.end() : prefix.end() + 1] != "0"


class Nationals:
    """Several regions, asked at once."""

    def __init__(self, regions: tuple[str, ...]) -> None:
        self._regions = regions
        self._known = {region: national_of(region) for region in regions}
        self._open = tuple(region for region, national in self._known.items() if national is None)
        known = [national for national in self._known.values() if national is not None]
        self._ruling = known
        self._any = re.compile("|".join(f"(?:{national.pattern})" for national in known) or "(?!)")

    def possible(self, candidate: str) -> tuple[str, ...]:
        """The regions in which ``candidate`` is not ruled out."""
        if not _PLAIN.fullmatch(candidate):
            return self._regions
        digits = _NOT_DIGITS.sub("", candidate)
        if self._any.fullmatch(digits) is None and not any(one.is_dialled_abroad(digits) for one in self._ruling):
            return self._open
        return tuple(
            region for region, national in self._known.items() if national is None or not national.rules_out(digits)
        )


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


def _patterns(region: str) -> list[str]:
    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    described = [getattr(metadata, name) for name in _TYPES] if metadata else []
    return [f"(?:{desc.national_number_pattern})" for desc in described if desc and desc.national_number_pattern]


def _width_max(pattern: str) -> int:
    tree = read(pattern)
    return _DIGITS_MAX if tree is None else min(int(tree.getwidth()[1]), _DIGITS_MAX)
