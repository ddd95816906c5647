r"""Words of `deny` and `allow` lists, however their letters are composed and whatever blanks part them.

``é`` is one character or ``e`` with a mark behind it (as file names of macOS have it), and a line may end, or a
no-break blank stand, between two words of a name. A list that is written one way is about all of them.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

_BLANKS: Final = r"\s{1,16}"  # a line's end and the indent behind it; more is a gap between two cells


def normal(phrase: str) -> str:
    """``phrase`` composed, with one blank between words."""
    return " ".join(unicodedata.normalize("NFC", phrase).split())


def expression(phrases: Iterable[str]) -> str:
    """A regular expression that matches each of ``phrases`` as whole words, the longest first."""
    longest_first = sorted(map(normal, phrases), key=len, reverse=True)
    return rf"(?<!\w)(?:{'|'.join(map(_written, longest_first))})(?!\w)"


def _written(phrase: str) -> str:
    return _BLANKS.join("".join(map(_letter, word)) for word in phrase.split())


def _letter(char: str) -> str:
    apart = unicodedata.normalize("NFD", char)
    return regex.escape(char) if apart == char else f"(?:{regex.escape(char)}|{regex.escape(apart)})"
