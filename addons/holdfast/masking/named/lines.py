"""Tables that are written in the lines of a text: CSV, TSV, Markdown, what psql, mysql and kubectl print.

The first line of a table names its columns::

    id,ssn            id | ssn            | id | ssn |        NAME   SSN
    1,234456789      ----+-----------     |----|-----|        ada    234456789
                       1 | 234456789      | 1  | 234 |

Each line is looked at once for each way of writing that it could be in. A table needs a name that matters, so most
lines cost a count of their separators, and are counted themselves as characters to look at.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.aligned import Aligned
from holdfast.masking.named.bars import Bars
from holdfast.masking.named.cell import Cell, Matters, Spend
from holdfast.masking.named.separated import Separated
from holdfast.masking.named.spaced import Spaced
from holdfast.masking.named.table import Bounds

_BARS: Final = "│┃║╎╏┆┇┊┋"
_BOX: Final = {code: "|" if chr(code) in _BARS else "-" for code in range(0x2500, 0x2580)}
_NUMBER: Final = re.compile(r"[ \t]{0,8}(?P<number>\d{1,6})(?:\t|\u2192|[ ]?\|[ ]|:[ ])")
_NUMBERED_MIN: Final = 2  # lines at the beginning of a text whose numbers follow each other
_DRAWN: Final = re.compile("[\u2500-\u257f]")


def cells_of_lines(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The cells of tables in ``text`` under columns whose name matters."""
    if not text.isascii() and _DRAWN.search(text):
        text = text.translate(_BOX)
    if "\n" not in text:
        if text.lstrip()[:1] == "|":
            yield from Bars(text, [(0, len(text))], matters, spend).cells()
        return
    ends = [match.start() for match in re.finditer(r"\n", text)]
    lines = list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))
    lines = _unnumbered(text, lines)
    if "|" in text:
        yield from Bars(text, lines, matters, spend).cells()
    for mark in ("\t", ",", ";"):
        if mark in text:
            yield from Separated(text, lines, matters, spend, mark).cells()
    if "  " in text:
        yield from Aligned(text, lines, matters, spend).cells()
    yield from Spaced(text, lines, matters, spend).cells()


def _unnumbered(text: str, lines: Bounds) -> Bounds:
    """``lines`` without their numbers, where each begins with its own, as tools show files."""
    numbers = [_NUMBER.match(text, *one) for one in lines[:_NUMBERED_MIN]]
    found = [int(number["number"]) for number in numbers if number is not None]
    if len(found) < _NUMBERED_MIN or any(after != before + 1 for before, after in itertools.pairwise(found)):
        return lines
    return [(number.end() if (number := _NUMBER.match(text, *one)) else one[0], one[1]) for one in lines]
