"""Dumps of memory and files, as xxd and hexdump write them: offsets, bytes in hexadecimal, what of them can be printed.

::

    00000000: 6e61 6d65 2c73 736e 0a42 6f62 2c32 3334  name,ssn.Bob,234
    00000000  6e 61 6d 65 2c 73 73 6e  0a 42 6f 62 2c 32 33 34  |name,ssn.Bob,234|
    0x0000:  6e61 6d65 2c73 736e 0a42 6f62 2c32 3334

A value may be cut by the end of a line, and its bytes are not its characters. So the lines are read as the bytes that
they show, and written again in the same columns. They may be indented, quoted or added by a patch, or stand in a log;
what else stands before an offset is not looked over, and so nothing that could be a value may.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.budget import Budget

_HEX: Final = "[0-9a-fA-F]"
_MARKS: Final = r"[ \t>|+#*;/-]{0,32}"
_TIME: Final = (
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?[ \t]{1,3}"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d[ \t]{1,3}"
)
_BEFORE: Final = rf"(?:{_MARKS}|(?:{_TIME})?(?:\[?[A-Za-z][A-Za-z.]{{0,24}}\]?:?[ \t]{{1,4}}){{0,3}})(?:0x)?"
_LINE: Final = re.compile(
    rf"(?P<before>{_BEFORE})(?P<offset>{_HEX}{{4,16}})(?P<mark>:?[ \t]{{1,3}})"
    rf"(?P<bytes>(?:(?:{_HEX}{{2}}){{1,16}} {{1,2}}){{1,32}})(?P<gap>[ \t]{{0,120}})(?P<shown>\|?[^\r\n]{{1,40}})"
)
# Without what can be printed. Of such lines, two or more whose offsets count their bytes are a dump.
_BARE: Final = re.compile(
    rf"(?P<before>{_BEFORE})(?P<offset>{_HEX}{{4,16}})(?P<mark>:?[ \t]{{1,3}})"
    rf"(?P<bytes>(?:(?:{_HEX}{{2}}){{1,16}} {{1,2}}){{0,31}}(?:{_HEX}{{2}}){{1,16}})"
)
LINES: Final = re.compile(
    rf"^{_BEFORE}{_HEX}{{4,16}}:?[ \t]{{1,3}}(?:(?:{_HEX}{{2}}){{1,16}} {{1,2}}){{1,32}}[^\r\n]{{1,160}}"
    rf"(?:\r?\n{_BEFORE}{_HEX}{{4,16}}:?[ \t]{{1,3}}(?:(?:{_HEX}{{2}}){{1,16}} {{1,2}}){{1,32}}[^\r\n]{{1,160}})*"
    rf"(?:\r?\n{_BEFORE}{_HEX}{{4,16}}:?[ \t]{{1,3}}(?:{_HEX}{{2}}){{1,16}}(?=\r?$))?",
    re.MULTILINE,
)
_BYTE: Final = re.compile(rf"{_HEX}{{2}}")
_BASES: Final = {"x": 16, "o": 8, "d": 10}  # od counts in octal where nobody asks for anything else
_FIRST_LINES: Final = 3  # of eight bytes in each, two say nothing about their numbers
_WORD: Final = re.compile(rf"{_HEX}{{4}}(?: {_HEX}{{4}})*")
_SHOWN: Final = range(0x20, 0x7F)


@dataclasses.dataclass(frozen=True, slots=True)
class Dump:
    """How a dump is laid out: where in a line each byte stands and where what is printed does, counted from 0."""

    befores: tuple[str, ...]  # what stands before the offset of each line; of more lines, the last has it
    first: int  # the first offset
    offset_chars: int
    radix: str  # of offsets: x, o or d
    mark: str  # between the offset and the bytes
    columns: tuple[int, ...]
    words: int  # how many bytes make up a number whose last stands first
    shown_at: int | None  # None: nothing is printed
    has_bars: bool
    newline: str
    is_upper: bool

    def encode(self, raw: bytes) -> str:
        """``raw`` as a dump."""
        width = len(self.columns)
        raw += bytes(-len(raw) % self.words)
        parts = (raw[at : at + width] for at in range(0, len(raw), width))
        return self.newline.join(
            self.befores[min(number, len(self.befores) - 1)] + self._line(self.first + number * width, part)
            for number, part in enumerate(parts)
        )

    def _line(self, offset: int, part: bytes) -> str:
        line = [" "] * (max(self.columns) + 2 if self.shown_at is None else self.shown_at)
        line[: self.offset_chars + len(self.mark)] = f"{offset:0{self.offset_chars}{self.radix}}{self.mark}"
        for column, byte in zip(self.columns, part, strict=False):
            line[column : column + 2] = f"{byte:02X}" if self.is_upper else f"{byte:02x}"
        if self.shown_at is None:
            return "".join(line[: max(self.columns[: len(part)]) + 2])
        shown = "".join(chr(byte) if byte in _SHOWN else "." for byte in part)
        return "".join((*line, f"|{shown}|" if self.has_bars else shown))


def parts_of(lines: str, budget: Budget) -> Iterator[tuple[int, int]]:
    """Where in ``lines`` dumps stand whose offsets follow each other: some leave out what is of no interest.

    Raises:
        MaskingError: that takes too long.
    """
    start = at = most = last = step = 0
    base = _BASES[_radix_of(lines.split("\n", _FIRST_LINES)[:_FIRST_LINES])]
    for line in budget.each(lines.splitlines(keepends=True)):
        match = _shape_of(line)
        offset = _number(match["offset"], base) if match is not None else 0
        if at and not (0 < offset - last <= most and step in (0, offset - last)):
            yield start, at - 1 - lines.startswith("\r\n", at - 2)
            start, step = at, 0
        elif at:
            step = offset - last
        # What is printed may look like bytes too: a line has so many at most.
        most = len(_BYTE.findall(match["bytes"])) if match is not None else 0
        last = offset
        at += len(line)
    yield start, at


def _shape_of(line: str) -> re.Match[str] | None:
    return _BARE.fullmatch(line.rstrip()) or _LINE.match(line)


def _radix_of(lines: list[str]) -> str:
    """In which numbers the offsets of the first ``lines`` count the bytes between them; x where in none."""
    shapes = list(itertools.takewhile(lambda match: match is not None, map(_shape_of, lines)))
    said = [(match["offset"], len(_BYTE.findall(match["bytes"]))) for match in shapes if match is not None]
    for radix, base in _BASES.items():
        offsets = [_number(offset, base) for offset, _ in said]
        counts = [after - before for before, after in itertools.pairwise(offsets)]
        if counts and min(offsets) >= 0 and counts == [count for _, count in said[:-1]]:
            return radix
    return "x"


def _number(digits: str, base: int) -> int:
    try:
        return int(digits, base)
    except ValueError:
        return -1


def dump_in(text: str, budget: Budget) -> tuple[bytes, Dump] | None:
    """The bytes that the lines ``text`` show, and how they are laid out; None where they are no dump.

    Raises:
        MaskingError: reading them takes too long.
    """
    whole = text.splitlines()
    radix = _radix_of(whole[:_FIRST_LINES])
    read = _read(text, whole, _LINE, radix, budget)
    return read or (_read(text, whole, _BARE, radix, budget) if len(whole) > 1 else None)


def _read(text: str, whole: list[str], form: re.Pattern[str], radix: str, budget: Budget) -> tuple[bytes, Dump] | None:
    befores = tuple(_before(line, form) for line in budget.each(whole))
    lines = [line[len(before) :] for line, before in zip(whole, befores, strict=True)]
    first = form.fullmatch(lines[0])
    if first is None or first["before"]:
        return None
    columns = tuple(match.start() for match in _BYTE.finditer(lines[0], first.start("bytes"), first.end("bytes")))
    # Without a colon behind the offset, pairs of bytes are numbers, and these begin with the last byte.
    words = 2 if form is _BARE and ":" not in first["mark"] and _WORD.fullmatch(first["bytes"].strip()) else 1
    if words > 1:
        columns = tuple(column for pair in zip(columns[1::2], columns[::2], strict=True) for column in pair)
    printed = first["shown"] if form is _LINE else None
    has_bars = printed is not None and printed.startswith("|") and printed.endswith("|")
    shown_at = first.start("shown") if printed is not None else None
    data: list[bytes] = []
    for line in budget.each(lines):
        shown = bytes(_bytes_at(line, columns))
        if shown_at is not None and len(shown) != len(_printed(line[shown_at:], has_bars=has_bars)):
            return None
        data.append(shown)
    if not data[-1] or any(len(one) != len(columns) for one in data[:-1]):
        return None
    layout = Dump(
        befores=befores,
        first=int(first["offset"], _BASES[radix]),
        offset_chars=len(first["offset"]),
        radix=radix,
        mark=first["mark"],
        columns=columns,
        words=words,
        shown_at=shown_at,
        has_bars=has_bars,
        newline="\r\n" if "\r\n" in text else "\n",
        is_upper=any(line[at : at + 2] != line[at : at + 2].lower() for line in lines for at in columns),
    )
    raw = b"".join(data)
    # What is printed beside the bytes, and where they lie, is what the bytes say: else a value might stand in it.
    return (raw, layout) if layout.encode(raw) == text.rstrip(" ") else None


def _printed(shown: str, *, has_bars: bool) -> str:
    return shown.removesuffix("|").removeprefix("|" if has_bars else "")


def _before(line: str, form: re.Pattern[str]) -> str:
    match = form.match(line)
    return "" if match is None else match["before"]


def _bytes_at(line: str, columns: tuple[int, ...]) -> Iterator[int]:
    for column in columns:
        pair = _BYTE.fullmatch(line, column, column + 2)
        if pair is None:
            return
        yield int(pair[0], 16)
