"""Making text safe to look at: what a terminal would obey, or not show at all, is spelled out.

A held call is written by whoever asks for it. Escape sequences could repaint the approver's screen, bidirectional
controls could show another order than the one that is sent, and characters without width could hide in a name. Each of
them is shown as ``⟨U+202E⟩``; plain text stays as it is. Background: Unicode UTR #36 and UTS #39.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

# Categories of characters that are obeyed or not seen: controls, formats (bidi, zero width), surrogates, private use,
# unassigned, line and paragraph separators, and marks that enclose their neighbours.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Me"})
# Letters, marks and symbols that draw nothing: grapheme joiner, Hangul and Khmer fillers, blank Braille,
# variation selectors (the supplementary ones are ranged below).
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | frozenset(
    chr(code) for code in range(0xFE00, 0xFE10)
)
_MARKS_MAX: Final = 2  # Vietnamese and Hebrew need two; more of them paint over the lines above


def visible(text: str) -> str:
    """``text`` on one line, with every character that would be obeyed or unseen spelled by its number, ``⟨U+200B⟩``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(text))


def _shown(text: str) -> Iterator[str]:
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category == "Mn" else 0
        unseen = category in _UNSEEN or char in _BLANK or 0xE0100 <= ord(char) <= 0xE01EF  # noqa: PLR2004 -- supplementary variation selectors, Unicode block
        other_space = category == "Zs" and char != " "
        yield f"⟨U+{ord(char):04X}⟩" if unseen or other_space or marks > _MARKS_MAX else char


def fold(text: str, columns: int) -> list[str]:
    """``text`` cut into pieces of at most ``columns`` terminal columns; wide characters count two.

    The reader wraps nowhere else, so a long run of spaces in an argument cannot begin what looks like a line of ours.
    """
    if text.isascii():
        return [text[start : start + columns] for start in range(0, len(text), columns)] or [""]
    pieces: list[str] = []
    start = width = 0
    for index, char in enumerate(text):
        step = _columns(char)
        if width + step > columns:
            pieces.append(text[start:index])
            start, width = index, 0
        width += step
    pieces.append(text[start:])
    return pieces


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
