"""Rows of SQL: ``INSERT INTO t (id, ssn) VALUES (1, '…')``, and the ``COPY t (id, ssn) FROM stdin`` of a dump."""

import bisect
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of
from holdfast.masking.persons import told

_INSERT: Final = re.compile(
    r"\binto\s{1,3}[\w.\"`\[\]]{1,200}\s{0,3}\((?P<columns>[^()]{1,4096})\)\s{0,9}(?:output\s[^()]{1,200}?\s)?(?:values|select)\b\s{0,9}",
    re.IGNORECASE,
)
_COPY: Final = re.compile(
    r"\bcopy\s{1,3}[\w.\"]{1,200}\s{0,3}\((?P<columns>[^()]{1,4096})\)\s{1,9}from\s{1,9}stdin[^\n]{0,200}\n",
    re.IGNORECASE,
)
_OPEN: Final = r"\s{0,99}(?P<open>\(?)\s{0,99}(?:[NEXnexBb](?='))?"
_VALUE: Final = re.compile(
    rf"{_OPEN}(?P<value>'(?:[^']|'')*+'|(?:[^,()']{{1,512}}+|\([^()]{{0,200}}\)){{0,8}}+)\s{{0,99}}"
)
# As MySQL reads it. To others a backslash is one, so the value counts where the next one, or the end, follows it.
_ESCAPED: Final = re.compile(
    rf"{_OPEN}(?P<value>'(?:[^'\\]|\\.|'')*+'|\"(?:[^\"\\]|\\.|\"\")*+\")\s{{0,99}}(?=[,);]|\Z)", re.DOTALL
)
_END: Final = re.compile(r"(?P<close>\)?)\s{0,99}(?P<more>,?)")


def cells_of_sql(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values of rows in ``text`` for columns whose name matters."""
    if "(" not in text:
        return
    lower = text.lower()
    if "into" not in lower and "stdin" not in lower:
        return
    inserts = list(_INSERT.finditer(text))
    starts = [match.start() for match in inserts]
    for match in inserts:
        names = _names(match["columns"], matters)
        if names is not None:
            yield from _tuples(text, match.end(), starts, names, spend)
    blocks = list(_COPY.finditer(text))
    for match, stop in zip(blocks, [*(block.start() for block in blocks[1:]), len(text)], strict=False):
        names = _names(match["columns"], matters)
        if names is not None:
            yield from _lines(text, match.end(), stop, names)


def _names(columns: str, matters: Matters) -> list[str] | None:
    names = told([name.strip(' \t\r\n"`[]') for name in columns.split(",")])
    known = [name if name and matters(name) else "" for name in names]
    return known if any(known) else None


def _tuples(text: str, at: int, starts: list[int], names: list[str], spend: Spend) -> Iterator[Cell]:
    """The values from ``at`` on; another of the statements that begin at ``starts`` ends them, outside of quotes."""
    index = 0
    while True:
        value = _value(text, at)
        end = None if value is None else _END.match(text, value.end())
        if value is None or end is None or end.end() == at:
            return
        spend(end.end() - at)
        is_quoted = value["value"][:1] in ("'", '"')
        if not is_quoted and bisect.bisect_left(starts, at) != bisect.bisect_left(starts, value.end()):
            return
        index = 0 if value["open"] else index
        name = names[index] if index < len(names) else ""
        if name and (cell := cell_of(text, *value.span("value"), name)):
            yield cell
        index += 1
        at = end.end()
        if not end["more"]:
            return


def _value(text: str, at: int) -> re.Match[str] | None:
    return _ESCAPED.match(text, at) or _VALUE.match(text, at)


def _lines(text: str, at: int, last: int, names: list[str]) -> Iterator[Cell]:
    while at < last and not text.startswith("\\.", at):
        end = text.find("\n", at, last)
        end = last if end < 0 else end
        for name in names:
            stop = text.find("\t", at, end)
            stop = end if stop < 0 else stop
            if name and (cell := cell_of(text, at, stop, name)):
                yield cell
            at = min(stop + 1, end)
        at = end + 1
