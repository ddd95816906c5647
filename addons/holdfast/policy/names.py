"""Names and globs: how a rule's words compare with what a Caller wrote.

A rule that lets something pass reads narrowly: the very same characters, and its ``*`` never stands for a path that
climbs. A rule that stops something reads widely: case, width, invisible characters and percent escapes make no
difference, so that ``Delete_Customer`` does not slip by a rule against ``delete_*``.
"""

import dataclasses
import enum
import re
import unicodedata
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Final

_UNQUOTE_ROUNDS_MAX: Final = 4  # an escape of an escape of an escape is nobody's honest URI
_CLIMBS: Final = re.compile(r"(?:^|[/\\])\s*\.\.\s*(?:$|[/\\;?#])")
_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class Reading(enum.Enum):
    """How a rule compares: narrowly where it lets pass, widely where it stops."""

    NARROW = "narrow"
    WIDE = "wide"


def fold(text: str) -> str:
    """``text`` without the differences that an eye does not see: case, width, compatibility forms, invisible marks."""
    if text.isascii():
        return text.lower()
    shown = unicodedata.normalize("NFKC", text)
    if not shown.isascii():
        shown = "".join(character for character in shown if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", shown.casefold())


def fold_name(text: str) -> str:
    """Like :func:`fold`, and without white space and control characters: no name differs by these alone."""
    plain = _BLANK.sub("", fold(text))
    return plain if plain.isascii() else fold(plain)  # a mark may have lost the blank that it stood on


def _unquoted(text: str) -> Iterator[str]:
    for _ in range(_UNQUOTE_ROUNDS_MAX):
        plain = urllib.parse.unquote(text, errors="replace")
        if plain == text:
            return
        yield plain
        text = plain


def climbs(text: str) -> bool:
    """Whether ``text`` has ``..`` as a path segment, however it is escaped, or more escapes than can be read."""
    readings = [text, *_unquoted(text)]
    return len(readings) > _UNQUOTE_ROUNDS_MAX or any(_CLIMBS.search(fold(reading)) for reading in readings)


def _fits(pieces: Sequence[str], text: str) -> bool:
    if len(pieces) == 1:
        return text == pieces[0]
    head, *middle, tail = pieces
    if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
        return False
    at, end = len(head), len(text) - len(tail)
    # The leftmost place for each piece leaves most room for the next, so there is nothing to try again.
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


@dataclasses.dataclass(frozen=True, slots=True)
class Glob:
    """A text in which each ``*`` stands for any characters, none included. Nothing else is special."""

    pieces: tuple[str, ...]
    folded: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Glob":
        """The glob that ``text`` spells."""
        pieces = tuple(text.split("*"))
        return cls(pieces, tuple(fold_name(piece) for piece in pieces))

    def fits_narrowly(self, text: str) -> bool:
        """Whether ``text`` is the very text, or has its pieces in order and does not climb."""
        return _fits(self.pieces, text) and (len(self.pieces) == 1 or not climbs(text))

    def could_fit_narrowly(self, open_pieces: Sequence[str]) -> bool:
        """Whether some text that has ``open_pieces`` in order, with anything between them, fits narrowly."""
        if len(open_pieces) == 1:
            return self.fits_narrowly(open_pieces[0])
        if len(self.pieces) == 1:
            return _fits(open_pieces, self.pieces[0])
        # Both have room in the middle for all that the other one wants there: only the ends can disagree.
        begins, ends = (self.pieces[0], open_pieces[0]), (self.pieces[-1], open_pieces[-1])
        return any(a.startswith(b) for a, b in (begins, begins[::-1])) and any(
            a.endswith(b) for a, b in (ends, ends[::-1])
        )

    def fits_widely(self, text: str, readings: Sequence[str]) -> bool:
        """Whether ``text`` has the pieces in order, or one of its folded ``readings`` has the folded pieces."""
        return _fits(self.pieces, text) or any(_fits(self.folded, reading) for reading in readings)


@dataclasses.dataclass(frozen=True, slots=True)
class Names:
    """A list of globs of one rule, with the way in which that rule reads."""

    globs: tuple[Glob, ...]
    reading: Reading

    @classmethod
    def of(cls, texts: Sequence[str], reading: Reading) -> "Names":
        """The globs that ``texts`` spell."""
        return cls(tuple(Glob.of(text) for text in texts), reading)

    def fit(self, text: str) -> bool:
        """Whether any of the globs fits ``text``."""
        if self.reading is Reading.WIDE:
            readings = [fold_name(variant) for variant in (text, *_unquoted(text))]
            return any(glob.fits_widely(text, readings) for glob in self.globs)
        return any(glob.fits_narrowly(text) for glob in self.globs)

    def fit_any(self, texts: Sequence[str]) -> bool:
        """Whether any of ``texts`` fits."""
        return any(self.fit(text) for text in texts)
