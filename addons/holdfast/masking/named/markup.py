"""Elements and attributes of XML and HTML: ``<ssn>…</ssn>``, ``<property name="password" value="…"/>``."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.labels import Role, role_of
from holdfast.masking.named.cell import NAME_CHARS_MAX, Cell, Matters, cell_of

# No part of it reaches over the next <, so the whole text is looked at once.
_TAG: Final = re.compile(
    r"<(?P<name>[A-Za-z_][\w:.-]{0,63})(?P<attributes>(?:\s+[\w:.-]{1,64}\s?=\s?(?:\"[^\"<>]*\"|'[^'<>]*')){0,64})\s*(?P<end>/?)>"
    # A mask looks like a tag; but nobody closes it.
    r"(?:\s*(?:<!\[CDATA\[)?(?P<content>[^<>\]]*)(?:\]\]>\s*)?(?=</(?P=name)\s*>))?"
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
    for tag in _TAG.finditer(text):
        name = tag["name"].rpartition(":")[2]
        near = label if tag.start() - label_end <= _NEAR_CHARS else ""
        labels = _labels(tag["attributes"])
        yield from _of_attributes(text, tag, labels, near, matters)
        content = (tag["content"] or "").strip()
        if content and not tag["end"]:
            beside = (near,) if name.lower() in _VALUES or role_of(name) is Role.VALUE else ()
            names = tuple(one for one in (*labels, *beside, name) if one and matters(one))
            if names and (cell := cell_of(text, *tag.span("content"), *names)):
                yield cell
            if len(content) <= NAME_CHARS_MAX and (name.lower() in _LABELS or role_of(name) is Role.LABEL):
                label, label_end = content.rstrip(": "), tag.end()


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
