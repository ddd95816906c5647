r"""Bytes one by one that are not in hexadecimal, or have no offsets: rows of od and hexdump, and lists of programs.

::

    0000000   s   s   n       2   3   4  \n       115 115 110  32  50        [115, 115, 110, 32, 50, 51, 52]
    0000000 163 163 156 040 062 063 064 012        73 73 6e 20 32 33
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from holdfast.jsontext import Json
from holdfast.masking.budget import Budget
from holdfast.masking.texts import text_of

LIST_BYTES_MIN: Final = 11  # as many as an SSN has characters
_BYTES: Final = range(256)
_CELL: Final = r" [ 0-3][ \\0-9][ -~]"
_PAIR: Final = r" [0-9a-fA-F]{2}"
_ROW: Final = rf"(?:[0-9a-f]{{6,16}})?(?:(?:{_CELL}){{1,32}}|(?:{_PAIR}){{1,32}})(?=\r?$)"
_ROWS: Final = re.compile(rf"^{_ROW}(?:\r?\n{_ROW})+", re.MULTILINE)
_OFFSET: Final = re.compile(r"[0-9a-f]{6,16}(?= )")
# Most texts have none of these, which are quick to look for.
_MAY_BE_ROWS: Final = re.compile(
    r" (?:  [!-~]   [!-~]   [!-~]|[ 0-3][ \d]\d [ 0-3][ \d]\d [ 0-3][ \d]\d [ 0-3][ \d]\d [ 0-3][ \d]\d [ 0-3][ \d]\d"
    r"|[0-9a-fA-F]{2} [0-9a-fA-F]{2} [0-9a-fA-F]{2} [0-9a-fA-F]{2} [0-9a-fA-F])"
)
_LIST: Final = re.compile(r"(?<![\w.,:-])\d{1,3}(?:,\s{0,40}\d{1,3}){10,}(?!\w|\.\d)")
_MAY_BE_LIST: Final = re.compile(r"\d,\s?\d{1,3},\s?\d{1,3},\s?\d")
_LETTER: Final = re.compile(r"[a-fA-F]")  # pairs of digits alone may be a number
_NUMBER: Final = re.compile(r"\d{1,3}")
_BASES: Final = {"x": 16, "o": 8, "d": 10}
_NAMED: Final = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
_SAID: Final = {name: byte for byte, name in _NAMED.items()}
_SHOWN: Final = range(0x20, 0x7F)


class Form(Protocol):
    """How bytes are written."""

    def encode(self, raw: bytes) -> str:
        """``raw`` as text."""


type Read = tuple[int, int, bytes, Form]  # start and end in a text, what stands there, and how


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """In rows of ``width`` bytes. ``kind``: c for characters, o and d for numbers, x for pairs."""

    kind: str
    width: int
    newline: str
    is_upper: bool
    radix: str | None  # of the offsets; None: there are none
    first: int = 0  # the first offset
    offset_chars: int = 0

    def encode(self, raw: bytes) -> str:
        """``raw`` as such rows."""
        rows = (raw[at : at + self.width] for at in range(0, len(raw), self.width))
        return self.newline.join(
            self._offset(number) + "".join(f" {self._cell(byte)}" for byte in row) for number, row in enumerate(rows)
        )

    def _offset(self, number: int) -> str:
        if self.radix is None:
            return ""
        return f"{self.first + number * self.width:0{self.offset_chars}{self.radix}}"

    def _cell(self, byte: int) -> str:
        match self.kind:
            case "x":
                return f"{byte:02X}" if self.is_upper else f"{byte:02x}"
            case "d":
                return f"{byte:3d}"
            case "o":
                return f"{byte:03o}"
            case _:
                return f"{_NAMED.get(byte) or (chr(byte) if byte in _SHOWN else f'{byte:03o}'):>3}"


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """Decimal numbers with ``between`` between two, and ``newline`` behind each ``width``, where that is not 0."""

    between: str
    width: int = 0
    newline: str = ""

    def encode(self, raw: bytes) -> str:
        """``raw`` as a list."""
        width = self.width or len(raw) or 1
        rows = (raw[at : at + width] for at in range(0, len(raw), width))
        return self.newline.join(self.between.join(map(str, row)) for row in rows)


def octets_in(text: str, budget: Budget) -> Iterator[Read]:
    """Where in ``text`` rows or lists of bytes stand.

    Raises:
        MaskingError: reading them takes too long.
    """
    if "\n" in text and _MAY_BE_ROWS.search(text):
        budget.spend(len(text))
        for match in _ROWS.finditer(text):
            rows = match[0].rstrip(" ")  # the last one may be filled
            budget.spend(len(rows))
            form = _form_of(rows, budget)
            raw = None if form is None else _raw_of(rows, form, budget)
            if form is not None and raw is not None and form.encode(raw) == rows:
                yield match.start(), match.start() + len(rows), raw, form
    if _MAY_BE_LIST.search(text):
        budget.spend(len(text))
        for match in _LIST.finditer(text):
            budget.spend(len(match[0]))
            numbers = [int(one) for one in _NUMBER.findall(match[0])]
            if are_text(numbers):
                yield *match.span(), bytes(numbers), _listed(match[0])


def are_text(numbers: Sequence[object]) -> bool:
    """Whether ``numbers`` are bytes that may be a text: no other has so many that are all characters."""
    return len(numbers) >= LIST_BYTES_MIN and all(
        type(one) is int and one in _BYTES and (one >= min(_SHOWN) or one in _NAMED) and one not in (0, 0x7F)
        for one in numbers
    )


def masked_numbers(
    numbers: Sequence[object], mask: Callable[[str], tuple[str, str]]
) -> tuple[list[Json], list[Json]] | None:
    """``numbers`` as they travel and are kept, if they are the bytes of a text in which ``mask`` finds anything."""
    if not are_text(numbers):
        return None
    text = text_of(bytes(one for one in numbers if isinstance(one, int)), textual=False)
    if text is None:
        return None
    masked = mask(text[0])
    forward, kept = (one.encode(text[1], "xmlcharrefreplace") for one in masked)
    return None if masked == (text[0], text[0]) else ([*forward], [*kept])


def _listed(text: str) -> Listed:
    between = ", " if ", " in text else ","
    first, newline, rest = text.partition("\n")
    if not newline:
        return Listed(between)
    indent = rest[: len(rest) - len(rest.lstrip())]
    return Listed(between, len(_NUMBER.findall(first)), ("," + first[len(first.rstrip()) :]) + newline + indent)


def _form_of(text: str, budget: Budget) -> Rows | None:
    """How ``text`` is written; None where its offsets count something else than its bytes."""
    lines = text.splitlines()
    newline = "\r\n" if "\r\n" in text else "\n"
    width = len(_cells(lines[0]))
    kind = _kind_of([cell for line in budget.each(lines) for cell in _cells(line)])
    if kind == "x" and not _LETTER.search(text):
        return None
    is_upper = text != text.lower()
    first, last = (_OFFSET.match(line) for line in (lines[0], lines[-1]))
    if first is None or last is None:
        return Rows(kind, width, newline, is_upper, None) if first is last else None
    for radix, base in _BASES.items():
        start, end = (_offset(match[0], base) for match in (first, last))
        if start >= 0 and end - start == (len(lines) - 1) * width:
            return Rows(kind, width, newline, is_upper, radix, start, len(first[0]))
    return None


def _offset(digits: str, base: int) -> int:
    try:
        return int(digits, base)
    except ValueError:
        return -1


def _cells(line: str) -> list[str]:
    """The cells of a row, each without its blank."""
    offset = _OFFSET.match(line)
    cells = line[offset.end() if offset else 0 :]
    width = 3 if re.fullmatch(rf"(?:{_PAIR})+", cells) else 4
    return [cells[at + 1 : at + width] for at in range(0, len(cells), width)]


def _kind_of(cells: list[str]) -> str:
    if all(len(cell) == 2 for cell in cells):  # noqa: PLR2004 -- pairs
        return "x"
    said = [cell.strip() for cell in cells]
    if not all(map(str.isdigit, said)) or all(len(one) == 1 for one in said):
        return "c"
    return "o" if all(re.fullmatch("[0-3][0-7]{2}", one) for one in cells) else "d"


def _raw_of(text: str, form: Rows, budget: Budget) -> bytes | None:
    """What the rows ``text`` say."""
    try:
        return bytes(_byte(cell, form.kind) for line in budget.each(text.splitlines()) for cell in _cells(line))
    except ValueError:
        return None


def _byte(cell: str, kind: str) -> int:
    match kind:
        case "x":
            return int(cell, 16)
        case "d":
            return int(cell)
        case "o":
            return int(cell, 8)
    said = cell.strip() or " "
    if len(said) == 1:
        return ord(said)
    return _SAID[said] if said in _SAID else int(said, 8)
