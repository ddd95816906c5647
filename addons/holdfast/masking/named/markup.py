"""Elements and attributes of XML and HTML: ``<ssn>…</ssn>``, ``<property name="password" value="…"/>``.

The tags of a text are read one by one. What stands between the tags of an element that has no other inside, but for
comments and CDATA, is its value; where its name says nothing (``<password><value>…``) those around it are its names.
"""

import dataclasses
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.labels import Role, role_of
from holdfast.masking.named.cell import NAME_CHARS_MAX, Cell, Matters, Spend, cell_of, is_word
from holdfast.masking.named.grid import Grid
from holdfast.masking.named.table import VALUES
from holdfast.masking.spelling import Unit, respelled

_QUOTED: Final = r"\"[^\"<]*+\"|'[^'<]*+'"
_BARE: Final = r"[^\s\"'<>=`]{1,400}+"
# No part of it reaches over the next <, so the whole text is looked at once.
_TAG: Final = re.compile(
    r"<(?:/(?P<closed>[A-Za-z_][\w:.-]{0,63})\s*+>|(?P<apart>!\[CDATA\[|!--)|(?P<name>[A-Za-z_][\w:.-]{0,63}+)"
    rf"(?P<attributes>(?:\s++[\w:.@-]{{1,64}}+(?:\s{{0,8}}+=\s{{0,8}}+(?:{_QUOTED}|{_BARE}))?){{0,64}}+)\s*+(?P<end>/?)>)"
)
_ATTRIBUTE: Final = re.compile(rf"(?P<name>[\w:.@-]{{1,64}})\s{{0,8}}=\s{{0,8}}(?P<value>{_QUOTED}|{_BARE})")
_ESCAPED: Final = re.compile(r"&(?:amp;)?(?P<entity>lt|gt|quot|apos);|\\u003(?P<code>[CEce])|\\(?P<quote>[\"'])")
_ENTITIES: Final = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "c": "<", "e": ">"}
_LABELS: Final = frozenset({"th", "dt", "td", "label", "key", "name"})
_CELLS: Final = frozenset({"th", "td", "dt", "dd", "label"})
_VALUES: Final = frozenset({"td", "dd", "string", "integer", "value", "data", "input", "span"})
_FORMATS: Final = frozenset({"b", "i", "u", "em", "strong", "code", "pre", "tt", "p", "font", "text", "span"})
_SAYING_LITTLE: Final = frozenset({"name", "nm", "id", "number", "no"})  # of whom or what is said around it
# Whose numbers are meant, by the object identifier of who gives them out (HL7's registry).
_ROOTS: Final = {"2.16.840.1.113883.4.1": "ssn", "2.16.840.1.113883.4.6": "npi"}
_ROOT: Final = re.compile(r"\broot\s{0,8}=\s{0,8}[\"']([\d.]{1,64})")
_NEAR_CHARS: Final = 200  # between a label and its value
_APART_CHARS: Final = 4096  # a longer comment or CDATA section is a document of its own
_DEPTH_MAX: Final = 16  # of open elements so many are looked at: tags that nobody closes add up
_AROUND_MAX: Final = 2  # so many elements around a value may give it their name
_CUT_CHARS: Final = 400  # of a value at the end of a text, whose element does not end
_TRIMMED_MAX: Final = 8  # so many comments and ends of CDATA are left out on either side of a value


@dataclasses.dataclass(slots=True)
class _Element:
    """An element that is open: what it and its value are called, and where the value begins."""

    name: str
    labels: tuple[str, ...]
    column: tuple[str, ...]
    near: str
    start: int
    is_outer: bool = False  # whether another one was inside


def cells_of_markup(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values of elements and attributes in ``text`` whose name, or whose label, matters."""
    if "</" in text or "/>" in text or ("<" in text and "=" in text):
        yield from _Markup(text, matters, spend).cells()
    if "&lt;" not in text and "&amp;lt;" not in text and "\\u003" not in text:
        return
    spend(len(text))
    inner = respelled(text, _ESCAPED, _units)
    if inner is not None:
        for cell in _Markup(inner.text, matters, spend).cells():
            yield Cell(cell.names, *inner.span(cell.start, cell.end))


def _units(match: re.Match[str]) -> list[Unit]:
    return [(match["quote"] or _ENTITIES[(match["entity"] or match["code"]).lower()], len(match[0]))]


class _Markup:
    """One text."""

    def __init__(self, text: str, matters: Matters, spend: Spend) -> None:
        self._text = text
        self._matters = matters
        self._spend = spend
        self._open: list[_Element] = []
        self._grid = Grid()
        self._label, self._label_end = "", -1
        self._apart_end = 0  # of the comment or CDATA section whose tags are no children of what is around it

    def cells(self) -> Iterator[Cell]:
        """The values, in the order in which their elements end."""
        for tag in _TAG.finditer(self._text):
            self._spend(len(tag[0]))
            if tag["closed"]:
                yield from self._close(tag)
            elif tag["apart"]:
                mark = "-->" if tag["apart"] == "!--" else "]]>"
                end = self._text.find(mark, tag.end(), tag.end() + _APART_CHARS)
                self._apart_end = max(end, self._apart_end)
            else:
                yield from self._enter(tag)
        if self._open:
            yield from self._cut(self._open[-1])

    def _cut(self, element: _Element) -> Iterator[Cell]:
        """What stands at the end of a text that was cut before its element ended."""
        content, mark, rest = self._text[element.start : element.start + _CUT_CHARS].partition("</")
        end = element.start + len(content)
        name = element.name.rpartition(":")[2]
        is_cut = mark and end + len(mark + rest) == len(self._text) and element.name.startswith(rest)
        if is_cut and self._matters(name) and (cell := cell_of(self._text, element.start, end, name)):
            yield cell

    def _enter(self, tag: re.Match[str]) -> Iterator[Cell]:
        name = tag["name"].rpartition(":")[2]
        near = self._label if tag.start() - self._label_end <= _NEAR_CHARS else ""
        labels = _labels(tag["attributes"]) if tag["attributes"] else ()
        column = self._grid.enter(name.lower())
        if tag["attributes"]:
            yield from self._attributes(tag, labels, near)
        if not tag["end"]:
            self._open.append(_Element(tag["name"], labels, column, near, tag.end()))
            if len(self._open) > 2 * _DEPTH_MAX:
                del self._open[:_DEPTH_MAX]

    def _close(self, tag: re.Match[str]) -> Iterator[Cell]:
        depth = next((at for at, one in enumerate(self._open[: -_DEPTH_MAX - 1 : -1]) if one.name == tag["closed"]), -1)
        if depth < 0:
            return
        element = self._open[-depth - 1]
        del self._open[-depth - 1 :]
        if self._open and tag.start() >= self._apart_end:
            self._open[-1].is_outer = True
        if not element.is_outer:
            yield from self._value(element, tag)

    def _value(self, element: _Element, tag: re.Match[str]) -> Iterator[Cell]:
        start, end = _trimmed(self._text, element.start, min(tag.start(), element.start + 2 * _APART_CHARS))
        content = self._text[start:end]
        if not content:
            return
        name = element.name.rpartition(":")[2]
        around = self._open[-1] if name.lower() in _FORMATS and self._open else None
        if around is not None and around.name.lower() in _CELLS:  # <td><b>Password</b></td>
            element, name = around, around.name
        names = tuple(one for one in self._names(element, name.lower(), content) if one and self._matters(one))
        if names and (cell := cell_of(self._text, start, end, *names)):
            yield cell
        content = "" if "<" in content else content  # what a mask is called is no label
        if name.lower() in ("th", "td"):
            self._grid.say(content)
        if len(content) <= NAME_CHARS_MAX and (name.lower() in _LABELS or role_of(name) is Role.LABEL):
            self._label, self._label_end = content.rstrip(": "), tag.end()

    def _names(self, element: _Element, name: str, content: str) -> Iterator[str]:
        """What a value may be called, the best first."""
        is_holder = name in _VALUES or role_of(name) is Role.VALUE
        yield from (*element.labels, *element.column)
        if (is_holder and not element.column) or _says_value(element.column):
            yield element.near
        if name == "td" and not is_word(content):
            yield self._grid.first()
        if name in _SAYING_LITTLE and self._open:
            yield f"{self._open[-1].name.rpartition(':')[2]} {name}"
        yield name
        is_format = name in _FORMATS and not is_word(content) and " " not in content
        if not is_holder and not is_format:
            return
        for around in self._open[: -_AROUND_MAX - 1 : -1]:
            yield from (() if is_format else around.labels)
            yield around.name.rpartition(":")[2]
            if role_of(around.name) is not Role.VALUE and around.name.lower() not in _VALUES | _FORMATS:
                return

    def _attributes(self, tag: re.Match[str], labels: tuple[str, ...], near: str) -> Iterator[Cell]:
        first = tag.start("attributes")
        for attribute in _ATTRIBUTE.finditer(tag["attributes"]):
            is_value = role_of(attribute["name"]) is Role.VALUE
            said = (*labels, near, tag["name"].rpartition(":")[2]) if is_value else (attribute["name"],)
            if attribute["name"] == "extension" and self._open:  # as HL7's documents have the number of an identifier
                said = (_ROOTS.get(_root(tag["attributes"]), f"{self._open[-1].name.rpartition(':')[2]} id"),)
            names = tuple(one for one in said if one and self._matters(one))
            start, end = attribute.span("value")
            if names and (cell := cell_of(self._text, first + start, first + end, *names)):
                yield cell


def _root(attributes: str) -> str:
    match = _ROOT.search(attributes)
    return match[1] if match else ""


def _says_value(column: tuple[str, ...]) -> bool:
    return bool(column) and column[0].lower() in VALUES


def _labels(attributes: str) -> tuple[str, ...]:
    said = [(role_of(one["name"]), one["value"].strip("\"'")) for one in _ATTRIBUTE.finditer(attributes)]
    return tuple(text for role, text in said if role in (Role.LABEL, Role.KIND) and 0 < len(text) <= NAME_CHARS_MAX)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """``start:end`` of ``text`` without blanks, comments and marks of CDATA around it."""
    for _ in range(_TRIMMED_MAX):
        content = text[start:end]
        start, end = start + len(content) - len(content.lstrip()), end - len(content) + len(content.rstrip())
        if text.startswith("<![CDATA[", start, end):
            start += 9
        elif text.startswith("<!--", start, end) and (behind := text.find("-->", start, end)) >= 0:
            start = behind + 3
        elif text.endswith("]]>", start, end):
            end -= 3
        elif text.endswith("-->", start, end) and (before := text.rfind("<!--", start, end)) >= 0:
            end = before
        else:
            break
    return (start, end) if start < end else (start, start)
