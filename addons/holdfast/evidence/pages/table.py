"""Rows of a report as a table of bounded size: which columns, which kind of cell, how many rows are left to the CSV."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Final

import markupsafe

from holdfast.evidence.pages.bounds import COLUMNS_ALL_MAX, ROWS_MAX, TABLE_CHARS_MAX
from holdfast.evidence.pages.environment import short
from holdfast.evidence.tables.material import Material, Tally
from holdfast.evidence.tables.reports import Report

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_DIGEST: Final = re.compile(r"(?:[a-z0-9-]+:)?[0-9a-f]{40,}|[A-Za-z0-9+/_-]{42,}={0,2}")
_WHOLE: Final = re.compile(r"-?\d+(?:\.\d+)?")
_LONG_CHARS: Final = 44  # a text longer than this needs a wide column, and lines
_WORD_CHARS: Final = 24  # a text up to this long is not broken over lines
_SPELLED: Final = {"ip": "IP", "url": "URL", "id": "ID", "sha256": "SHA-256", "csv": "CSV", "ms": "ms", "iss": "Issuer"}


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown: its title, and the class of its cells (n number, t time or word, d digest, long text)."""

    title: str
    kind: str


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """A cell, escaped."""

    html: markupsafe.Markup
    kind: str


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """What is shown of a report: at most ``ROWS_MAX`` rows; ``left_out`` are columns without a value in any of them."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: tuple[str, ...]
    total: int
    first_index: int | None
    last_index: int | None

    @property
    def more(self) -> int:
        """How many rows are in the CSV only."""
        return self.total - len(self.rows)


def table(report: Report, material: Material, rows_max: int = ROWS_MAX) -> Table:
    """The first rows of ``report``, and how many it has: from its tally where it was walked before, else counted."""
    tally = material.tallies.get(report.id)
    rows = report.rows(material)
    kept: list[tuple[str, ...]] = []
    chars = 0
    counted = Tally()
    place = report.columns.index(report.index) if report.index else None
    for row in rows:
        counted.count(None if place is None else row[place])
        if len(kept) < rows_max and chars <= TABLE_CHARS_MAX:
            texts = tuple("" if value is None else short(str(value)) for value in row)
            chars += sum(map(len, texts))
            kept.append(texts)
        elif tally is not None:
            break
    return _laid_out(report.columns, kept, tally or counted)


def title(name: str) -> str:
    """``source_ip`` as ``Source IP``."""
    words = [_SPELLED.get(word, word) for word in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:] if words[0] not in _SPELLED.values() else text


def _laid_out(columns: Sequence[str], kept: list[tuple[str, ...]], tally: Tally) -> Table:
    is_used = [not kept or any(row[place] for row in kept) for place in range(len(columns))]
    if len(columns) <= COLUMNS_ALL_MAX:
        is_used = [True] * len(columns)
    shown = [place for place, used in enumerate(is_used) if used]
    kinds = {place: _kind([row[place] for row in kept if row[place]]) for place in shown}
    return Table(
        columns=tuple(Column(title(columns[place]), kinds[place]) for place in shown),
        rows=tuple(tuple(_cell(row[place], kinds[place]) for place in shown) for row in kept),
        left_out=tuple(title(columns[place]).lower() for place, used in enumerate(is_used) if not used),
        total=tally.rows,
        first_index=tally.first_index,
        last_index=tally.last_index,
    )


def _kind(texts: list[str]) -> str:
    if not texts:
        return ""
    if all(_WHOLE.fullmatch(text) for text in texts):
        return "n"
    longest = max(map(len, texts))
    if all(_TIME.fullmatch(text) for text in texts) or longest <= _WORD_CHARS:
        return "t"
    if all(_DIGEST.fullmatch(text) for text in texts):
        return "d"
    return "long" if longest > _LONG_CHARS else ""


def _cell(text: str, kind: str) -> Cell:
    if match := _TIME.fullmatch(text):
        html = markupsafe.Markup('<time datetime="{}">{} {}</time>').format(text, match[1], match[2])
    elif _DIGEST.fullmatch(text):
        html = markupsafe.Markup('<code class="digest">{}</code>').format(text)
    else:
        html = markupsafe.escape(text)
    return Cell(html, kind)
