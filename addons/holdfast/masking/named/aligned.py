"""Columns with two blanks and more between them: kubectl, docker, ps, sqlite, reStructuredText."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, cell_of
from holdfast.masking.named.table import Bounds, Table

_LEFT_CHARS: Final = 8  # a number may begin so much before the name of its column; what does earlier is a sentence
_WORD: Final = re.compile(r"[A-Z][\w.-]{0,63}\r?")
_GAP: Final = re.compile(r" {2,}")


class Aligned(Table):
    """Tables under a header in capitals, or with a rule below it."""

    _columns: Bounds

    def count(self, at: int) -> int:
        """Whether a line has two columns at least."""
        start, end = self.lines[at]
        return int("  " in self.text[start:end].strip())

    def goes_on(self, at: int) -> bool:
        """Also where all cells but one are empty."""
        line = self.line(at)
        return self.count(at) > 0 or (line[:1] == " " and line.strip() != "")

    def is_rule(self, at: int) -> bool:
        """Whether a line has nothing but dashes or equals signs."""
        line = self.line(at).strip() if at < len(self.lines) else ""
        return line != "" and not line.strip("-= ")

    def bounds(self, at: int) -> Bounds:
        """What stands between gaps."""
        start, end = self.lines[at]
        found: Bounds = []
        for gap in _GAP.finditer(self.text, start, end):
            if gap.start() > start:
                found.append((start, gap.start()))
            start = gap.end()
        return [*found, (start, end)] if start < end else found

    def is_header(self, at: int, bounds: Bounds) -> bool:
        """In capitals, above a rule, or right above what is below it."""
        first = self.lines[at][0]
        ends = [start for start, _ in bounds[1:]] + [1 << 30]
        self._columns = [(start - first, end - first) for (start, _), end in zip(bounds, ends, strict=True)]
        return len(bounds) > 1 and (self.line(at).isupper() or self.is_rule(at + 1) or self._is_above(at, bounds))

    def _is_above(self, at: int, bounds: Bounds) -> bool:
        """Whether each cell is one word with a capital, right above a cell of the next line."""
        if at + 1 >= len(self.lines) or not all(_WORD.fullmatch(self.text, *one) for one in bounds):
            return False
        first, below = self.lines[at][0], self.lines[at + 1][0]
        return [start - first for start, _ in bounds] == [start - below for start, _ in self.bounds(at + 1)]

    def row(self, at: int, names: list[str]) -> Iterator[Cell]:
        """By their order where there are as many as names; else what stands below a name."""
        bounds = self.bounds(at)
        if len(bounds) == len(names):
            yield from super().row(at, names)
            return
        first = self.lines[at][0]
        for name, (left, right) in zip(names, self._columns, strict=True):
            for start, end in bounds if name else ():
                is_below = left - _LEFT_CHARS <= start - first < right and end - first > left
                if is_below and (cell := cell_of(self.text, start, end, name)):
                    yield cell
