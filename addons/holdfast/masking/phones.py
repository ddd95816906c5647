"""Telephone numbers: the library's judgement, asked once for all regions, and only where enough digits stand together.

The library's matcher goes through a text for one region at a time: candidates are matches of one pattern, and what it
tries of each are the whole and its groups, the same for every region. Here the text is gone through once; each try goes
to the library only in the regions in which it can be a number, and what comes of it is remembered for the message.

A candidate never leaves a run of its pattern's alphabet; around it the matcher looks at one character before and three
behind.
"""

import functools
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumbermatcher as upstream
from phonenumbers import phonenumberutil

from holdfast.errors import MaskingError
from holdfast.masking.approx import Approximation, approximation_of, to_end_of_run
from holdfast.masking.budget import Budget, Candidate, Try
from holdfast.masking.extent import extent_of
from holdfast.masking.numbers import TRY_CHARS, Numbers
from holdfast.masking.prefilter import Hits
from holdfast.masking.view import View

_CANDIDATE: Final[re.Pattern[str]] = upstream._PATTERN  # noqa: SLF001 -- what it can match is read from it
_SECOND_NUMBER: Final[re.Pattern[str]] = phonenumberutil._SECOND_NUMBER_START_PATTERN  # noqa: SLF001 -- as the matcher does
_UNWANTED_END: Final[re.Pattern[str]] = phonenumberutil._UNWANTED_END_CHAR_PATTERN  # noqa: SLF001 -- same
_DATES: Final[re.Pattern[str]] = upstream._SLASH_SEPARATED_DATES  # noqa: SLF001 -- same
_TIMES: Final[re.Pattern[str]] = upstream._TIME_STAMPS  # noqa: SLF001 -- same
_TIMES_SUFFIX: Final[re.Pattern[str]] = upstream._TIME_STAMPS_SUFFIX  # noqa: SLF001 -- same
_INNER: Final[tuple[re.Pattern[str], ...]] = tuple(upstream._INNER_MATCHES)  # noqa: SLF001 -- same
_LEAD: Final[re.Pattern[str]] = upstream._LEAD_PATTERN  # noqa: SLF001 -- same
_MARGIN_CHARS: Final = 3  # behind a candidate, what may make a time of it
_GROUP_CHARS: Final = 16  # what looking at one group costs
_DIGITS: Final = frozenset("0123456789")

type Span = tuple[int, int]


class _Matcher(phonenumbers.PhoneNumberMatcher):
    """The library's, except that it does not give up silently."""

    def __init__(self, text: str, region: str, leniency: int, budget: Budget) -> None:
        super().__init__(text, region, leniency=leniency, max_tries=sys.maxsize)
        self._budget = budget

    def _parse_and_verify(self, candidate: str, offset: int) -> Any:
        self._budget.spend(TRY_CHARS)
        return super()._parse_and_verify(candidate, offset)


def matched(text: str, region: str, leniency: int, budget: Budget) -> list[Span]:
    """Where the numbers of ``text`` stand, as one of ``region`` would read it: the library's own way.

    Raises:
        MaskingError: the message takes too long.
    """
    return [(match.start, match.end) for match in _Matcher(text, region, leniency, budget)]


class PhoneSearch:
    """The numbers of some regions in a text."""

    def __init__(self, regions: tuple[str, ...], leniency: int) -> None:
        self._regions = regions
        self._numbers = Numbers(regions, leniency)
        self._is_gated = self._numbers.is_gated
        self._digits_min = digits_min(regions)
        self._part_chars_min = self._digits_min if self._is_gated else 1
        flags = _CANDIDATE.flags & re.IGNORECASE
        extent = extent_of(_CANDIDATE.pattern, flags)
        self._plain = extent.table if extent and extent.reach <= _MARGIN_CHARS else None
        self._anchored = extent.anchored(_DIGITS) if extent and self._plain else None
        self.filter: int | None = None
        self.approximation: Approximation | None = self._approximation()
        self.needs_digit = True
        self.is_foreign = False

    def _approximation(self) -> Approximation | None:
        # A number has its digits before any extension; between two of them stands no more than this.
        marks = upstream._PUNCTUATION  # noqa: SLF001 -- as in the pattern
        found = approximation_of(rf"\d(?:{marks}\d){{{self._digits_min - 1}}}", 0)
        if found is None or self._plain is None or not self._is_gated:
            return None
        # All of the run is looked at, so its end is told, and not each digit.
        within = frozenset(char for char in map(chr, range(0x80)) if re.fullmatch(rf"\d|{marks}", char))
        return to_end_of_run(found, frozenset(map(ord, within)))

    def spans(self, view: View, hits: Hits | None, budget: Budget, *, with_bare: bool = True) -> list[Span]:
        """Where numbers stand; not ``with_bare``: those that are more than a run of digits alone.

        Raises:
            MaskingError: the message takes too long.
        """
        if self._plain is None or self._anchored is None:
            return self._found(view.text, view.length, budget, with_bare=with_bare)
        ends = hits.get(self.filter) if hits is not None and self.filter is not None else ()
        if ends is None or (not ends and view.digits < self._digits_min):
            return []
        if ends:
            windows = view.around(ends, self._plain, None, self.approximation.beyond if self.approximation else 0)
        else:
            windows = view.windows((self._anchored, None, self._digits_min, self._digits_min))
        found: list[Span] = []
        for start, end in windows:
            left = max(0, start - 1)
            part = view.text[left : end + _MARGIN_CHARS]
            found += [(left + first, left + last) for first, last in self._known(part, end - left, with_bare, budget)]
        return found

    def _known(self, part: str, length: int, with_bare: bool, budget: Budget) -> list[Span]:  # noqa: FBT001 -- of a key
        key = (part, length, with_bare)
        known = budget.phones.get(key)
        if known is None:
            known = budget.phones[key] = self._found(part, length, budget, with_bare=with_bare)
        return known

    def _found(self, text: str, length: int, budget: Budget, *, with_bare: bool) -> list[Span]:
        """What the matchers of all regions find together, each going on where its own last match ended."""
        found: set[Span] = set()
        waiting: dict[int, tuple[str, ...]] = {0: self._regions}  # from which place on the matchers still search
        while waiting:
            at = min(waiting)
            regions = waiting.pop(at)
            budget.spend(_GROUP_CHARS)
            match = _CANDIDATE.search(text, at)
            if match is None or match.start() >= length:
                continue
            candidate = _cut(_SECOND_NUMBER, match.group())
            start = match.start()
            # Nothing smaller is tried of digits alone, and whatever they are, the search goes on behind them.
            if with_bare or not candidate.isdecimal():
                for span, matching in self._in_candidate(text, candidate, start, regions, budget):
                    found.add(span)
                    waiting[span[1]] = (*waiting.get(span[1], ()), *matching)
                    regions = tuple(region for region in regions if region not in matching)
            if regions:
                after = start + len(candidate)
                waiting[after] = (*waiting.get(after, ()), *regions)
        return sorted(span for span in found if span[0] < length)

    def _in_candidate(
        self, text: str, candidate: str, start: int, regions: tuple[str, ...], budget: Budget
    ) -> Iterator[tuple[Span, tuple[str, ...]]]:
        """For each region in which something in ``candidate`` is a number: the first that is, as the matcher tries."""
        end = start + len(candidate)
        # All that is looked at: of what stands beside it, whether that may touch a number, or makes a time of it.
        beside = start > 0 and _is_glue(text[start - 1]), end < len(text) and _is_glue(text[end])
        key = (candidate, *beside, _TIMES_SUFFIX.match(text, end) is not None)
        if key not in budget.candidates:
            budget.candidates[key] = ([], self._tried(text, candidate, start, budget))
        left = set(regions)
        for first, last, valid in _each_try(key, budget):
            matching = tuple([region for region in valid if region in left])
            if matching:
                yield (start + first, start + last), matching
                left.difference_update(matching)
                if not left:
                    return

    def _tried(self, text: str, candidate: str, start: int, budget: Budget) -> Iterator[Try]:
        """What in ``candidate`` is a number somewhere: where it stands in it, and the regions in which it is one."""
        budget.spend(TRY_CHARS)
        if "/" in candidate and _DATES.search(candidate):
            return
        if _TIMES_SUFFIX.match(text, start + len(candidate)) and _TIMES.search(candidate):
            return
        for part, offset in _tries(candidate, start):
            budget.spend(_GROUP_CHARS)
            known = budget.numbers.get(part)
            if len(part) < self._part_chars_min or (known is not None and not known):
                continue
            if self._stands_alone(text, part, offset):
                valid = self._numbers.valid(part, budget)
                if valid:
                    yield offset - start, offset - start + len(part), valid

    def _stands_alone(self, text: str, part: str, offset: int) -> bool:
        """Whether no letter or currency sign touches the number, which the matcher asks for."""
        if not self._is_gated:
            return True
        end = offset + len(part)
        if end < len(text) and _is_glue(text[end]):
            return False
        return offset == 0 or not _is_glue(text[offset - 1]) or _LEAD.match(part) is not None


def _each_try(key: Candidate, budget: Budget) -> Iterator[Try]:
    """What is known of a candidate, and then what is found as it is asked for, which is known from then on."""
    known, further = budget.candidates[key]
    at = 0
    while at < len(known) or _is_another(known, further, key, budget):
        yield known[at]
        at += 1


def _is_another(known: list[Try], further: Iterator[Try], key: Candidate, budget: Budget) -> bool:
    try:
        found = next(further, None)
    except MaskingError:
        del budget.candidates[key]  # what is behind the place where the time was up was never tried
        raise
    if found is not None:
        known.append(found)
    return found is not None


@functools.lru_cache(maxsize=4096)
def _is_glue(char: str) -> bool:
    matcher: Any = phonenumbers.PhoneNumberMatcher
    return bool(matcher._is_invalid_punctuation_symbol(char) or matcher._is_latin_letter(char))  # noqa: SLF001


def _cut(pattern: re.Pattern[str], candidate: str) -> str:
    end = pattern.search(candidate)
    return candidate[: end.start()] if end else candidate


def _cut_end(group: str) -> str:
    """``group`` without the marks at its end."""
    return group if group[-1:].isdecimal() else _cut(_UNWANTED_END, group)


def _tries(candidate: str, start: int) -> Iterator[tuple[str, int]]:
    """What the matcher tries of a candidate, in its order: the whole, then groups of it."""
    yield candidate, start
    for inner in _INNER:
        at = 0
        while group := inner.search(candidate, at):
            if not at:
                yield _cut_end(candidate[: group.start()]), start
            yield _cut_end(group[1]), start + group.start(1)
            at = group.start() + 1


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
    if metadata is None:
        return 1
    # A rule of the region may add what people there leave out.
    is_rewritten = bool(metadata.national_prefix_transform_rule)
    local = metadata.general_desc.possible_length_local_only if is_rewritten else ()
    return int(min((*metadata.general_desc.possible_length, *local)))
