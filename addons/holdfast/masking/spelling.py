"""A text in another spelling, and where in the original each of its characters came from."""

import bisect
import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Final

type Stretch = tuple[int, int]  # start and end in a text
type Unit = tuple[str, int]  # what stands in the new spelling, and how many characters of the old one it stands for

_CHARS_SOUGHT_MAX: Final = 16  # of more, the text is looked through once
CHANGES_MAX: Final = 256  # of one spelling; one with more is taken to differ all over


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """``text``, and for each of its characters the index in the original; one more at the end, where the original ends.

    Several characters may come from one place of the original (a ligature), and one from many (an escape): these are
    its units, and a span always covers whole ones. ``changes`` are where ``text`` differs from what it was made of.
    """

    text: str
    origins: list[int]
    changes: tuple[Stretch, ...] = ()

    def span(self, start: int, end: int) -> Stretch:
        """The span of the original that ``start:end`` of this spelling came from."""
        last = self.origins[end - 1]
        while self.origins[end] == last:
            end += 1
        return self.origins[start], self.origins[end]

    def is_cut(self, start: int, end: int, length: int) -> bool:
        """Whether the span ``start:end`` of the original, of ``length`` characters, might go on where this ends."""
        return start == self.origins[0] != 0 or end == self.origins[-1] != length

    def part(self, start: int, end: int) -> "Spelling":
        """``start:end`` of this spelling, and what is left of the units that this cuts."""
        while start and self.origins[start] == self.origins[start - 1]:
            start -= 1
        while end < len(self.text) and self.origins[end] == self.origins[end - 1]:
            end += 1
        return Spelling(self.text[start:end], self.origins[start : end + 1])

    def then(self, inner: "Spelling | None") -> "Spelling":
        """``inner``, a spelling of this one's text, as one of the original; this one where there is none."""
        if inner is None:
            return self
        return Spelling(inner.text, [self.origins[index] for index in inner.origins], inner.changes)

    def swapped(self, chars: Mapping[str, str]) -> "Spelling":
        """This spelling with what each of ``chars`` stands for in its place; what was changed before counts too."""
        places = _places(self.text, chars)
        changes = _few([*self.changes, *((at, at + 1) for at in places)], len(self.text))
        if all(len(seen) == 1 for seen in chars.values()):
            text = self.text.translate({ord(char): seen for char, seen in chars.items()})
            return Spelling(text, self.origins, changes)
        parts: list[str] = []
        starts: list[int] = []
        done = 0
        for at in places:
            seen = chars[self.text[at]]
            parts += (self.text[done:at], seen)
            starts += range(done, at)
            starts += [at] * len(seen)
            done = at + 1
        starts += range(done, len(self.text) + 1)
        parts.append(self.text[done:])
        moved = [(bisect.bisect_left(starts, start), bisect.bisect_left(starts, end)) for start, end in changes]
        return Spelling("".join(parts), [self.origins[at] for at in starts], tuple(moved))


def respelled(text: str, pattern: re.Pattern[str], units: Callable[[re.Match[str]], list[Unit]]) -> Spelling | None:
    """``text`` with what ``units`` makes of each match of ``pattern``, covering it; None where nothing changes."""
    parts: list[str] = []
    origins: list[int] = []
    changes: list[Stretch] = []
    at = 0
    for match in pattern.finditer(text):
        parts.append(text[at : match.start()])
        origins.extend(range(at, match.start()))
        at = match.start()
        first = len(origins)
        for shown, width in units(match):
            parts.append(shown)
            origins.extend([at] * len(shown))
            at += width
        changes.append((first, len(origins)))
    if not at:
        return None
    parts.append(text[at:])
    origins.extend(range(at, len(text) + 1))
    new = "".join(parts)
    return None if new == text else Spelling(new, origins, _few(changes, len(new)))


def _places(text: str, chars: Mapping[str, str]) -> list[int]:
    """Where any of ``chars`` stands."""
    if len(chars) > _CHARS_SOUGHT_MAX:
        return [at for at, char in enumerate(text) if char in chars]
    places: list[int] = []
    for char in chars:
        at = text.find(char)
        while at >= 0:
            places.append(at)
            at = text.find(char, at + 1)
    return sorted(places)


def _few(changes: list[Stretch], length: int) -> tuple[Stretch, ...]:
    return tuple(sorted(changes)) if len(changes) <= CHANGES_MAX else ((0, length),)
