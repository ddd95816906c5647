"""Where something may be found in a text that was not found before some of it was masked.

Every look at a text is as long as the first, and most find nothing. What a mask may bring to light stands beside it: a
value that ran into the one that is gone, or a value that a word of context is nearer to, now that the value between
counts no more. So only that is looked at once more, with as much around it as it takes to see what it is.
"""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Final

from holdfast.masking.spelling import Stretch
from holdfast.masking.spellings import RUN_CHARS_MAX
from holdfast.masking.words import is_word

_WORDS_MIN: Final = 12  # twice those that give context: a part of a value may be taken for a word
_SEEN_CHARS: Final = 64  # how far patterns look beyond their matches
_AROUND_CHARS: Final = 448  # what is seen around what may be found: no shipped pattern that ends on a line has more
_STEP_CHARS: Final = 128
_STOPS: Final = " \n<>&;,|"  # no key or token goes on behind one of these
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """``start:end`` of a text is looked at for what lies, in part at least, in ``first:last`` of it."""

    start: int
    end: int
    first: int
    last: int

    def counts(self, start: int, end: int) -> bool:
        """Whether a finding at ``start:end`` may be new."""
        return end >= self.first and start <= self.last

    def is_cut(self, start: int, end: int, length: int) -> bool:
        """Whether a finding at ``start:end`` of the text, of ``length`` characters, might go on where this ends."""
        return start == self.start != 0 or end == self.end != length


def looks_near(text: str, places: Sequence[Stretch], without_masks: Callable[[str], str]) -> list[Look] | None:
    """The looks at ``text`` that it takes where masks were put at ``places``, in order; None: all of it at once."""
    looks: list[Look] = []
    left_chars = len(text) // 2  # with more to look at, to cut the text up saves nothing
    for start, end in places:
        look = _look(text, start, end, without_masks)
        if look is None:
            return None
        if looks and look.start <= looks[-1].end:
            before = looks.pop()
            left_chars += before.end - before.start
            look = Look(min(before.start, look.start), max(before.end, look.end), before.first, look.last)
        looks.append(look)
        left_chars -= look.end - look.start
        if left_chars < 0:
            return None
    return looks


def _look(text: str, start: int, end: int, without_masks: Callable[[str], str]) -> Look | None:
    first, last = max(0, start - _SEEN_CHARS), min(len(text), end + _SEEN_CHARS)
    left, right = _before(text, first, without_masks), _behind(text, last, without_masks)
    if left is None or right is None:
        return None
    left = min(left, first - _AROUND_CHARS)
    return Look(_stop_before(text, left), _stop_behind(text, right + _AROUND_CHARS), first, right)


def _before(text: str, at: int, without_masks: Callable[[str], str]) -> int | None:
    """A place that has enough words between it and ``at``; None where it is far."""
    for chars in range(_STEP_CHARS, RUN_CHARS_MAX, _STEP_CHARS):
        if at <= chars:
            return 0
        if _has_words(without_masks(text[at - chars : at])):
            return at - chars
    return None


def _behind(text: str, at: int, without_masks: Callable[[str], str]) -> int | None:
    """The same behind ``at``."""
    for chars in range(_STEP_CHARS, RUN_CHARS_MAX, _STEP_CHARS):
        if at + chars >= len(text):
            return len(text)
        if _has_words(without_masks(text[at : at + chars])):
            return at + chars
    return None


def _has_words(text: str) -> bool:
    return sum(map(is_word, _WORD.findall(text))) >= _WORDS_MIN


def _stop_before(text: str, at: int) -> int:
    if at <= 0:
        return 0
    low = max(0, at - RUN_CHARS_MAX)
    found = max([text.rfind(stop, low, at) for stop in _STOPS])
    return found if found >= 0 else low


def _stop_behind(text: str, at: int) -> int:
    high = at + RUN_CHARS_MAX
    found = [place for place in [text.find(stop, at, high) for stop in _STOPS] if place >= 0]
    return min(found, default=min(high, len(text)))
