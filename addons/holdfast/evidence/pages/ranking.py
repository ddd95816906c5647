"""Rankings: names with counts, the most frequent first, as rows of a table that carry their own bar."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from holdfast.evidence.pages.bounds import DISTINCT_MAX, NAMES_MAX

_FULL: Final = 100.0  # the longest bar, in user units of its own small SVG

type Name = tuple[str, str]  # what is counted, and what a reader sees below it


@dataclasses.dataclass(frozen=True, slots=True)
class BarPiece:
    """A coloured piece of a bar, in hundredths of its cell."""

    tone: str
    x: float
    width: float


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One name: its counts by tone and its bar."""

    label: str
    below: str
    counts: Mapping[str, int]
    total: int
    pieces: tuple[BarPiece, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking, ready to draw. ``tones`` are tone and words; ``head`` names what is counted."""

    title: str
    about: str
    head: str
    tones: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]


class Ranking:
    """Counts by name and tone; of very many names the late ones are one, so that memory stays bounded."""

    def __init__(self) -> None:
        self._counts: Final[dict[Name, dict[str, int]]] = {}
        self._others: Final[dict[str, int]] = {}

    def add(self, name: Name, tone: str, count: int = 1) -> None:
        """``count`` more of ``tone`` for ``name``."""
        counts = self._counts.get(name)
        if counts is None:
            counts = self._others if len(self._counts) >= DISTINCT_MAX else self._counts.setdefault(name, {})
        counts[tone] = counts.get(tone, 0) + count

    def ranked(self, title: str, head: str, tones: tuple[tuple[str, str], ...], about: str = "") -> Ranked | None:
        """The most frequent names, the rest as one line; None where nothing was counted."""
        ordered = sorted(self._counts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
        shown, rest = ordered[:NAMES_MAX], ordered[NAMES_MAX:]
        rows: list[tuple[Name, Mapping[str, int]]] = [*shown]
        if rest or self._others:
            names = f"{len(rest):,} or more" if self._others else f"{len(rest):,}"
            rows.append(((f"others ({names})", ""), self._sum(rest)))
        if not rows:
            return None
        longest = max(sum(counts.values()) for _, counts in rows)
        used = tuple((tone, words) for tone, words in tones if any(counts.get(tone) for _, counts in rows))
        lines = tuple(_line(name, counts, used, longest) for name, counts in rows)
        return Ranked(title, about, head, used, lines)

    def _sum(self, rest: list[tuple[Name, dict[str, int]]]) -> Mapping[str, int]:
        total = dict(self._others)
        for _, counts in rest:
            for tone, count in counts.items():
                total[tone] = total.get(tone, 0) + count
        return total


def _line(name: Name, counts: Mapping[str, int], tones: tuple[tuple[str, str], ...], longest: int) -> Line:
    pieces: list[BarPiece] = []
    x = 0.0
    for tone, _ in tones:
        width = counts.get(tone, 0) * _FULL / longest
        if width:
            pieces.append(BarPiece(tone, round(x, 2), round(width, 2)))
        x += width
    return Line(name[0] or "not named", name[1], counts, sum(counts.values()), tuple(pieces))
