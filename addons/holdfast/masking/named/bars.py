"""Cells between bars: Markdown, psql, mysql, sqlite, boxes."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, cell_of, has_digit, is_kind, reads_as_name
from holdfast.masking.named.table import VALUES, Bounds, Table

_RULE_CHARS: Final = " \t\r|+:=-"
_RULES: Final = ("--", "==", ":-", "-:")
_RECORD: Final = "-[ RECORD "  # psql's way to print a row as lines of name and value
_PAIR: Final = 2
# One word that is no call, number or type: what a line of name and value says where nothing around it does.
_DRAWN: Final = re.compile(
    r"(?!(?:sha|md|u?int|utf|uuid|base|char|string|bcrypt|argon|v|float|rfc|aes|rsa|hs|rs)-?\d)(?=\S{0,60}\d)(?=\S{0,60}[A-Za-z])"
    r"[^\s()<>{}\[\]]{6,200}|\d{3}-\d\d-\d{4}|\d{7,19}",
    re.IGNORECASE,
)


class Bars(Table):
    """Tables with a rule below the header; without one, where lines of the same form follow."""

    _is_record: bool

    def cells(self) -> Iterator[Cell]:
        """Those under columns, and those beside a name."""
        self._is_record = _RECORD in self.text
        yield from super().cells()
        is_pairs = False
        for at in range(len(self.lines)):
            self.look(at)
            if not self.count(at):
                is_pairs = is_pairs and self.is_rule(at)
                continue
            bounds = self.bounds(at)
            is_last = self.is_rule(at + 1)
            if is_last and not (is_pairs or self._is_alone(at)):
                is_pairs = len(bounds) == _PAIR and self._said(bounds[1]).lower() in VALUES
            elif len(bounds) == _PAIR:
                is_pairs = is_pairs or (not is_last and self.is_pair(at) and self.is_pair(at + 1))
                yield from self._pair(bounds) if is_pairs or self._is_record or self._is_alone(at) else ()

    def _pair(self, bounds: Bounds) -> Iterator[Cell]:
        name, is_told = self._said(bounds[0]), self._is_record or not is_kind(self._said(bounds[1]))
        if is_told and reads_as_name(name) and self.matters(name) and (cell := cell_of(self.text, *bounds[1], name)):
            yield cell

    def _is_alone(self, at: int) -> bool:
        """Whether a line between bars is a name and a value that says itself that it is one, and heads nothing."""
        bounds, line = self.bounds(at), self.line(at).strip()
        is_closed = line[:1] == "|" == line[-1:] and len(bounds) == _PAIR
        if not is_closed or not _DRAWN.fullmatch(self._said(bounds[1])):
            return False
        return not (self.is_rule(at + 1) and at + 2 < len(self.lines) and self.count(at + 2))

    def _said(self, bounds: tuple[int, int]) -> str:
        return self.text[bounds[0] : bounds[1]].strip(" \t\r`*")

    def is_rule(self, at: int) -> bool:
        """Whether a line has nothing but bars, dashes and corners."""
        line = self.line(at) if at < len(self.lines) else ""
        return not line.strip(_RULE_CHARS) and any(rule in line for rule in _RULES)

    def behind_unknown(self, at: int) -> int:
        """Rows below a header and a rule head nothing themselves."""
        count = self.count(at)
        if not count or at + 2 >= len(self.lines) or not self.is_rule(at + 1) or self.count(at + 2) != count:
            return at + 1
        if not all(reads_as_name(name) for one in self.bounds(at) if (name := self._said(one))):
            return at + 1
        at += 2
        while at < len(self.lines) and self.count(at) == count:
            self.look(at)
            at += 1
        return at

    def count(self, at: int) -> int:
        """How many bars a line has."""
        found = self.text.count("|", *self.lines[at])
        return 0 if found and self.is_rule(at) else found

    def bounds(self, at: int) -> Bounds:
        """The cells of a line; one before the first bar, or behind the last, only where something is."""
        start, end = self.lines[at]
        line = self.line(at)
        left = start + len(line) - len(line.lstrip())
        left = left + 1 if line.lstrip()[:1] == "|" else start
        right = start + len(line.rstrip())
        right = right - 1 if line.rstrip()[-1:] == "|" and right - 1 >= left else end
        found: Bounds = []
        while left <= right:
            bar = self.text.find("|", left, right)
            bar = right if bar < 0 else bar
            found.append((left, bar))
            left = bar + 1
        return found

    def is_header(self, at: int, bounds: Bounds) -> bool:
        """With a rule below it, or with lines of the same form that have no bar on one side only."""
        if self.is_rule(at + 1):
            return True
        if self._is_record:
            return False
        line = self.line(at).strip()
        is_closed = (line[:1] == "|" and (line[-1:] != "|" or has_digit(line))) or " || " in line
        is_followed = at + 1 < len(self.lines) and self.count(at + 1) == self.count(at)
        return len(bounds) > 1 and not is_closed and is_followed
