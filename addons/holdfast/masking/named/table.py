"""A table in the lines of a text, whatever stands between its cells."""

import abc
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import (
    Cell,
    Matters,
    Spend,
    cell_of,
    has_digit,
    is_kind,
    is_mostly_digits,
    is_word,
    reads_as_name,
)
from holdfast.masking.persons import is_bare_name, told

COLUMNS_MAX: Final = 256
_PAIR: Final = 2  # such a line may also be a name and its value
_LINE_CHARS: Final = 16  # to look at a line costs as much as to give so many more characters to a pattern
_NUMBERED: Final = re.compile(r"[A-Za-z][A-Za-z_ -]{0,40}[A-Za-z][ _-]?\d{1,2}")  # address1, line_2
_HEADERS_MAX: Final = 4  # of lines alike, those in which a header is looked for: a title may have a comma too

# What the second of two columns is called where the first names each value.
VALUES: Final = frozenset({"value", "values", "setting", "default", "content", "example", "wert"})
# Beside a name, in brackets: how it is written or meant, or its other form (``Date of birth (DD/MM)``, ``né(e)``).
_ASIDE: Final = re.compile(r"\s\([^()]{1,24}\)|(?<=\w)\((?:e|s|r|n|in|en|es)\)")
_AROUND: Final = " \t\r\"'`*>\ufeff"  # a name; also the sign of a quoted line, and what a file may begin with
# What heads a list of columns: their names, and what is said of each.
_SUBJECTS: Final = frozenset({"column", "column_name", "column name", "field", "name", "attribute", "property"})
_DESCRIPTIONS: Final = frozenset({"type", "data_type", "data type", "datatype", "description", "format", "meaning"})

type Bounds = list[tuple[int, int]]  # where lines, or the cells of one, begin and end


class Table(abc.ABC):
    """One way of writing tables."""

    def __init__(self, text: str, lines: Bounds, matters: Matters, spend: Spend) -> None:
        self.text = text
        self.lines = lines
        self.matters = matters
        self._spend = spend

    def cells(self) -> Iterator[Cell]:
        """The cells under columns whose name matters."""
        at, before, alike = 0, 0, 0
        while at < len(self.lines):
            self.look(at)
            count = self.count(at)
            alike = alike + 1 if count == before else 0
            names = self._header(at) if count and alike < _HEADERS_MAX else None
            if names is None:
                # Names that no rule is about are a header too: of the same form, what follows are its rows.
                alike = _HEADERS_MAX if count and not alike and self._is_of_kinds(at) else alike
                at, before = self.behind_unknown(at), count
                continue
            columns = count
            at, before = at + 1, 0
            if at + 1 < len(self.lines) and not self.line(at).strip() and self.count(at + 1) == count:
                at += 1  # one blank line below the header
            while at < len(self.lines) and (self.goes_on(at) or self.is_rule(at) or self.is_gap(at, columns)):
                self.look(at)
                if self.goes_on(at) and not self.is_rule(at):
                    yield from self.row(at, names)
                at = self.after(at)

    def _is_of_kinds(self, at: int) -> bool:
        """Whether a line heads a list of columns and their types."""
        bounds = self.bounds(at)
        if len(bounds) > COLUMNS_MAX:
            return False
        names = {self.text[start:end].strip(_AROUND).lower() for start, end in bounds}
        return not _DESCRIPTIONS.isdisjoint(names) and not _SUBJECTS.isdisjoint(names)

    def _header(self, at: int) -> list[str] | None:
        """The names in a line that may be a header, "" where one does not matter; None where none does."""
        bounds = self.bounds(at)
        if not 1 <= len(bounds) <= COLUMNS_MAX:
            return None
        names: list[str] = []
        for start, end in bounds:
            name = self._named(self.text[start:end].strip())
            if name and not reads_as_name(name) and not is_bare_name(name):
                return None  # as most lines of prose do, which have commas too
            names.append(name)
        names = told(names)
        if not any(names) or not all(reads_as_name(name) for name in names if name):
            return None
        known = [bool(name) and self.matters(name) for name in names]
        # Data has digits; a name has some only where a rule knows the name, or behind what it says.
        unknown = [name for one, name in zip(known, names, strict=True) if name and not one]
        if not any(known) or (unknown and all(map(is_kind, unknown))) or self._is_data(at, unknown, known):
            return None
        return (
            [name if one else "" for one, name in zip(known, names, strict=True)]
            if self.is_header(at, bounds)
            else None
        )

    def _named(self, cell: str) -> str:
        """What ``cell`` may call a column. In quotes, there may be a comma in it."""
        name = cell.strip(_AROUND)
        return _ASIDE.sub("", name.replace(", ", " ") if cell.startswith('"') else name)

    def _is_data(self, at: int, unknown: list[str], known: list[bool]) -> bool:
        """Whether a line is none of names: of two columns, ``user1`` is one only where no other name stands below."""
        if len(known) == _PAIR and known[0] and self.is_pair(at) and self.is_pair(at + 1):
            return True
        if len(known) > _PAIR or not any(map(has_digit, unknown)):
            return any(map(is_mostly_digits, unknown))
        return not all(map(_NUMBERED.fullmatch, unknown)) or self.is_word_below(at, known.index(True))

    def is_pair(self, at: int) -> bool:
        """Whether a line is the name of a value that matters, and its value."""
        bounds = self.bounds(at) if at < len(self.lines) and self.count(at) else []
        if len(bounds) != _PAIR:
            return False
        name, value = (self.text[slice(*one)].strip(_AROUND) for one in bounds)
        return reads_as_name(name) and self.matters(name) and not (reads_as_name(value) and self.matters(value))

    def is_word_below(self, at: int, index: int) -> bool:
        """Whether a word, or nothing, stands below a cell of the line ``at``."""
        bounds = self.bounds(at + 1) if at + 1 < len(self.lines) else []
        return index >= len(bounds) or is_word(self.text[slice(*bounds[index])].strip(_AROUND))

    def row(self, at: int, names: list[str]) -> Iterator[Cell]:
        """The cells of a line under columns with one of ``names``."""
        bounds = self.bounds(at)
        for index, name in enumerate(names):
            # A separator inside of a value moves those behind it: they are counted from both ends.
            for place in {index, index + max(0, len(bounds) - len(names))} if name else ():
                if place < len(bounds) and (cell := cell_of(self.text, *bounds[place], name)):
                    yield cell

    def line(self, at: int) -> str:
        """The text of a line."""
        start, end = self.lines[at]
        return self.text[start:end]

    def look(self, at: int) -> None:
        """Count a line that is about to be looked at."""
        start, end = self.lines[at]
        self._spend(end - start + _LINE_CHARS)

    def is_gap(self, at: int, columns: int) -> bool:  # noqa: ARG002 -- most tables end with an empty line
        """Whether a line is empty, and the next is a row of a table with so many separators."""
        return False

    def goes_on(self, at: int) -> bool:
        """Whether a line is a row of the table above."""
        return self.count(at) > 0

    def after(self, at: int) -> int:
        """The line behind a row."""
        return at + 1

    def behind_unknown(self, at: int) -> int:
        """The line behind one that names nothing which matters; where that heads a table for sure, what ends this."""
        return at + 1

    def is_rule(self, at: int) -> bool:  # noqa: ARG002 -- most tables have none
        """Whether a line is drawn, and holds nothing."""
        return False

    @abc.abstractmethod
    def count(self, at: int) -> int:
        """How many separators a line has; 0 where it is in no table."""

    @abc.abstractmethod
    def bounds(self, at: int) -> Bounds:
        """The cells of a line."""

    @abc.abstractmethod
    def is_header(self, at: int, bounds: Bounds) -> bool:
        """Whether what stands around a line of names speaks for a table."""
