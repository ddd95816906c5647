"""Telephone numbers: the library's matcher, only where enough digits stand together.

A candidate of the matcher is a match of one pattern, so it never leaves a run of that pattern's alphabet; around it the
matcher looks at one character before and three behind.
"""

import re
import sys
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumbermatcher

from holdfast.masking.budget import Budget
from holdfast.masking.extent import extent_of
from holdfast.masking.national import national_of
from holdfast.masking.view import View

_CANDIDATE: Final = phonenumbermatcher._PATTERN  # noqa: SLF001 -- what it can match is read from it
_MARGIN_CHARS: Final = 8  # more than the matcher looks at behind a candidate
_TRY_CHARS: Final = 64  # what one try costs, in characters given to a pattern
_DIGITS: Final = frozenset("0123456789")


class _Matcher(phonenumbers.PhoneNumberMatcher):
    """The library's, except that it does not parse what cannot be a number, and does not give up silently."""

    def __init__(self, text: str, region: str, leniency: int, budget: Budget, *, gated: bool) -> None:
        super().__init__(text, region, leniency=leniency, max_tries=sys.maxsize)
        self._national = national_of(region) if gated and leniency >= phonenumbers.Leniency.VALID else None
        self._budget = budget

    def _parse_and_verify(self, candidate: str, offset: int) -> Any:
        self._budget.spend(_TRY_CHARS)
        if self._national is not None and self._national.rules_out(candidate):
            return None
        return super()._parse_and_verify(candidate, offset)


def matched(text: str, region: str, leniency: int, budget: Budget, *, gated: bool) -> list[tuple[int, int]]:
    """Where the numbers of ``text`` stand, as one of ``region`` would read it.

    Args:
        text: where to look.
        region: whose national spellings count, as two letters.
        leniency: how strict the library is.
        budget: what the message may still cost.
        gated: whether candidates that cannot be a number are left unparsed; the outcome is the same.

    Raises:
        MaskingError: the message takes too long.
    """
    return [(match.start, match.end) for match in _Matcher(text, region, leniency, budget, gated=gated)]


class PhoneSearch:
    """The numbers of some regions in a text."""

    def __init__(self, regions: tuple[str, ...], leniency: int) -> None:
        self._regions = regions
        self._leniency = leniency
        self._digits_min = digits_min(regions)
        extent = extent_of(_CANDIDATE.pattern, _CANDIDATE.flags & re.IGNORECASE)
        self._table = extent.anchored(_DIGITS) if extent and extent.reach < _MARGIN_CHARS else None

    def spans(self, view: View, budget: Budget) -> list[tuple[int, int]]:
        """Where numbers stand.

        Raises:
            MaskingError: see :func:`matched`.
        """
        if view.digits < self._digits_min:
            return []
        if self._table is None:
            return self._found(view.text, view.length, budget)
        found: list[tuple[int, int]] = []
        for start, end in view.windows((self._table, None, self._digits_min, self._digits_min)):
            left = max(0, start - 1)
            part = view.text[left : end + _MARGIN_CHARS]
            found += [(left + first, left + last) for first, last in self._known(part, end - left, budget)]
        return found

    def _known(self, part: str, length: int, budget: Budget) -> list[tuple[int, int]]:
        key = (part, length)
        known = budget.phones.get(key)
        if known is None:
            known = budget.phones[key] = self._found(part, length, budget)
        return known

    def _found(self, text: str, length: int, budget: Budget) -> list[tuple[int, int]]:
        found = {span for region in self._regions for span in matched(text, region, self._leniency, budget, gated=True)}
        return sorted(span for span in found if span[0] < length)


def digits_min(regions: tuple[str, ...]) -> int:
    """The fewest digits a valid number can have: in one of ``regions``, or anywhere behind its country code."""
    national = [_shortest(phonenumbers.PhoneMetadata.metadata_for_region(region)) for region in regions]
    abroad = [
        len(str(code)) + _shortest(phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region))
        for code, places in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        for region in places
    ]
    return min(national + abroad)


def _shortest(metadata: Any) -> int:
    return min(metadata.general_desc.possible_length) if metadata else 1
