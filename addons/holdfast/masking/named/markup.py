"""Elements and attributes of XML and HTML: ``<ssn>…</ssn>``, ``<property name="password" value="…"/>``."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.labels import Role, role_of
from holdfast.masking.named.cell import NAME_CHARS_MAX, Cell, Matters, cell_of
from holdfast.masking.named.table import VALUES

# No part of it reaches over the next <, so the whole text is looked at once.
_TAG: Final = re.compile(
    r"<(?P<name>[A-Za-z_][\w:.-]{0,63})(?P<attributes>(?:\s++[\w:.-]{1,64}\s?=\s?(?:\"[^\"<>]*\"|'[^'<>]*')){0,64})\s*+(?P<end>/?)>"
    # A mask looks like a tag; but nobody closes it.
    r"(?:\s*+(?:<!\[CDATA\[)?(?P<content>[^<>\]]*+)(?:\]\]>\s*+)?(?=</(?P=name)\s*>))?"
)
_ATTRIBUTE: Final = re.compile(r"([\w:.-]{1,64})\s?=\s?(?:\"([^\"<>]*)\"|'([^'<>]*)')")
_LABELS: Final = frozenset({"th", "dt", "td", "label", "key", "name"})
_VALUES: Final = frozenset({"td", "dd", "string", "integer", "value", "data", "input", "span"})
_NEAR_CHARS: Final = 200  # between a label and its value


def cells_of_markup(text: str, matters: Matters) -> Iterator[Cell]:
    """The values of elements and attributes in ``text`` whose name, or whose label, matters."""
    if "</" not in text and "/>" not in text:
        return
    label, label_end = "", -1
    grid = _Grid()
    for tag in _TAG.finditer(text):
        name = tag["name"].rpartition(":")[2]
        column = grid.column(name.lower(), tag["content"] or "")
        near = label if tag.start() - label_end <= _NEAR_CHARS else ""
        labels = _labels(tag["attributes"])
        yield from _of_attributes(text, tag, labels, near, matters)
        content = (tag["content"] or "").strip()
        if content and not tag["end"]:
            is_value = (name.lower() in _VALUES and not column) or role_of(name) is Role.VALUE
            beside = (near,) if is_value or _says_value(column) else ()
            names = tuple(one for one in (*labels, *column, *beside, name) if one and matters(one))
            if names and (cell := cell_of(text, *tag.span("content"), *names)):
                yield cell
            if len(content) <= NAME_CHARS_MAX and (name.lower() in _LABELS or role_of(name) is Role.LABEL):
                label, label_end = content.rstrip(": "), tag.end()


def _says_value(column: tuple[str, ...]) -> bool:
    return bool(column) and column[0].lower() in VALUES


class _Grid:
    """The columns of a table of HTML: what the cells of its last row of headers said."""

    def __init__(self) -> None:
        self._heads: list[str] = []
        self._index = -1
        self._is_head = False

    def column(self, name: str, content: str) -> tuple[str, ...]:
        """Be told of the next element; what its column is called, if that is known."""
        if name in ("table", "tr"):
            self._heads = [] if name == "table" else self._heads
            self._index, self._is_head = -1, name == "tr"
        elif name in ("th", "td"):
            self._index += 1
            return self._cell(name, content.strip())
        return ()

    def _cell(self, name: str, content: str) -> tuple[str, ...]:
        if name == "th" and self._is_head:
            self._heads = [*(self._heads[: self._index]), content[:NAME_CHARS_MAX]]
            return ()
        self._is_head = False
        return tuple(self._heads[self._index : self._index + 1])


def _labels(attributes: str) -> tuple[str, ...]:
    said = [(role_of(name), first or second) for name, first, second in _ATTRIBUTE.findall(attributes)]
    return tuple(text for role, text in said if role in (Role.LABEL, Role.KIND) and 0 < len(text) <= NAME_CHARS_MAX)


def _of_attributes(
    text: str, tag: re.Match[str], labels: tuple[str, ...], near: str, matters: Matters
) -> Iterator[Cell]:
    first = tag.start("attributes")
    for attribute in _ATTRIBUTE.finditer(tag["attributes"]):
        is_value = role_of(attribute[1]) is Role.VALUE
        names = tuple(one for one in ((*labels, near) if is_value else (attribute[1],)) if one and matters(one))
        start, end = attribute.span(2) if attribute[2] is not None else attribute.span(3)
        if names and (cell := cell_of(text, first + start, first + end, *names)):
            yield cell
