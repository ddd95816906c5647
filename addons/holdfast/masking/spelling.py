"""A text in another spelling, and where in the original each of its characters came from."""

import bisect
import dataclasses
import itertools
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from holdfast.masking.origins import Origins, Pieces, from_place

type Stretch = tuple[int, int]  # start and end in a text
type Unit = tuple[str, int]  # what stands in the new spelling, and how many characters of the old one it stands for

_CHARS_SOUGHT_MAX: Final = 16  # of more, the text is looked through once
_SHORT_CHARS: Final = 64  # so is a short text, sooner than each is sought in it
_END: Final = operator.itemgetter(1)  # of a stretch
CHANGES_MAX: Final = 256  # of one spelling; one with more is taken to differ all over


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """``text``, and for each of its characters the index in the original; one more at the end, where the original ends.

    Several characters may come from one place of the original (a ligature), and one from many (an escape): these are
    its units, and a span always covers whole ones. ``changes`` are where ``text`` differs from ``base``, of which it is
    made, in order and apart from each other.
    """

    text: str
    origins: Origins
    changes: tuple[Stretch, ...] = ()
    base: str = ""

    @property
    def changed_chars(self) -> int:
        """In how many characters this differs from what it was made of, about."""
        return sum([end - start for start, end in self.changes])

    def span(self, start: int, end: int) -> Stretch:
        """The span of the original that ``start:end`` of this spelling came from."""
        last, behind = self.origins[end - 1], self.origins[end]
        while behind == last:
            end += 1
            behind = self.origins[end]
        return self.origins[start], behind

    def is_cut(self, spans: Iterable[Stretch], length: int) -> bool:
        """Whether one of ``spans`` of the original, of ``length`` characters, might go on where this ends."""
        first, last = self.origins[0], self.origins[len(self.text)]
        return any(start == first != 0 or end == last != length for start, end in spans)

    def is_far(self, start: int, end: int, reach: int) -> bool:
        """Whether the span ``start:end`` of this part of a spelling is further than ``reach`` from any change."""
        behind = bisect.bisect_left(self.changes, start - reach, key=_END)
        return behind == len(self.changes) or self.changes[behind][0] > end + reach

    def part(self, start: int, end: int) -> "Spelling":
        """``start:end`` of this spelling, and what is left of the units that this cuts."""
        if start == 0 and end == len(self.text):
            return self
        while start and self.origins[start] == self.origins[start - 1]:
            start -= 1
        while end < len(self.text) and self.origins[end] == self.origins[end - 1]:
            end += 1
        near: list[Stretch] = []
        for low, high in self.changes:
            if near and low - start <= near[-1][1]:
                near[-1] = (near[-1][0], max(near[-1][1], high - start))
            elif high >= start and low <= end:
                near.append((low - start, high - start))
        return Spelling(self.text[start:end], from_place(start).beyond(self.origins), tuple(near))

    def then(self, inner: "Spelling | None") -> "Spelling":
        """``inner``, a spelling of this one's text, as one of the original; this one where there is none."""
        if inner is None:
            return self
        return Spelling(inner.text, inner.origins.beyond(self.origins), inner.changes, self.text)

    def over(self, inner: "Spelling | None") -> "Spelling":
        """The same as :meth:`then`, where this one is not searched itself: what is changed in it counts too."""
        if inner is None:
            return self
        moved = [(inner.origins.index_of(start), inner.origins.index_of(end)) for start, end in self.changes]
        changes = _few([*moved, *inner.changes], len(inner.text))
        return Spelling(inner.text, inner.origins.beyond(self.origins), changes, self.base)

    def swapped(self, chars: Mapping[str, str]) -> "Spelling":
        """This spelling with what each of ``chars`` stands for in its place; what was changed before counts too."""
        if sum(map(self.text.count, chars)) > CHANGES_MAX and max(map(len, chars.values())) <= 1:
            return self._swapped_all_over(chars)
        places = _places(self.text, chars)
        changes = _few([*self.changes, *((at, at + 1) for at in places)], len(self.text))
        if all(len(seen) == 1 for seen in chars.values()):
            return Spelling(translated(self.text, chars), self.origins, changes, self.base)
        parts: list[str] = []
        pieces = Pieces()
        done = 0
        for at in places:
            seen = chars[self.text[at]]
            parts += (self.text[done:at], seen)
            pieces.copy(done, at)
            pieces.stand(at, len(seen))
            done = at + 1
        parts.append(self.text[done:])
        pieces.copy(done, len(self.text))
        origins = pieces.done(len(self.text))
        moved = tuple((origins.index_of(start), origins.index_of(end)) for start, end in changes)
        return Spelling("".join(parts), origins.beyond(self.origins), moved, self.base)

    def _swapped_all_over(self, chars: Mapping[str, str]) -> "Spelling":
        """The same, where what stands for each is one character or none, and there are many of them."""
        text = translated(self.text, {char: seen for char, seen in chars.items() if seen})
        dropped = [char for char, seen in chars.items() if not seen]
        if not dropped:
            return Spelling(text, self.origins, ((0, len(text)),), self.base)
        gaps = [match.span() for match in re.finditer(f"[{''.join(map(re.escape, dropped))}]+", self.text)]
        starts = [0, *(end for _, end in gaps)]
        kept = [text[start:end] for start, end in zip(starts, (*(start for start, _ in gaps), len(text)), strict=True)]
        new = "".join(kept)
        origins = Origins([0, *itertools.accumulate(map(len, kept))], [*starts, len(text)])
        return Spelling(new, origins.beyond(self.origins), ((0, len(new)),), self.base)


def as_it_stands(text: str, start: int = 0) -> Spelling:
    """``text`` itself, which stands at ``start`` of the original."""
    return Spelling(text, from_place(start), (), text)


def respelled(text: str, pattern: re.Pattern[str], units: Callable[[re.Match[str]], list[Unit]]) -> Spelling | None:
    """``text`` with what ``units`` makes of each match of ``pattern``; None where nothing changes.

    They stand for the beginning of the match, or all of it. Where there are none, it stays.
    """
    parts: list[str] = []
    pieces = Pieces()
    changes: list[Stretch] = []
    known: dict[str, list[Unit]] = {}  # the same few escapes come again and again
    at = 0
    for match in pattern.finditer(text):
        found = known.get(match[0])
        if found is None:
            found = known[match[0]] = units(match)
        if not found:
            continue
        start = match.start()
        parts.append(text[at:start])
        pieces.copy(at, start)
        first = pieces.length
        at = pieces.stand_all(start, found, parts)
        changes.append((first, pieces.length))
    if not at:
        return None
    parts.append(text[at:])
    pieces.copy(at, len(text))
    new = "".join(parts)
    return None if new == text else Spelling(new, pieces.done(len(text)), _few(changes, len(new)))


def translated(text: str, chars: Mapping[str, str]) -> str:
    """``text`` with each of ``chars``, of one character like what stands for it, replaced."""
    if len(chars) > _CHARS_SOUGHT_MAX or not chars.keys().isdisjoint(chars.values()):
        return text.translate({ord(char): seen for char, seen in chars.items()})
    for char, seen in chars.items():
        text = text.replace(char, seen)
    return text


def _places(text: str, chars: Mapping[str, str]) -> list[int]:
    """Where any of ``chars`` stands."""
    if len(chars) > _CHARS_SOUGHT_MAX or len(text) <= _SHORT_CHARS:
        return [at for at, char in enumerate(text) if char in chars]
    places: list[int] = []
    for char in chars:
        at = text.find(char)
        while at >= 0:
            places.append(at)
            at = text.find(char, at + 1)
    return sorted(places)


def _few(changes: list[Stretch], length: int) -> tuple[Stretch, ...]:
    """``changes`` in order and apart from each other; all of the text where they are many."""
    if len(changes) > CHANGES_MAX:
        return ((0, length),)
    apart: list[Stretch] = []
    for start, end in sorted(changes):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return tuple(apart)
