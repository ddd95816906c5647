"""Tables that are written in the lines of a text: CSV, TSV, Markdown, what psql, mysql and kubectl print.

The first line of a table names its columns::

    id,ssn            id | ssn            | id | ssn |        NAME   SSN
    1,234456789      ----+-----------     |----|-----|        ada    234456789
                       1 | 234456789      | 1  | 234 |

Each line is looked at once for each way of writing that it could be in. A table needs a name that matters, so most
lines cost a count of their separators, and are counted themselves as characters to look at.
"""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.aligned import Aligned
from holdfast.masking.named.bars import Bars
from holdfast.masking.named.cell import Cell, Matters, Spend
from holdfast.masking.named.separated import Separated
from holdfast.masking.named.spaced import Spaced

_BARS: Final = "│┃║╎╏┆┇┊┋"
_BOX: Final = {code: "|" if chr(code) in _BARS else "-" for code in range(0x2500, 0x2580)}
_DRAWN: Final = re.compile("[\u2500-\u257f]")


def cells_of_lines(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The cells of tables in ``text`` under columns whose name matters."""
    if "\n" not in text:
        return
    if not text.isascii() and _DRAWN.search(text):
        text = text.translate(_BOX)
    ends = [match.start() for match in re.finditer(r"\n", text)]
    lines = list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))
    if "|" in text:
        yield from Bars(text, lines, matters, spend).cells()
    for mark in ("\t", ",", ";"):
        if mark in text:
            yield from Separated(text, lines, matters, spend, mark).cells()
    if "  " in text:
        yield from Aligned(text, lines, matters, spend).cells()
    yield from Spaced(text, lines, matters, spend).cells()
