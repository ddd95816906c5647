"""YAML: blocks, anchors and tags behind a name, and a name in one line with its value in another."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, cell_of

_KEY: Final = r"[\"']?(?P<name>[\w.-]{1,64})[\"']?[ \t]{0,4}:[ \t]{1,16}"
_BLOCK: Final = re.compile(
    rf"^(?P<indent>[ \t]{{0,64}})(?:-[ \t]{{1,4}})?{_KEY}(?:[&!][\w!./-]{{1,64}}[ \t]{{1,4}}){{0,2}}"
    r"[|>][+-]?\d?[+-]?[ \t]{0,16}\r?\n"
    r"(?P<value>(?:(?P=indent)[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)+)",
    re.MULTILINE,
)
_TAGGED: Final = re.compile(
    rf"^[ \t]{{0,64}}(?:-[ \t]{{1,4}})?{_KEY}(?:[&!][\w!./-]{{1,64}}[ \t]{{1,4}}){{1,2}}(?P<value>[^\n]{{1,4096}})$",
    re.MULTILINE,
)
_LABELLED: Final = re.compile(
    r"^[ \t]{0,64}(?:-[ \t]{1,4})?[\"']?\w{0,30}"
    r"(?:name|key|label|field|title|property|param|parameter|variable|attribute|setting)[\"']?"
    r"[ \t]{0,4}:[ \t]{1,4}[\"']?(?P<name>[^\s\"'][^\n\"']{0,63}?)[\"']?[ \t]{0,16}\r?\n"
    r"(?:[ \t]{1,64}[\w.-]{1,64}:[^\n]{0,200}\n){0,4}?"
    r"(?P<indent>[ \t]{0,64})[\"']?(?:\w{0,30}value|default|val|example|old|new)[\"']?[ \t]{0,4}:[ \t]{1,16}"
    r"(?:[|>][+-]?\d?[ \t]{0,16}\r?\n(?P<value>(?:(?P=indent)[ \t]+[^\n]*(?:\n|\Z))+)"
    r"|(?P<value_in_line>[^\n]{1,4096})$)",
    re.MULTILINE | re.IGNORECASE,
)
# One word in a line of its own below its name.
_BELOW: Final = re.compile(
    r"^(?P<indent>[ \t]{0,64})(?:-[ \t]{1,4})?[\"']?(?P<name>[\w.-]{1,64})[\"']?[ \t]{0,4}:[ \t]{0,16}\r?\n"
    r"(?P=indent)[ \t]{1,16}(?P<value>[^\s:#&*!|>\[{-][^\s:]{0,400})[ \t]{0,16}\r?$",
    re.MULTILINE,
)
_SHAPES: Final = (
    ((": |", ": >", " |", " >"), _BLOCK),
    ((":\n", ":\r", ": \n"), _BELOW),
    ((": &", ": !"), _TAGGED),
    (("alue", "ALUE", "efault", "val:", "xample", "old:", "new:"), _LABELLED),
)


def cells_of_blocks(text: str, matters: Matters) -> Iterator[Cell]:
    """The values in ``text``, read as YAML, whose name matters."""
    if "\n" not in text or "" not in text:
        return
    for signs, shape in _SHAPES:
        for match in shape.finditer(text) if any(sign in text for sign in signs) else ():
            span = match.span("value") if match["value"] is not None else match.span("value_in_line")
            if matters(match["name"]) and (cell := cell_of(text, *span, match["name"])):
                yield cell
