"""Columns with two blanks and more between them: kubectl, docker, ps, sqlite, reStructuredText."""

import bisect
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, cell_of, has_digit, is_word, reads_as_name
from holdfast.masking.named.table import VALUES, Bounds, Table

_LEFT_CHARS: Final = 8  # a number may begin so much before the name of its column; what does earlier is a sentence
_WORD: Final = re.compile(r"[A-Z][\w.-]{0,63}\r?")
_LOW: Final = re.compile(r"[A-Za-z_][\w.-]{0,63}\r?")
_WORDS: Final = re.compile(r"[A-Z][\w.-]{0,63}(?: [A-Z][\w.-]{0,63}){0,3}\r?")
_PAIR: Final = 2
_FAR: Final = 1 << 30  # behind every line
_GAP: Final = re.compile(r" {2,}")


class Aligned(Table):
    """Tables under a header in capitals, or with a rule below it."""

    _columns: Bounds

    def cells(self) -> Iterator[Cell]:
        """Those under columns, and those beside a name where the second column is one of values."""
        yield from super().cells()
        is_pairs = False
        for at in range(len(self.lines)):
            self.look(at)
            bounds = self.bounds(at) if self.count(at) else []
            if len(bounds) != _PAIR:
                is_pairs = is_pairs and bounds == [] and self.is_rule(at)
                continue
            name, value = (self.text[slice(*one)].strip().strip(":") for one in bounds)
            if (
                is_pairs
                and reads_as_name(name)
                and self.matters(name)
                and (cell := cell_of(self.text, *bounds[1], name))
            ):
                yield cell
            is_pairs = is_pairs or (value.lower() in VALUES and not has_digit(name))

    def count(self, at: int) -> int:
        """Whether a line has two columns at least."""
        start, end = self.lines[at]
        return int("  " in self.text[start:end].strip())

    def goes_on(self, at: int) -> bool:
        """Also where all cells but one are empty."""
        line = self.line(at)
        return self.count(at) > 0 or (line[:1] == " " and line.strip() != "") or self._is_cut(at)

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
        ends = [start for start, _ in bounds[1:]] + [_FAR]
        self._columns = [(start - first, end - first) for (start, _), end in zip(bounds, ends, strict=True)]
        return len(bounds) > 1 and (self.line(at).isupper() or self.is_rule(at + 1) or self._is_above(at, bounds))

    def _is_above(self, at: int, bounds: Bounds) -> bool:
        """Whether each cell is a name right above a cell of the next line; in small letters, above no word."""
        if at + 1 >= len(self.lines) or not self._is_cut(at + 1):
            return False
        if all(_WORD.fullmatch(self.text, *one) for one in bounds):
            return True
        if not any(all(form.fullmatch(self.text, *one) for one in bounds) for form in (_LOW, _WORDS)):
            return False
        index = next((index for index, one in enumerate(bounds) if self.matters(self.text[slice(*one)].strip())), None)
        if index is None:
            return False
        start, end = self._cut(at + 1)[index]
        return not is_word(self.text[start:end].strip())

    def _is_cut(self, at: int) -> bool:
        """Whether a cell of a line begins right below each name, and behind a blank."""
        line = self.line(at)
        return all(
            line[start : start + 1].strip() and (start == 0 or line[start - 1].isspace()) for start, _ in self._columns
        )

    def _cut(self, at: int) -> Bounds:
        first, last = self.lines[at]
        return [(first + start, min(first + end, last)) for start, end in self._columns]

    def row(self, at: int, names: list[str]) -> Iterator[Cell]:
        """By their order where there are as many as names, or right below these; else what stands below a name."""
        bounds = self.bounds(at)
        if len(bounds) == len(names):
            yield from super().row(at, names)
            return
        is_cut = self._is_cut(at)
        for name, (left, right), one in zip(names, self._columns, self._cut(at), strict=True):
            for start, end in [one] if is_cut and name else self._below(at, bounds, left, right) if name else ():
                if cell := cell_of(self.text, start, end, name):
                    yield cell

    def _below(self, at: int, bounds: Bounds, left: int, right: int) -> Iterator[tuple[int, int]]:
        """The cells of a line that stand below a name from ``left`` up to ``right``."""
        first = self.lines[at][0]
        index = max(0, bisect.bisect_left(bounds, (first + left - _LEFT_CHARS, 0)))
        for start, end in bounds[index:]:
            if start - first >= right:
                return
            if end - first > left:
                yield start, end
