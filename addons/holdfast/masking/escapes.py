r"""Escapes: characters spelled by their numbers or names, and lines folded for the mail.

``%40 %u0040 &#64; &#x40; &commat; \x40 \u0040 \u{40} \U00000040 \100 \n \/`` and, where a text says that it is
quoted-printable, ``=40``. What reads such a text decodes it, so a value in it is one.
"""

import html
import html.entities
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.spelling import Spelling, Unit, respelled

_HEX: Final = "[0-9a-fA-F]"
# Each kind begins with a character of its own, for which texts are searched at the speed of C.
_PERCENT: Final = rf"%(?:(?P<percent>{_HEX}{{2}}(?:%{_HEX}{{2}})*)|(?P<units>u{_HEX}{{4}}(?:%u{_HEX}{{4}})*))"
_ENTITY: Final = rf"&(?:(?P<number>\#(?:[0-9]{{1,40}}|[xX]{_HEX}{{1,40}});?)|(?P<name>[A-Za-z][A-Za-z0-9]{{1,31}};?))"
_BACKSLASH: Final = (
    rf"\\(?:(?P<hex>x{_HEX}{{2}}(?:\\x{_HEX}{{2}})*)|(?P<codes>u{_HEX}{{4}}(?:\\u{_HEX}{{4}})*)"
    rf"|[ux]\{{(?P<braced>{_HEX}{{1,8}})\}}|U(?P<long>{_HEX}{{8}})|(?P<octal>[0-3][0-7]{{2}}(?:\\[0-3][0-7]{{2}})*)"
    # A line end or tab matters where a value may begin behind it: "\n4111" is no word to a pattern.
    r"|(?P<blank>[nrtbfv])(?=[\w(+])|(?P<mark>[\"'/])"
    r"|(?P<backslash>\\)(?=[\\nrtuUx\"'/0-3]))"
)
_KINDS: Final = tuple(map(re.compile, (_PERCENT, _ENTITY, _BACKSLASH)))
_ANY: Final = re.compile(f"{_PERCENT}|{_ENTITY}|{_BACKSLASH}")
_SOFT: Final = re.compile(rf"=(?:\r?\n|(?P<byte>{_HEX}{{2}}(?:={_HEX}{{2}})*))")
_SOFT_SAID: Final = "quoted-printable"
_SOFT_END: Final = re.compile(r"[^=]=\r?\n")  # no underlined heading
_SOFT_BYTE: Final = re.compile("=(?:[0-9A-F][A-F]|[A-F][0-9]|20)")  # =10 is what code and settings say
_NO_ZONE: Final = r"(?!\d\d:\d\d(?![\d:]))"  # of a time: 12:30:01+01:00
_FORM: Final = re.compile(rf"=[^\s=&]{{0,200}}?\+{_NO_ZONE}")
_NUMBER: Final = re.compile(r"=\+\d{1,4} \(?\d")  # a telephone number as it is said, with blanks, which no form has
_JOINING: Final = re.compile(rf"[^\s=&+]\+{_NO_ZONE}")  # a plus sign behind what it joins
_PLUS: Final = re.compile(r"\+")
_ENTITY_CHARS_MIN: Final = 2  # &lt
_UNICODE_MAX: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xDC00)
_LOW_SURROGATES: Final = range(0xDC00, 0xE000)
# How many bytes a character has in UTF-8, by the first of them.
_UTF8: Final = ((range(0xC2, 0xE0), 2), (range(0xE0, 0xF0), 3), (range(0xF0, 0xF5), 4))


def decoded(text: str) -> Iterator[Spelling]:
    """``text`` with every escape of one kind replaced by what it stands for, once, for each kind that it has.

    Kinds are not decoded together: what splits an escape of one kind may be one of another (``&#5%32;``).
    """
    for pattern in _KINDS:
        spelling = respelled(text, pattern, _units)
        if spelling is not None:
            yield spelling


def escapes_in(text: str) -> Iterator[tuple[int, int]]:
    """Where each escape of any kind begins and ends, in order."""
    for match in _ANY.finditer(text):
        at = match.start()
        for _, width in _units(match):
            yield at, at + width
            at += width


def is_soft(text: str) -> bool:
    """Whether ``text`` says or shows that it is quoted-printable. An ``=40`` alone may be the end of ``a=40``."""
    if "=" not in text:
        return False
    is_folded = ("=\n" in text or "=\r\n" in text) and _SOFT_END.search(text) is not None
    return (is_folded and _SOFT_BYTE.search(text) is not None) or _SOFT_SAID in text.lower()


def softened(text: str) -> Spelling | None:
    """Quoted-printable ``text`` as it is read (RFC 2045, 6.7)."""
    return respelled(text, _SOFT, _soft_units)


def plus_signs_in(text: str) -> Iterator[tuple[int, int]]:
    """Where plus signs stand as in form data, in which each is a blank."""
    if "+" not in text or "=" not in text:
        return
    is_joined = _JOINING.search(text) is not None
    yield from (match.span() for match in _FORM.finditer(text) if is_joined or not _NUMBER.match(text, match.start()))


def without_plus(text: str) -> Spelling | None:
    """``text`` with a blank for every plus sign."""
    return respelled(text, _PLUS, lambda _: [(" ", 1)])


def _units(match: re.Match[str]) -> list[Unit]:
    kind = match.lastgroup or ""
    whole = match.group()
    match kind:
        case "percent":
            return units_of_bytes(bytes.fromhex(whole.replace("%", "")), 3)
        case "hex":
            return units_of_bytes(bytes.fromhex(whole.replace("\\x", "")), 4)
        case "octal":
            return units_of_bytes(bytes(int(whole[at + 1 : at + 4], 8) for at in range(0, len(whole), 4)), 4)
        case "units" | "codes":
            return _of_codes([int(whole[at + 2 : at + 6], 16) for at in range(0, len(whole), 6)])
        case "number":
            return [(html.unescape(whole), len(whole))]
        case "name":
            return _named(whole)
        case "braced" | "long":
            return [(_char(int(match[kind], 16)), len(whole))]
        case "blank":
            return [("\n" if match[kind] in "nr" else " ", len(whole))]
        case _:
            return [(match[kind], len(whole))]


def _soft_units(match: re.Match[str]) -> list[Unit]:
    if match["byte"] is None:
        return [("", len(match.group()))]
    return units_of_bytes(bytes.fromhex(match["byte"].replace("=", "")), 3)


def units_of_bytes(data: bytes, width: int) -> list[Unit]:
    """The characters of ``data``, each byte of which took ``width`` characters; no UTF-8 is read as Latin-1."""
    if data.isascii():
        return [(char, width) for char in data.decode()]
    units: list[Unit] = []
    at = 0
    while at < len(data):
        size = next((size for firsts, size in _UTF8 if data[at] in firsts), 1)
        try:
            char = data[at : at + size].decode()
        except UnicodeDecodeError:
            char, size = chr(data[at]), 1
        units.append((char, size * width))
        at += size
    return units


def _of_codes(codes: list[int]) -> list[Unit]:
    """The characters of UTF-16 code units that took six characters each."""
    units: list[Unit] = []
    at = 0
    while at < len(codes):
        pair = codes[at : at + 2]
        if pair[0] in _SURROGATES and pair[-1] in _LOW_SURROGATES:
            units.append((chr(0x10000 + ((pair[0] - 0xD800) << 10) + pair[1] - 0xDC00), 12))
            at += 2
        else:
            units.append((_char(pair[0]), 6))
            at += 1
    return units


def _char(code: int) -> str:
    return chr(code) if code <= _UNICODE_MAX else ""


def _named(whole: str) -> list[Unit]:
    """The entity that ``whole`` begins with. HTML 13.2.5.73: some names need no semicolon; the longest counts."""
    name = whole[1:]
    for end in range(len(name), _ENTITY_CHARS_MIN - 1, -1):
        char = html.entities.html5.get(name[:end])
        if char is not None:
            return [(char, end + 1)]
    return []
