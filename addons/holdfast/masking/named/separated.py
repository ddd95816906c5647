"""Cells between commas, semicolons or tabs, in quotes where one of those is in them."""

import bisect
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, cell_of, reads_as_name
from holdfast.masking.named.table import Bounds, Table

_QUOTED: Final = re.compile(r' {0,8}"(?:[^"]|""){0,4096}" {0,8}\r?')
_WORD: Final = re.compile(r"[\w.-]+")
_PAIR: Final = 2


class Separated(Table):
    """Tables as RFC 4180 has them, and with other separators."""

    def __init__(self, text: str, lines: Bounds, matters: Matters, mark: str) -> None:
        """``mark`` stands between the cells."""
        super().__init__(text, lines, matters)
        self._mark = mark
        self._ends = [end for _, end in lines]
        self._known: tuple[int, Bounds] = (-1, [])

    def cells(self) -> Iterator[Cell]:
        """Those under columns, and those behind a name and a tab."""
        yield from super().cells()
        for at in range(len(self.lines)) if self._mark == "\t" else ():
            if self.count(at) != 1 or len(bounds := self.bounds(at)) != _PAIR:
                continue
            name = self.text[slice(*bounds[0])].strip(" \t:")
            cell = cell_of(self.text, *bounds[1], name) if reads_as_name(name) and self.matters(name) else None
            if cell is not None and not any(map(str.isspace, self.text[cell.start : cell.end])):
                yield cell

    def count(self, at: int) -> int:
        """How many separators a line has."""
        return self.text.count(self._mark, *self.lines[at])

    def bounds(self, at: int) -> Bounds:
        """The cells of the record that begins with a line, and may go on in the next."""
        if self._known[0] == at:
            return self._known[1]
        start, end = self.lines[at]
        found: Bounds = []
        while start <= end:
            stop = self._stop(start, end)
            if stop > end:
                end = self._ends[bisect.bisect_left(self._ends, stop)]
            found.append((start, stop))
            start = stop + 1
        self._known = (at, found)
        return found

    def goes_on(self, at: int) -> bool:
        """Also where the first cell, in quotes, is of more than one line."""
        return self.count(at) > 0 or (self.text.startswith('"', self.lines[at][0]) and len(self.bounds(at)) > 1)

    def after(self, at: int) -> int:
        """The line behind the record."""
        bounds = self.bounds(at)
        return max(at, bisect.bisect_left(self._ends, bounds[-1][1])) + 1 if bounds else at + 1

    def _stop(self, start: int, end: int) -> int:
        """Where the field ends that begins at ``start``."""
        quoted = _QUOTED.match(self.text, start)
        if quoted is not None and self.text[quoted.end() : quoted.end() + 1] in ("", "\n", self._mark):
            return quoted.end()
        stop = self.text.find(self._mark, start, end)
        return end if stop < 0 else stop

    def is_header(self, at: int, bounds: Bounds) -> bool:
        """With a record of as many cells behind it; what is spaced like a sentence only if all are single words."""
        if len(bounds) < _PAIR or self.line(at)[:1] in (" ", "\t") or at + 1 >= len(self.lines):
            return False
        if len(self.bounds(at + 1)) != len(bounds):
            return False
        cells = [self.text[start:end].rstrip("\r") for start, end in bounds]
        is_tight = all(cell == cell.strip() for cell in cells)
        return is_tight or (len(cells) > _PAIR and all(_WORD.fullmatch(cell.strip()) for cell in cells))
