"""A text as the gates see it: one byte per character, so that runs of characters are found at the speed of C."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.extent import ANCHOR, CASED_BYTE, DIGIT_BYTE, INSIDE, OTHER_BYTE, OUTSIDE
from holdfast.masking.literals import OTHER_CASES, lowered

type Windows = tuple[tuple[int, int], ...]
type WindowsKey = tuple[bytes, int | None, int, int]

_DIGITS: Final = b"0123456789" + bytes([DIGIT_BYTE])
_LETTER: Final = re.compile("[a-z]")
_DIGIT: Final = regex.compile(r"\d")
_OTHER_BYTES: Final = bytes(byte for byte in range(256) if byte not in _DIGITS)
_ANCHORS: Final = re.compile(ANCHOR + b"+")
# A run with an anchor in it. It is begun at its beginning only, and so what has no anchor is not gone over again.
_RUNS: Final = re.compile(b"(?<!%b)%b*+%b[%b%b]*+" % (INSIDE, INSIDE, ANCHOR, INSIDE, ANCHOR))
_ASCII: Final = "".join(map(chr, range(0x80)))
_BYTES: Final = bytes(range(256))
_SOUGHT_MAX: Final = 16  # kinds of digits; for more of them the text is gone through once
_LONG_CHARS: Final = 4096  # of a longer text it pays to know which characters it has
_SHORT_CHARS: Final = 32  # so long a text is searched sooner than it is told where to search it
_WIDTHS_MIN: Final = 6  # a run of so many times the longest match is worth cutting down


@functools.lru_cache(maxsize=4096)
def _is_digit(char: str) -> bool:
    return char.isdecimal() or _DIGIT.match(char) is not None


type Show = Callable[[str], bytes]


def shown(text: str) -> bytes:
    """``text`` with every character as one byte: what is not ASCII is a digit, another case of a letter, or else."""
    if text.isascii():
        return text.encode("ascii")
    chars = set(text)
    special = {char: DIGIT_BYTE for char in chars if char > "\x7f" and _is_digit(char)}
    special |= dict.fromkeys(chars & OTHER_CASES, CASED_BYTE)
    free = [char for char in _ASCII if char not in chars and char != "?"]
    if len(free) <= len(special) or len(special) > _SOUGHT_MAX:
        return _shown_one_by_one(text, chars, special)
    # What the text does not hold stands for those, and for the mark that is put for all that cannot be encoded.
    table = bytearray(_BYTES)
    table[ord("?")], table[ord(free[0])] = OTHER_BYTE, ord("?")
    text = text.replace("?", free[0])
    for (char, byte), stand_in in zip(special.items(), free[1:], strict=False):
        table[ord(stand_in)] = byte
        text = text.replace(char, stand_in)
    return text.encode("ascii", "replace").translate(bytes(table))


def _shown_one_by_one(text: str, chars: set[str], special: Mapping[str, int]) -> bytes:
    table = {ord(char): chr(special.get(char, OTHER_BYTE)) for char in chars if char > "\x7f"}
    return text.translate(table).encode("latin-1")


class View:
    """What is asked about a text."""

    __slots__ = (
        *("_bytes", "_chars", "_classes", "_digits", "_foreign", "_has_letters", "_kept", "_known", "_letters"),
        *("_lower", "_show", "_unmask", "_unmasked", "helped", "length", "text"),
    )

    def __init__(self, text: str, unmask: Callable[[str], str] = str, show: Show = shown) -> None:
        """``unmask`` takes the masks out of a text; ``show`` is :func:`shown`, or what remembers what it made."""
        self.text = text
        self._unmask = unmask
        self._show = show
        self.length = len(text)
        self.helped: dict[object, bool] = {}  # by whose words of context: whether one may stand before a value
        self._bytes: bytes | None = None
        self._chars: frozenset[str] | None = None
        self._digits: int | None = None
        self._lower: str | None = None
        self._foreign: frozenset[str] | None = None
        self._unmasked: str | None = None
        self._letters: frozenset[str] | None = None
        self._has_letters: bool | None = None
        self._classes: dict[bytes, bytes] = {}
        self._known: dict[WindowsKey, Windows] = {}
        self._kept: dict[Callable[[str], Any], Any] = {}

    @property
    def raw(self) -> bytes:
        """The text, one byte per character."""
        if self._bytes is None:
            self._bytes = self._show(self.text)
        return self._bytes

    @property
    def chars(self) -> frozenset[str]:
        """The characters of the text."""
        if self._chars is None:
            self._chars = frozenset(self.text)
        return self._chars

    @property
    def digits(self) -> int:
        """How many digits the text has."""
        if self._digits is None:
            self._digits = len(self.raw.translate(None, _OTHER_BYTES))
        return self._digits

    @property
    def lower(self) -> str:
        """The text in lower case."""
        if self._lower is None:
            self._lower = lowered(self.text)
        return self._lower

    @property
    def lower_unmasked(self) -> str:
        """The text in lower case, without what stands in masks."""
        if self._unmasked is None:
            unmasked = self._unmask(self.text)
            self._unmasked = self.lower if unmasked is self.text else lowered(unmasked)
        return self._unmasked

    @property
    def has_letters(self) -> bool:
        """Whether a letter from A to Z stands in the text but in masks."""
        if self._has_letters is None:
            self._has_letters = _LETTER.search(self.lower_unmasked) is not None
        return self._has_letters

    def has_unmasked(self, words: Mapping[str, frozenset[str]]) -> bool:
        """Whether one of ``words``, in lower case and with its characters, stands in the text but in masks."""
        lower = self.lower_unmasked
        if len(lower) >= _LONG_CHARS and self._letters is None:
            self._letters = frozenset(lower)  # most words need a letter that a text of few does not have
        return _has_one(words, lower, self._letters)

    def has_foreign(self, words: Mapping[str, frozenset[str]]) -> bool:
        """Whether one of ``words``, none of them all ASCII, stands in the text, also where it touches a mask."""
        if self.text.isascii():
            return False
        if self._foreign is None:
            self._foreign = frozenset(self.lower)
        return _has_one(words, self.lower, self._foreign)

    def kept[T](self, make: Callable[[str], T]) -> T:
        """What ``make`` makes of the text, made once."""
        made: T | None = self._kept.get(make)
        if made is None:
            made = self._kept[make] = make(self.text)
        return made

    def around(self, ends: Sequence[int], table: bytes, width: int | None, beyond: int) -> Windows:
        """Where matches can be that end at one of ``ends`` or go on behind it, or end up to ``beyond`` before it.

        ``table`` and ``width`` are those of an :class:`~holdfast.masking.extent.Extent`.
        """
        if self.length <= _SHORT_CHARS:
            return ((0, self.length),)
        classes = self._classes.get(table)
        if classes is None:
            classes = self._classes[table] = self.raw.translate(table)
        found: list[tuple[int, int]] = []
        # Further than this the ends of a run make no difference: it is cut down.
        far = self.length if width is None else beyond + width * _WIDTHS_MIN + 1
        whole = 0  # up to here everything is in a window
        for end in sorted(ends):
            if end <= whole:
                continue
            at = classes.find(INSIDE, max(end - 1 - beyond, whole), end)
            while at >= 0:
                low, high = max(0, at - far), min(self.length, at + far)
                start, stop = classes.rfind(OUTSIDE, low, at) + 1 or low, classes.find(OUTSIDE, at, high)
                stop = stop if stop >= 0 else high
                if width is None or stop - start <= width * _WIDTHS_MIN:
                    whole = stop
                else:
                    start, stop = max(start, end - beyond - width), min(stop, end + width - 1)
                if found and start <= found[-1][1]:
                    start = min(start, found.pop()[0])
                found.append((start, stop))
                at = classes.find(INSIDE, stop, end) if stop < end else -1
        return tuple(found)

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
        classes = self.raw.translate(table)
        found: list[tuple[int, int]] = [match.span() for match in _RUNS.finditer(classes)]
        if width is not None:
            most = width * _WIDTHS_MIN
            found = [
                part
                for start, end in found
                for part in (((start, end),) if end - start <= most else _narrow(classes, start, end, width))
            ]
        return tuple(
            [
                (start, end)
                for start, end in found
                if end - start >= length and (anchors <= 1 or classes.count(ANCHOR, start, end) >= anchors)
            ]
        )


def _has_one(words: Mapping[str, frozenset[str]], text: str, letters: frozenset[str] | None) -> bool:
    """Whether one of ``words``, each with its characters, is in ``text``, which has ``letters`` where that is known."""
    for word, chars in words.items():  # noqa: SIM110 -- a generator costs more than the tests; this is the hot loop
        if (letters is None or chars <= letters) and word in text:
            return True
    return False


def _narrow(classes: bytes, start: int, end: int, width: int) -> list[tuple[int, int]]:
    """The parts of the run in which a match of at most ``width`` characters can have an anchor."""
    parts: list[tuple[int, int]] = []
    for match in _ANCHORS.finditer(classes, start, end):
        left, right = max(start, match.start() - width + 1), min(end, match.end() + width - 1)
        if parts and left <= parts[-1][1]:
            left = parts.pop()[0]
        parts.append((left, right))
    return parts
