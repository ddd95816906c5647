"""The words before a place in a text, without cutting the whole text into words."""

import bisect
import itertools
import re
from typing import Final

from holdfast.masking.words import Cutter, word_stem

CONTEXT_WORDS: Final = 5  # the three of LemmaContextAwareEnhancer
CONTEXT_BOOST: Final = 0.35
CONTEXT_SCORE_MIN: Final = 0.4
_CHARS_FIRST: Final = 80  # most often five words
_CHARS_MAX: Final = 2000  # beyond, the whole text is cut, once
_BLANK: Final = re.compile(r"\s")
_WORD_START: Final = re.compile(r"\s(?=\S)")  # no piece of the cutter crosses such a place


class Nearby:
    """Looks for context words before matches in one text."""

    def __init__(self, text: str, cutter: Cutter) -> None:
        self._text = text
        self._cutter = cutter
        self._known: dict[int, list[str]] = {}
        self._whole: _Words | None = None

    def has_before(self, start: int, wanted: frozenset[str]) -> bool:
        """Whether one of ``wanted`` is the word at ``start`` or one of the five before it."""
        known = self._known.get(start)
        if known is None:
            known = self._known[start] = self._before(start)
        return not wanted.isdisjoint(known)

    def pass_over(self, start: int, end: int) -> None:
        """Take the value at ``start:end`` for masked: to what stands behind it, it is no word any more."""
        self._known.clear()
        self._words_of_all().pass_over(start, end)

    def _words_of_all(self) -> "_Words":
        if self._whole is None:
            self._whole = _Words(*self._cutter.words(self._text))
        return self._whole

    def _before(self, start: int) -> list[str]:
        if self._whole is None and 2 * len(self._known) * _CHARS_FIRST > len(self._text):
            self._words_of_all()  # for so many places, once is cheaper
        if self._whole is None:
            blank = _BLANK.search(self._text, start)
            end = max(blank.start(), start + 1) if blank else len(self._text)
            chars = _CHARS_FIRST
            while chars <= _CHARS_MAX and end - start <= _CHARS_MAX:
                words = self._words_from(self._word_start(start, chars), start, end)
                if words is not None:
                    return words
                chars *= 5
        return self._words_of_all().before(start)

    def _words_from(self, begin: int | None, start: int, end: int) -> list[str] | None:
        """The words before ``start``, where those after ``begin`` are enough to tell."""
        if begin is None:
            return None
        words: list[str] = []
        starts, pieces = self._cutter.words(self._text[begin:end])
        for at, piece in zip(reversed(starts), reversed(pieces), strict=True):
            word = word_stem(piece) if at <= start - begin else None
            if word is not None:
                words.append(word)
                if len(words) > CONTEXT_WORDS:
                    return words[::-1]
        return words[::-1] if begin == 0 else None

    def _word_start(self, start: int, chars: int) -> int | None:
        """Where a word begins, at most ``chars`` before ``start``; None where no blank tells."""
        if start <= chars:
            return 0
        gap = _WORD_START.search(self._text, start - chars, start)
        return gap.end() if gap else None


class _Stems(dict[str, str | None]):
    """The stems of pieces, each made once."""

    def __missing__(self, piece: str) -> str | None:
        word = self[piece] = word_stem(piece)
        return word


class _Words:
    """The words of a text, to look for context words before a match."""

    def __init__(self, starts: list[int], pieces: list[str]) -> None:
        """``pieces`` are those that :meth:`Cutter.words` finds, and ``starts`` where they begin."""
        known = _Stems()
        stems = list(map(known.__getitem__, pieces))
        are_words = [word is not None for word in stems]
        self._starts = list(itertools.compress(starts, are_words))
        self._stems = [word for word in stems if word is not None]
        self._passed: dict[int, int] = {}  # where a value ends and where it begins, in words

    def before(self, start: int) -> list[str]:
        """The word at ``start``, if there is one, and those before it: six at most."""
        last = bisect.bisect_right(self._starts, start)
        if not self._passed:
            return self._stems[max(0, last - CONTEXT_WORDS - 1) : last]
        found: list[str] = []
        while len(found) <= CONTEXT_WORDS:
            while last in self._passed:
                last = self._passed[last]
            if not last:
                break
            last -= 1
            found.append(self._stems[last])
        return found[::-1]

    def pass_over(self, start: int, end: int) -> None:
        """Count the words from ``start`` to ``end`` no more. It is quick where it is told in the order of the text."""
        first, last = bisect.bisect_left(self._starts, start), bisect.bisect_left(self._starts, end)
        if first < last:
            self._passed[last] = self._passed.get(first, first)
