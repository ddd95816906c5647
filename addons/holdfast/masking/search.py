"""One pattern over one text: only where a match is possible, with the matches that the whole text would give.

A window is a part of a run of the pattern's own alphabet; no match crosses its ends. The text is not cut: what stands
before a window stays visible, and behind it as far as the pattern looks. What cannot be reasoned about is searched in
the whole text.
"""

import string
from collections.abc import Sequence
from typing import Any, Final, Protocol

from holdfast.masking.approx import Approximation, approximation_of, to_end_of_run
from holdfast.masking.budget import Budget
from holdfast.masking.extent import INSIDE, Extent, extent_of
from holdfast.masking.gate import need_of
from holdfast.masking.literals import words_of
from holdfast.masking.prefilter import Hits
from holdfast.masking.view import View, Windows, WindowsKey

_DIGITS: Final = frozenset("0123456789")
_LETTERS: Final = frozenset(string.ascii_letters.encode())
_LINE_END: Final = frozenset(b"\n")  # it stands between texts that are scanned together
_LETTERS_MAX: Final = 12  # of an alphabet of numbers and marks: those of hexadecimal digits in both cases
_GAP_CHARS: Final = 24  # to look through as many takes less than to begin another search
BEHIND_MAX: Final = 128  # what looks back further is searched anew each time
WINDOWS_MAX: Final = 16_384  # windows of a message that are known: some 10 MB at most
_KNOWN_CHARS_MAX: Final = 512  # of a window that is
_DIGITS_TOLD: Final = 3  # a pattern of fewer digits ends once in a number


class Filtered(Protocol):
    """What a prefilter may decide about: a pattern, and the number under which the prefilter knows it."""

    filter: int | None
    is_foreign: bool  # whether every match holds one of a few words, each with a letter beyond ASCII

    @property
    def approximation(self) -> Approximation | None:
        """What every match contains."""

    @property
    def needs_digit(self) -> bool:
        """Whether every match holds a digit."""


class Spans(Filtered, Protocol):
    """A search of which only the places are wanted."""

    def spans(self, view: View, hits: Hits | None, budget: Budget) -> Sequence[tuple[int, int]]:
        """Where the matches stand, in order.

        Raises:
            TimeoutError: the pattern takes too long.
            MaskingError: the message takes too long.
        """


class Search:
    """A compiled pattern of the ``regex`` module, and what is known of its matches."""

    def __init__(self, compiled: Any, group: str | int = 0) -> None:
        """Of the matches of ``compiled``, ``group`` is what is looked for."""
        self._group = group
        self._finditer = compiled.finditer
        self._words = tuple(sorted(words_of(compiled.pattern)))
        self.is_foreign = bool(self._words) and not any(map(str.isascii, self._words))
        self._foreign = {word: frozenset(word) for word in self._words if self.is_foreign}
        # To a prefilter one letter beyond ASCII is like another: the words say more.
        self.approximation = None if self.is_foreign else approximation_of(compiled.pattern, compiled.flags)
        self.filter: int | None = None
        need = need_of(compiled.pattern)
        self._length = need.length
        self._digits = need.digits
        self._one_of = tuple(need.one_of)
        extent = extent_of(compiled.pattern, compiled.flags)
        anchors = _DIGITS if need.digits else min(need.one_of, key=_size, default=None)
        self._table = extent.table if extent else None
        self._width = extent.width if extent else None
        self._reach = extent.reach if extent else 0
        self._behind = max(1, extent.behind) if extent else BEHIND_MAX + 1
        run = _number_run(extent) if extent and need.digits >= _DIGITS_TOLD else None
        told = self.approximation
        if run and told is not None and (not told.beyond or told.members <= run):
            # Else each digit of a long number ends a match of the approximation.
            self.approximation, self._width = to_end_of_run(told, run), None
        self._key: WindowsKey | None = None
        if extent and anchors and need.length:
            self._key = (extent.anchored(anchors), extent.width, need.length, need.digits)

    @property
    def needs_digit(self) -> bool:
        """Whether every match holds a digit."""
        return self._digits > 0

    def spans(self, view: View, hits: Hits | None, budget: Budget) -> Sequence[tuple[int, int]]:
        """Where the matches stand, in order. ``hits`` is what the prefilter says of the text; None: nothing.

        Raises:
            TimeoutError: the pattern takes too long.
            MaskingError: the message takes too long.
        """
        found: list[tuple[int, int]] = []
        for start, end in _joined(self._windows(view, hits), max(_GAP_CHARS, self._reach)):
            spans = self._in_window(view, start, end, budget)
            if spans is None:
                return self._in_all(view, budget)
            found += spans
        return found

    def _in_window(self, view: View, start: int, end: int, budget: Budget) -> Sequence[tuple[int, int]] | None:
        """The matches that begin in a window; None where that takes more of the text to tell.

        The same window comes again with every spelling of a text, and when the text is looked at again. It is counted
        each time: there may be very many that are known.
        """
        budget.spend(end - start)
        if end - start > _KNOWN_CHARS_MAX or self._behind > BEHIND_MAX:
            return self._searched(view, start, end, budget)
        low = max(0, start - self._behind)
        seen = view.text[low : end + self._reach]
        key = (self, seen, start - low, end - low, end < view.length)
        known = budget.windows.get(key)
        if known is None:
            spans = self._searched(view, start, end, budget)
            if spans is None:
                return None
            known = tuple([(first - low, last - low) for first, last in spans])
            if len(budget.windows) < WINDOWS_MAX:
                budget.windows[key] = known
        return [(low + first, low + last) for first, last in known] if known else ()

    def _searched(self, view: View, start: int, end: int, budget: Budget) -> Sequence[tuple[int, int]] | None:
        stop = min(end + self._reach, view.length)
        found: list[tuple[int, int]] = []
        # concurrent=False: giving up the interpreter's lock for a search of microseconds costs more than the search.
        for match in self._finditer(view.text, start, stop, concurrent=False, timeout=budget.search_s):
            if match.start() >= end and end < view.length:  # at the end of a text, one may have no character
                break
            if match.end() > end:  # seen because the text seemed to end there
                return None
            if match.end(self._group) >= 0:
                found.append(match.span(self._group))
        return found

    def _in_all(self, view: View, budget: Budget) -> Sequence[tuple[int, int]]:
        matches = self._finditer(view.text, concurrent=False, timeout=budget.search_s)
        return [match.span(self._group) for match in matches if match.end(self._group) >= 0]

    def _windows(self, view: View, hits: Hits | None) -> Windows:
        if hits is not None and self.filter is not None:
            ends = hits.get(self.filter)
            if ends is None:
                return ()
            if ends and self._table is not None and self.approximation is not None:
                return view.around(ends, self._table, self._width, self.approximation.beyond)
        elif view.length < self._length or view.digits < self._digits or not self._is_possible(view):
            return ()
        return ((0, view.length),) if self._key is None else view.windows(self._key)

    def _is_possible(self, view: View) -> bool:
        for chars in self._one_of:
            if view.chars.isdisjoint(chars):
                return False
        if self.is_foreign:
            return view.has_foreign(self._foreign)
        if not self._words:
            return True
        lower = view.lower
        for word in self._words:  # noqa: SIM110 -- a generator costs more than the tests; this is the hot loop
            if word in lower:
                return True
        return False


def _joined(windows: Windows, gap: int) -> Sequence[tuple[int, int]]:
    """``windows``, and what is between two of at most ``gap`` characters: no match is there, or crosses into it."""
    joined: list[tuple[int, int]] = []
    last = -1 - gap
    for start, end in windows:
        joined.append((joined.pop()[0] if start - last <= gap else start, end))
        last = end
    return joined


def _number_run(extent: Extent) -> frozenset[int] | None:
    """The digits and marks within a line of an alphabet that hardly has anything else; None for any other."""
    members = frozenset(byte for byte in range(0x80) if extent.table[byte] == INSIDE[0])
    return members - _LETTERS - _LINE_END if len(members & _LETTERS) <= _LETTERS_MAX else None


def _size(chars: frozenset[str]) -> tuple[int, list[str]]:
    return len(chars), sorted(chars)
