"""Columns with one blank between them, and a single one: what a query prints without a frame.

Nothing but the form of every line speaks for such a table. So it is one only where it is the whole text, and where what
stands below the first name that matters is no word.
"""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell
from holdfast.masking.named.table import COLUMNS_MAX, Bounds, Table
from holdfast.masking.persons import PERSON, told

_CELL: Final = re.compile(r"\S+")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_.]{0,63}")


class Spaced(Table):
    """Tables of words."""

    def cells(self) -> Iterator[Cell]:
        """The cells under columns whose name matters, if the whole text is a table."""
        first = next((at for at in range(len(self.lines)) if self.line(at).strip()), None)
        names = [] if first is None else self._names(first)
        if not names or first is None:
            return
        rows = [at for at in range(first + 1, len(self.lines)) if self.line(at).strip()]
        if rows and self._is_table(rows, names):
            for at in rows:
                yield from self.row(at, names)

    def _names(self, first: int) -> list[str]:
        self.look(first)
        bounds = self.bounds(first)[: COLUMNS_MAX + 1]
        names = told([self.text[start:end] for start, end in bounds])
        if len(names) > COLUMNS_MAX or not all(_NAME.fullmatch(self.text, *one) for one in bounds):
            return []
        known = [name if self.matters(name) else "" for name in names]
        return known if any(known) else []

    def _is_table(self, rows: list[int], names: list[str]) -> bool:
        # What somebody is called is a word like another; so another column must speak for a table.
        index = next((index for index, name in enumerate(names) if name not in ("", PERSON)), None)
        if index is None or self.is_word_below(rows[0] - 1, index):
            return False
        for at in rows:
            self.look(at)
            if self.count(at) != len(names):
                return False
        return True

    def count(self, at: int) -> int:
        """How many words a line has."""
        return len(self.line(at).split())

    def bounds(self, at: int) -> Bounds:
        """The words of a line."""
        return [match.span() for match in _CELL.finditer(self.text, *self.lines[at])]

    def is_header(self, at: int, bounds: Bounds) -> bool:  # noqa: ARG002 -- a table's first line is
        """Whether a line is the first one."""
        return at == 0
