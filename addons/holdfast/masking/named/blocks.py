"""YAML: blocks, anchors and tags behind a name, and a name in one line with its value in another.

What stands in a block is YAML too, mostly (as the files in a ConfigMap are): after each find the search goes on behind
its first line. A block is as deep as it is indented, so a line is in no more of them than the 64 blanks before it.
"""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of, has_one, is_kind

_KEY: Final = r"[\"']?(?P<name>[\w.-]{1,64})[\"']?[ \t]{0,4}:[ \t]{1,16}"
_LABEL: Final = (
    r"[\"']?\w{0,30}(?:name|key|label|field|title|property|param|parameter|variable|attribute|setting)[\"']?"
    r"[ \t]{0,4}:[ \t]{1,4}[\"']?(?P<name>[^\s\"'][^\n\"']{0,63}?)[\"']?[ \t]{0,16}\r?"
)
_VALUE: Final = r"[\"']?(?:\w{0,30}value|default|val|example|old|new)[\"']?[ \t]{0,4}:[ \t]{1,16}"
_BLOCK: Final = re.compile(
    rf"^(?P<indent>[ \t]{{0,64}})(?:-[ \t]{{1,4}})?{_KEY}(?:[&!][\w!./-]{{1,64}}[ \t]{{1,4}}){{0,2}}"
    r"[|>][+-]?\d?[+-]?[ \t]{0,16}\r?\n(?P<next>)"
    r"(?P<value>(?:(?P=indent)[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)+)",
    re.MULTILINE,
)
_TAGGED: Final = re.compile(
    rf"^[ \t]{{0,64}}(?:-[ \t]{{1,4}})?{_KEY}(?:[&!][\w!./-]{{1,64}}[ \t]{{1,4}}){{1,2}}(?P<value>[^\n]{{1,4096}})$"
    r"(?P<next>)",
    re.MULTILINE,
)
_LABELLED: Final = re.compile(
    rf"^[ \t]{{0,64}}(?:-[ \t]{{1,4}})?{_LABEL}\n(?P<next>)"
    r"(?:[ \t]{1,64}(?:[\w.-]{1,64}:|#)[^\n]{0,200}\n){0,4}?"
    rf"(?P<indent>[ \t]{{0,64}}){_VALUE}"
    r"(?:[|>][+-]?\d?[ \t]{0,16}\r?\n(?P<value>(?:(?P=indent)[ \t]+[^\n]*(?:\n|\Z))+)"
    r"|(?P<value_in_line>[^\n]{1,4096})$)",
    re.MULTILINE | re.IGNORECASE,
)
# The value first. Only as an item of a list, which says where the next one begins.
_LABELLED_BEHIND: Final = re.compile(
    rf"^(?P<indent>[ \t]{{0,64}})-[ \t]{{1,4}}{_VALUE}(?P<value>[^\n]{{1,4096}})\n(?P<next>)"
    r"(?:(?P=indent)[ \t]{1,8}(?:[\w.-]{1,64}:|#)[^\n]{0,200}\n){0,4}?"
    rf"(?P=indent)[ \t]{{1,8}}{_LABEL}$",
    re.MULTILINE | re.IGNORECASE,
)
_OPEN: Final = r"^(?P<indent>[ \t]{0,64})(?P<dash>-[ \t]{1,4})?[\"']?(?P<name>[\w.-]{1,64})[\"']?[ \t]{0,4}:"
_COMMENTS: Final = r"[ \t]{0,16}\r?\n(?P<next>)(?:[ \t]{0,64}#[^\n]{0,200}\n){0,4}"
# One word in a line of its own below its name.
_BELOW: Final = re.compile(
    rf"{_OPEN}{_COMMENTS}(?P=indent)[ \t]{{1,16}}(?P<value>[^\s:#&*!|>\[{{-][^\s:]{{0,400}})[ \t]{{0,16}}\r?$",
    re.MULTILINE,
)
_LISTED: Final = re.compile(
    rf"{_OPEN}{_COMMENTS}"
    rf"(?P<items>(?:(?P=indent)(?(dash)[ \t])[ \t]{{0,16}}-[ \t]{{1,4}}[^\n]{{1,400}}(?:\n|\Z)){{1,256}})",
    re.MULTILINE,
)
_BETWEEN_BRACKETS: Final = re.compile(
    rf"{_OPEN}[ \t]{{1,16}}\[(?P<items>[^\[\]{{}}\n]{{1,4096}})\][ \t]{{0,16}}\r?$(?P<next>)", re.MULTILINE
)
# One word, or what is in quotes: what has blanks is a sentence, and what has a colon an object.
_ITEM: Final = re.compile(
    r"^[ \t]{0,80}-[ \t]{1,4}(?:\"(?P<double>[^\"\n]{1,400})\"|'(?P<single>[^'\n]{1,400})'"
    r"|(?P<plain>(?![&*!|>\[{#])[^\s\"'](?:[^\s:]|:(?=\S)){0,400}))[ \t]{0,16}\r?$",
    re.MULTILINE,
)
_SHAPES: Final = (
    ((": |", ": >", " |", " >"), _BLOCK),
    ((":\n", ":\r", ": \n"), _BELOW),
    ((": &", ": !"), _TAGGED),
    (("alue", "ALUE", "efault", "val:", "xample", "old:", "new:"), _LABELLED),
    (("alue:", "ALUE:", "efault:", "val:", "xample:", "old:", "new:"), _LABELLED_BEHIND),
)


def cells_of_blocks(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values in ``text``, read as YAML, whose name matters."""
    if ": [" in text:
        yield from _between_brackets(text, matters)
    if "\n" not in text:
        return
    for signs, shape in _SHAPES:
        for match in _each(shape, text) if has_one(text, signs) else ():
            spend(match.end("next") - match.start())
            span = match.span("value") if match["value"] is not None else match.span("value_in_line")
            if matters(match["name"]) and (cell := cell_of(text, *span, match["name"])):
                yield cell
    if "- " in text:
        yield from _listed(text, matters)


def _each(shape: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The matches of ``shape``, also those that begin in a line within another one."""
    match = shape.search(text)
    while match is not None:
        yield match
        match = shape.search(text, match.end("next"))


def _listed(text: str, matters: Matters) -> Iterator[Cell]:
    for match in _each(_LISTED, text):
        if not matters(match["name"]):
            continue
        for item in _ITEM.finditer(text, *match.span("items")):
            span = next(item.span(group) for group in ("double", "single", "plain") if item[group] is not None)
            if cell := cell_of(text, *span, match["name"]):
                yield cell


def _between_brackets(text: str, matters: Matters) -> Iterator[Cell]:
    for match in _BETWEEN_BRACKETS.finditer(text):
        start, last = match.span("items")
        while start < last and matters(match["name"]):
            end = text.find(",", start, last)
            end = last if end < 0 else end
            cell = cell_of(text, start, end, match["name"])
            if cell is not None and not is_kind(text[cell.start : cell.end]):
                yield cell
            start = end + 1
