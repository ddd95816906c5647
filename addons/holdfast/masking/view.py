"""A text as the gates see it: one byte per character, so that runs of characters are found at the speed of C."""

import functools
import re
from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.extent import ANCHOR, DIGIT_BYTE, OTHER_BYTE, OUTSIDE
from holdfast.masking.literals import lowered

type Windows = tuple[tuple[int, int], ...]
type WindowsKey = tuple[bytes, int | None, int, int]

_DIGITS: Final = b"0123456789" + bytes([DIGIT_BYTE])
_DIGIT: Final = regex.compile(r"\d")
_BEYOND: Final = re.compile(r"[^\x00-\x7f]")
_OTHER_BYTES: Final = bytes(byte for byte in range(256) if byte not in _DIGITS)
_ANCHORS: Final = re.compile(ANCHOR + b"+")
_WIDTHS_MIN: Final = 6  # a run of so many times the longest match is worth cutting down


@functools.lru_cache(maxsize=4096)
def _byte_char(char: str) -> str:
    return chr(DIGIT_BYTE) if char.isdecimal() or _DIGIT.match(char) else chr(OTHER_BYTE)


class View:
    """What a gate asks about a text."""

    __slots__ = ("_known", "_lower", "bytes", "chars", "digits", "length", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = len(text)
        self.chars = frozenset(text)
        shown = text if text.isascii() else _BEYOND.sub(lambda match: _byte_char(match.group()), text)
        self.bytes = shown.encode("latin-1")
        self.digits = len(self.bytes.translate(None, _OTHER_BYTES))
        self._lower: str | None = None
        self._known: dict[WindowsKey, Windows] = {}

    @property
    def lower(self) -> str:
        """The text in lower case."""
        if self._lower is None:
            self._lower = lowered(self.text)
        return self._lower

    def windows(self, key: WindowsKey) -> Windows:
        """Where matches can be: parts of runs of one alphabet that hold enough to be one.

        ``key`` is the table of the alphabet (see :class:`~holdfast.masking.extent.Extent`), the most characters of a
        match (None: any number), the fewest, and how many of them at least are anchors.
        """
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._windows(*key)
        return known

    def _windows(self, table: bytes, width: int | None, length: int, anchors: int) -> Windows:
        classes = self.bytes.translate(table)
        found: list[tuple[int, int]] = []
        at = classes.find(ANCHOR)
        while at >= 0:
            start = classes.rfind(OUTSIDE, 0, at) + 1
            end = classes.find(OUTSIDE, at)
            end = end if end >= 0 else self.length
            if width is not None and end - start > width * _WIDTHS_MIN:
                found += _narrow(classes, start, end, width)
            else:
                found.append((start, end))
            at = classes.find(ANCHOR, end)
        return tuple(
            [
                (start, end)
                for start, end in found
                if end - start >= length and (anchors <= 1 or classes.count(ANCHOR, start, end) >= anchors)
            ]
        )


def _narrow(classes: bytes, start: int, end: int, width: int) -> list[tuple[int, int]]:
    """The parts of the run in which a match of at most ``width`` characters can have an anchor."""
    parts: list[tuple[int, int]] = []
    for match in _ANCHORS.finditer(classes, start, end):
        left, right = max(start, match.start() - width + 1), min(end, match.end() + width - 1)
        if parts and left <= parts[-1][1]:
            left = parts.pop()[0]
        parts.append((left, right))
    return parts
