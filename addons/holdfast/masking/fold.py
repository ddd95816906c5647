r"""A second view of a text, in which look-alikes are what they look like.

``\uff14\uff11\uff11\uff11`` and ``4111\u200b1111`` begin card numbers to a reader, not to a pattern.
The folded view spells them in ASCII and remembers where each character came from, so that a finding in it masks the
original characters.
"""

import functools
import re
import unicodedata
from typing import Final

# Letters that look like Latin ones and that NFKC leaves alone.
_LOOK_ALIKES: Final = str.maketrans(
    "аеікмнорѕстухјԁԛԝАВЕІКМНОРСТУХЈЅεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeikmhopsctyxjdqwABEIKMHOPCTYXJSeikvoptuxABEZHIKMNOPTYX",
)
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_DROPPED: Final = frozenset({"Cf", "Mn", "Me"})  # zero-width and format characters, combining marks
_MINUS: Final = "\u2212"  # a minus sign is no dash to Unicode


@functools.lru_cache(maxsize=8192)
def _fold_char(char: str) -> str:
    if char < "\x80":
        return char
    category = unicodedata.category(char)
    if category in _DROPPED:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Pd" or char == _MINUS:
        return "-"
    if category == "Zs":
        return " "
    folded = unicodedata.normalize("NFKC", char.translate(_LOOK_ALIKES))
    return "".join(item for item in folded if unicodedata.category(item) not in _DROPPED)


def fold(text: str) -> tuple[str, list[int]] | None:
    r"""The folded view of ``text`` and, for each of its characters, the index in ``text``; None where nothing changes.

    The list has one item more than the view, the length of ``text``. JSON escapes (``\u0040``) in plain text fold too.
    """
    has_escapes = "\\u" in text
    if not has_escapes and text.isascii():
        return None
    chars: list[str] = []
    origins: list[int] = []
    at = 0
    while at < len(text):
        char, width = text[at], 1
        if has_escapes and char == "\\" and (escape := _ESCAPE.match(text, at)):
            char, width = chr(int(escape.group(1), 16)), 6
        folded = _fold_char(char)
        chars.append(folded)
        origins.extend([at] * len(folded))
        at += width
    view = "".join(chars)
    if view == text:
        return None
    origins.append(len(text))
    return view, origins


def unfold(start: int, end: int, origins: list[int]) -> tuple[int, int]:
    """The span of the original text that the span ``start:end`` of its folded view came from."""
    last = origins[end - 1]
    while origins[end] == last:  # one character may fold to several
        end += 1
    return origins[start], origins[end]
