"""Text from Records, made safe to show: what was hidden is made visible, what a spreadsheet would run is made inert.

Everything a Record says about a Call came from a client or a server at some point; a report that an auditor opens must
not be theirs to write.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from holdfast.approval.visible import visible

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_RISKY: Final = frozenset(_FORMULA_STARTS)
CHUNK_CHARS: Final = 1 << 18  # of a table that is written as a stream


def visible_lines(text: str) -> str:
    """``text`` with what would be obeyed or unseen spelled out, but for line feeds and tabs."""
    return "\n".join("\t".join(visible(cell) for cell in line.split("\t")) for line in text.split("\n"))


def cell(value: object) -> str:
    """``value`` as a CSV cell that no spreadsheet takes for a formula."""
    # Formula injection: a leading apostrophe makes spreadsheets read the cell as text.
    # https://owasp.org/www-community/attacks/CSV_Injection
    if value is None:
        return ""
    text = visible(str(value))
    is_risky = isinstance(value, str) and (text.startswith(_FORMULA_STARTS) or value.startswith(_FORMULA_STARTS))
    return f"'{text}" if is_risky else text


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as RFC 4180 CSV in UTF-8, one header line, CRLF line ends."""
    return b"".join(csv_chunks(header, rows))


def csv_chunks(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The bytes of :func:`csv_bytes`, piece by piece."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        texts = ["" if value is None else value if value.__class__ is str else str(value) for value in row]
        # Most rows have nothing that cell() would change: no start of a formula, and nothing but printable ASCII.
        is_plain = (joined := "".join(texts)).isascii() and joined.isprintable()
        if not is_plain or not _RISKY.isdisjoint({text[:1] for text in texts}):
            texts = [cell(value) for value in row]
        writer.writerow(texts)
        if buffer.tell() >= CHUNK_CHARS:
            yield buffer.getvalue().encode("utf-8")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8")
