"""A name in quotes and its value: JSON that is cut, in lines or within prose, and literals of programs."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of

_PAIR: Final = re.compile(
    r"([\"'])(?<![\w\\].)(?P<name>[A-Za-z_][\w .\[\]-]{0,63})\1\s{0,3}(?::|=>)\s{0,3}"
    r"(?:\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|'(?P<single>(?:[^'\\\n]|\\.)*)'|(?P<number>\d[\d.]*))"
)
# The same in a string of a program or a log, which is no JSON and so is not opened.
_ESCAPED: Final = re.compile(
    r"\\{1,3}([\"'])(?P<name>[A-Za-z_][\w .\[\]-]{0,63})\\{1,3}\1\s{0,3}:\s{0,3}"
    r"(?:\\{1,3}\1(?P<double>[^\"'\\\n]*)\\{1,3}\1|(?P<number>\d[\d.]*))"
)
# A pair of a list of pairs; where the value has no digit, it is as likely another name.
_TUPLE: Final = re.compile(
    r"[(\[]\s?([\"'])#?(?P<name>[A-Za-z_][\w .-]{0,63})\1\s{0,3},\s{0,3}"
    r"([\"'])(?P<double>(?=[^\"'\n]{0,64}\d)[^\"'\n]{1,200})\3\s?,?\s?[)\]]"
)


def cells_of_pairs(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values in ``text`` behind a name in quotes that matters."""
    if ":" not in text and "=>" not in text:
        return
    for match in _PAIR.finditer(text):
        spend(len(match[0]))
        group = next(name for name in ("double", "single", "number") if match[name] is not None)
        if matters(match["name"]) and (cell := cell_of(text, *match.span(group), match["name"])):
            yield cell
    for match in _ESCAPED.finditer(text) if "\\" in text else ():
        span = match.span("double") if match["double"] is not None else match.span("number")
        if matters(match["name"]) and (cell := cell_of(text, *span, match["name"])):
            yield cell


def cells_of_tuples(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The second of each two texts between parentheses in ``text`` whose first matters."""
    for match in _TUPLE.finditer(text) if "(" in text or "[" in text else ():
        spend(len(match[0]))
        if matters(match["name"]) and (cell := cell_of(text, *match.span("double"), match["name"])):
            yield cell
