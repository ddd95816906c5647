"""Cells between commas, semicolons or tabs, in quotes where one of those is in them."""

import bisect
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of, is_kind, reads_as_name
from holdfast.masking.named.table import VALUES, Bounds, Table

_QUOTED: Final = re.compile(r' {0,8}"(?:[^"]|""){0,4096}" {0,8}\r?')
_WORD: Final = re.compile(r"[\w.-]+")
_PAIR: Final = 2
_NEAR: Final = 5  # records behind a header, one of which must be as long as it is


class Separated(Table):
    """Tables as RFC 4180 has them, and with other separators."""

    def __init__(self, text: str, lines: Bounds, matters: Matters, spend: Spend, mark: str) -> None:
        """``mark`` stands between the cells."""
        super().__init__(text, lines, matters, spend)
        self._mark = mark
        self._ends = [end for _, end in lines]
        self._counts = [text.count(mark, start, end) for start, end in lines]
        self._known: tuple[int, Bounds] = (-1, [])

    def cells(self) -> Iterator[Cell]:
        """Those under columns, and those behind a name and a tab."""
        yield from super().cells()
        is_pairs = False
        for at, count in enumerate(self._counts):
            self.look(at)
            if count != 1 or len(bounds := self.bounds(at)) != _PAIR:
                is_pairs = False
                continue
            name, value = (self.text[slice(*one)].strip(' \t\r":') for one in bounds)
            if is_pairs or (self._mark == "\t" and not any(map(str.isspace, value)) and not is_kind(value)):
                cell = cell_of(self.text, *bounds[1], name) if reads_as_name(name) and self.matters(name) else None
                yield from () if cell is None else (cell,)
            is_pairs = is_pairs or value.lower() in VALUES

    def count(self, at: int) -> int:
        """How many separators a line has."""
        return self._counts[at]

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

    def _is_like(self, found: Bounds, bounds: Bounds) -> bool:
        """Whether a record has as many cells as ``bounds``, but for an empty one at its end."""
        return len(found) == len(bounds) or (len(found) == len(bounds) + 1 and found[-1][0] >= found[-1][1])

    def goes_on(self, at: int) -> bool:
        """Also where the first cell, in quotes, is of more than one line."""
        return self.count(at) > 0 or (self.text.startswith('"', self.lines[at][0]) and len(self.bounds(at)) > 1)

    def is_gap(self, at: int, columns: int) -> bool:
        """A blank line between records."""
        return not self.line(at).strip() and at + 1 < len(self.lines) and self.count(at + 1) == columns

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
        """With a record of as many cells or more behind it; spaced like a sentence only if all are single words."""
        if len(bounds) < _PAIR or at + 1 >= len(self.lines):
            return False
        first = self.line(at)[:1]
        # Behind a blank, as lines of a patch that did not change, only above others that did.
        if first == "\t" or (first == " " and self.line(at + 1)[:1] not in ("+", "-")):
            return False
        cells = [self.text[start:end].rstrip("\r") for start, end in bounds]
        if not any(cell.strip() for cell in cells[1:]):
            return False  # a statement of a program, which ends in a semicolon
        cells[0] = cells[0].removeprefix(" ")
        is_plain = all(_WORD.fullmatch(cell.strip(" >\ufeff")) for cell in cells)
        is_tight = all(cell == cell.strip() for cell in cells)
        near = [self.bounds(line) for line in range(at + 1, min(at + _NEAR, len(self.lines)))]
        if not any(self._is_like(found, bounds) for found in near):
            # Words without a blank between them are no sentence: a row may have more cells than the header.
            return is_plain and is_tight and any(len(found) > len(bounds) for found in near)
        return is_tight or (is_plain and (len(cells) > _PAIR or self._is_of_words(near)))

    def _is_of_words(self, near: list[Bounds]) -> bool:
        """Whether each cell of the first record is one word, so that it is no part of a sentence."""
        first = next((found for found in near if len(found) > 1), [])
        return len(first) == _PAIR and all(len(self.text[start:end].strip(" >\r").split()) == 1 for start, end in first)
