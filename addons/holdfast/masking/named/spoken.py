"""Values behind a name in forms that only some programs have: dumps of PHP, forms in parts, LDIF, patches of Terraform.

Each form has a sign, without which a text is not searched for it. No expression reaches over more than a few lines.
"""

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of, has_one, is_word
from holdfast.masking.words import describes

_NAME: Final = r"(?P<name>[\w.-]{1,64})"
_LINE: Final = r"(?P<value>[^\r\n]{1,4096})"


@dataclasses.dataclass(frozen=True, slots=True)
class _Form:
    """``signs``, one of which stands in every text with the form; ``name`` is what a form without one says."""

    signs: tuple[str, ...]
    shape: re.Pattern[str]
    name: str = ""
    is_strict: bool = False  # whether a word is no value
    is_behind: bool = False  # whether the name stands before the form: it begins with what is quickly found
    is_encoded: bool = False  # whether the value is in base64


_PRINTED: Final = rf"^[ \t]{{0,64}}\[{_NAME}(?::\w{{1,64}}){{0,2}}\] => {_LINE}"
_DUMPED: Final = (
    rf"\[\"{_NAME}\"(?::[\w\"]{{1,64}}){{0,2}}\]\s?=>\s{{1,64}}string\(\d{{1,9}}\) "
    r"\"(?P<value>[^\"\n]{1,4096})\""
)
_PART: Final = (
    r"form-data;[ \t]{0,4}name=\"?(?P<name>[\w.-]{1,64}+)\"?(?:;[^\r\n]{0,200}+)?\r?\n"
    rf"(?:[^\r\n]{{1,200}}\r?\n){{0,4}}\r?\n{_LINE}"
)
_LDIF: Final = rf"^{_NAME}(?:;[\w-]{{1,32}}){{0,3}}:: (?P<value>[A-Za-z0-9+/]{{4,4096}}={{0,2}})"
_HEREDOC: Final = (
    r"[=:][ \t]{0,3}<<[-~]?\"?(?P<end>\w{1,32})\"?\r?\n"
    r"(?P<value>(?:[^\n]{0,400}\n){1,32}?)[ \t]{0,64}(?P=end)\b"
)
_PLANNED: Final = r"[=:] \"[^\"\n]{0,400}\" -> \"(?P<value>[^\"\n]{1,4096})\""
_CONTINUED: Final = rf"^[ \t]{{0,16}}{_NAME}[ \t]?[=:][ \t]?\\\r?\n[ \t]{{0,64}}{_LINE}"
_BRACKETED: Final = r"\[(?P<name>[\w ]{1,64})\]\s{0,2}=\s{0,2}N?'(?P<value>[^'\n]{1,4096})'"
_NESTED: Final = r"(?i:\[|%5B)(?P<name>\w{1,64})(?i:\]|%5D)=(?P<value>[^&\s\"'<>=]{1,4096})"
_CHANGED: Final = (
    r"(?:changed|updated|rotated|reset|set) from [\"'`]?"
    r"(?P<value>[^\s\"'`]{1,400})[\"'`]? to [\"'`]?(?P<other>[^\s\"'`]{1,400})"
)
_DOTTED: Final = (
    r"^[ \t>*]{0,16}(?P<name>[A-Za-z]\w{0,32}(?: \w{1,32}){0,3})[ \t]?\.{3,80}[ \t]?"
    r"(?P<value>[^\s.]\S{0,400})[ \t]{0,16}\r?$"
)
_LISTED: Final = rf"^[ \t]{{0,32}}{_NAME} = \[(?P<items>\s?[\"'][^\[\]\n]{{1,4096}})\]"
_SECURE: Final = r"ConvertTo-SecureString\s{1,3}(?:-String\s{1,3})?[\"'](?P<value>[^\"'\n$]{1,400})[\"']"
_PARAMETER: Final = r"\bSecureString\t(?P<value>[^\t\r\n]{1,4096})"
_REGISTRY: Final = rf"^[ \t]{{0,16}}{_NAME}[ \t]{{1,32}}REG_(?:EXPAND_)?SZ[ \t]{{1,32}}{_LINE}"
_LITERAL: Final = r"--from-literal[= ][\"']?(?P<told>[\w.-]{1,64})=(?P<value>[^\s\"']{1,400})"
_PIPED: Final = (
    r"\becho[ \t]{1,4}[\"']?(?P<value>[^\s\"'|$]{1,200})[\"']?[ \t]{0,4}\|[ \t]{0,4}"
    r"sudo[ \t](?:-\w{1,8}[ \t]){0,3}?-\w{0,4}S\b"
)
_REPLIED: Final = (
    rf"^[ \t]{{0,16}}\d{{1,9}}\) \"{_NAME}\"\r?\n[ \t]{{0,16}}\d{{1,9}}\) \"(?P<value>[^\"\n]{{1,4096}})\""
)
_BOX: Final = r"textbox \"(?P<name>[^\"\n<]{1,64})\"(?: \[[^\]\n]{1,64}\]){0,6}(?:: | value=)(?P<value>[^\r\n]{1,4096})"
_SET_BY: Final = (
    r"[\"'#\[=](?P<name>[\w -]{1,64})[\"'\]]{1,3}\)"
    r"\.(?:value\s{0,3}=\s{0,3}|(?:fill|type|send_?[kK]eys|set_?[vV]alue|val|press_?[sS]equentially)\()"
    r"[\"'`](?P<value>[^\"'`\n]{1,400})"
)
_SPACED: Final = rf"^[ \t]{{0,32}}\"?{_NAME}\"?[ \t]{{2,64}}= \"(?P<value>[^\"\n]{{1,4096}})\""
_APART: Final = rf"^[ \t]{{0,32}}{_NAME}:[ \t]{{4,64}}(?P<value>\S{{1,400}})[ \t]{{0,16}}\r?$"
_STORED: Final = (
    r"secret set [\w-]{1,64} (?:--?\w{1,16} [\w/.-]{1,64} ){0,3}?(?:--body|-b)[= ][\"']?(?P<value>[^\s\"']{1,400})"
)
_WIFI: Final = r"WIFI:(?:[TSHE]:[^;\n]{0,64};){0,4}P:(?P<value>[^;\n]{1,100});"
_PGPASS: Final = r"^[\w.*-]{1,253}:(?:543\d|6432|\*):[\w*-]{1,64}:[\w.*-]{1,64}:(?P<value>[^\s:]{1,400})[ \t]{0,8}\r?$"


def _lines(shape: str) -> re.Pattern[str]:
    return re.compile(shape, re.MULTILINE)


_FORMS: Final = (
    _Form(("] => ",), _lines(_PRINTED)),  # print_r of PHP, and var_dump
    _Form(("]=>", '"] =>'), _lines(_DUMPED)),
    _Form(("form-data",), _lines(_PART)),  # RFC 7578
    _Form((":: ",), _lines(_LDIF), is_encoded=True),  # RFC 2849
    _Form(("<<",), _lines(_HEREDOC), is_behind=True),
    _Form(('" -> "',), _lines(_PLANNED), is_behind=True),
    _Form(("=\\\n", "= \\\n", "=\\\r\n"), _lines(_CONTINUED)),
    _Form(("] = ", "]="), _lines(_BRACKETED)),
    _Form(("]=", "%5D=", "%5d="), _lines(_NESTED)),
    _Form(("ed from ", "set from "), _lines(_CHANGED), is_strict=True, is_behind=True),
    _Form(("....", " ... "), _lines(_DOTTED), is_strict=True),
    _Form((" = [",), _lines(_LISTED), is_strict=True),
    _Form(("SecureString",), _lines(_SECURE), name="password"),
    _Form(("SecureString\t",), _lines(_PARAMETER), name="password"),  # of AWS, as text
    _Form(("REG_SZ", "REG_EXPAND_SZ"), _lines(_REGISTRY)),
    _Form(("--from-literal",), _lines(_LITERAL), name="password"),
    _Form(("sudo ",), _lines(_PIPED), name="password"),
    _Form((') "',), _lines(_REPLIED), is_strict=True),  # of Redis
    _Form(('textbox "',), _lines(_BOX)),  # a page as a browser tells of it
    # Programs that fill in a page: of browsers, jQuery, Playwright, Cypress, Selenium.
    _Form((").value", ").fill(", ").type(", ").send", ").set", ").val(", ").press"), _lines(_SET_BY)),
    _Form(('  = "',), _lines(_SPACED), is_strict=True),
    _Form((":    ",), _lines(_APART), is_strict=True),
    _Form(("secret set ",), _lines(_STORED), name="password"),
    _Form(("WIFI:",), _lines(_WIFI), name="password"),
    _Form((":543", ":6432:", ":*:"), _lines(_PGPASS), name="password"),
)
_BEFORE_CHARS: Final = 80
_ITEM: Final = re.compile(r"\"([^\"\n]{1,400})\"|'([^'\n]{1,400})'")


def cells_of_forms(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values in ``text`` whose name matters."""
    for form in _FORMS:
        if not has_one(text, form.signs):
            continue
        spend(len(text))
        for match in form.shape.finditer(text):
            spend(len(match[0]))
            yield from _cells(text, form, match, matters)


def _cells(text: str, form: _Form, match: re.Match[str], matters: Matters) -> Iterator[Cell]:
    name = _before(text, match.start()) if form.is_behind else form.name or match["name"]
    if not name or not matters(name) or ("told" in form.shape.groupindex and describes(match["told"])):
        return
    for start, end in _spans(form, match):
        cell = cell_of(text, start, end, name)
        if cell is None or (form.is_strict and is_word(text[cell.start : cell.end])):
            continue
        yield dataclasses.replace(cell, said=_decoded(text[cell.start : cell.end])) if form.is_encoded else cell


def _before(text: str, at: int) -> str:
    """The one or two words in front of ``at``."""
    words = text[max(0, at - _BEFORE_CHARS) : at].rpartition("\n")[2].rstrip(" \t\"'").removesuffix(" was").split()
    return "" if any("<" in word for word in words[-2:]) else " ".join(words[-2:])  # a mask is no name


def _spans(form: _Form, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    groups = form.shape.groupindex
    if "items" in groups:
        first = match.start("items")
        for item in _ITEM.finditer(match["items"]):
            start, end = item.span(item.lastindex or 0)
            yield first + start, first + end
        return
    yield match.span("value")
    if "other" in groups:
        yield match.span("other")


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
