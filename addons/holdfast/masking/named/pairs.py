"""A name in quotes and its value: JSON that is cut, in lines or within prose, and literals of programs."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, cell_of

_PAIR: Final = re.compile(
    r"([\"'])(?<![\w\\].)(?P<name>[A-Za-z_][\w .\[\]-]{0,63})\1\s{0,3}(?::|=>)\s{0,3}"
    r"(?:\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|'(?P<single>(?:[^'\\\n]|\\.)*)'|(?P<number>\d[\d.]*))"
)


def cells_of_pairs(text: str, matters: Matters) -> Iterator[Cell]:
    """The values in ``text`` behind a name in quotes that matters."""
    if ":" not in text and "=>" not in text:
        return
    for match in _PAIR.finditer(text):
        group = next(name for name in ("double", "single", "number") if match[name] is not None)
        if matters(match["name"]) and (cell := cell_of(text, *match.span(group), match["name"])):
            yield cell
