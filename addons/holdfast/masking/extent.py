"""How far a match of a pattern can stretch: over which characters, how many, and how far ahead and back it looks.

A match is a run of characters that the pattern can consume, so it never leaves the longest such run around it; and all
it can see beyond is what its boundaries and lookaheads reach. Both are derived from the pattern, never narrower than
they are.
"""

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any, Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.reading import codes, read

OUTSIDE: Final = b" "
INSIDE: Final = b"a"
ANCHOR: Final = b"!"
OTHER_BYTE: Final = 0xFF  # stands for a character beyond ASCII, which is taken to be in every alphabet
DIGIT_BYTE: Final = 0xFE  # for a digit beyond ASCII
CASED_BYTE: Final = 0xFD  # for a letter beyond ASCII that is another case of one of ASCII: the Kelvin sign is a k
_ASCII: Final = "".join(map(chr, range(128)))
WIDTH_MAX: Final = 8192  # a longer match is as good as one of any length: each hit has six times as much looked at
_AHEAD_MAX: Final = 4096  # what looks further ahead, or any way, is taken to need all of its run
_FAR: Final = ""  # among the classes: a lookahead that may need all of the run
_BOUNDARY_REACH: Final = 2  # `$` sees a line feed and what follows; the other boundaries see one character
_BOUNDARY_BEHIND: Final = 1
_LOOKS: Final = (codes.ASSERT, codes.ASSERT_NOT)

type _Seen = tuple[frozenset[str], int, int]  # the sets of characters of a match, how far it sees ahead, and back


class UnreadableError(Exception):
    """A part of the tree that nothing is known about."""


@dataclasses.dataclass(frozen=True, slots=True)
class Extent:
    """What is known of every match.

    ``table`` maps a byte of a text (see :class:`~holdfast.masking.view.View`) to :data:`OUTSIDE` or :data:`INSIDE` the
    alphabet. A match has at most ``width`` characters (None: any number, or it looks ahead over the rest of
    its run), sees ``reach`` characters past its end, and ``behind`` before its beginning.
    """

    table: bytes
    width: int | None
    reach: int
    behind: int

    def anchored(self, chars: frozenset[str]) -> bytes:
        """The table with each of ``chars``, which the alphabet holds, as an :data:`ANCHOR`."""
        table = bytearray(self.table)
        for char in chars:
            table[ord(char)] = ANCHOR[0]
        if not chars.isdisjoint("0123456789"):
            table[DIGIT_BYTE] = ANCHOR[0]
        return bytes(table)


@functools.cache
def extent_of(pattern: str, flags: int) -> Extent | None:
    """The extent of the matches of ``pattern``, None where it cannot be told."""
    tree = read(pattern)
    if tree is None:
        return None
    try:
        classes, reach, behind = _sequence(tree)
    except UnreadableError:
        return None
    is_far = _FAR in classes
    members = frozenset[int]().union(*(ascii_members(one, flags) for one in classes - {_FAR}))
    inside = bytes(
        INSIDE[0] if byte >= 0x80 or byte in members else OUTSIDE[0]  # noqa: PLR2004 -- ASCII
        for byte in range(256)
    )
    width = tree.getwidth()[1]
    return Extent(inside, width if width <= WIDTH_MAX and not is_far else None, reach, behind)


def _sequence(tree: Any) -> _Seen:
    return _together(_item(code, argument) for code, argument in tree)


def _together(seen: Iterable[_Seen]) -> _Seen:
    classes: frozenset[str] = frozenset()
    reach = behind = 0
    for more, ahead, back in seen:
        classes |= more
        reach, behind = max(reach, ahead), max(behind, back)
    return classes, reach, behind


def _item(code: Any, argument: Any) -> _Seen:
    if code in _LOOKS:
        return _look(*argument)
    if code is codes.AT:
        return frozenset(), _BOUNDARY_REACH, _BOUNDARY_BEHIND
    if code is codes.GROUPREF:  # what a group matched is of the group's characters
        return frozenset(), 0, 0
    trees = trees_of(code, argument)
    if trees is None:
        return frozenset({set_of(code, argument)}), 0, 0
    return _together(map(_sequence, trees))


def trees_of(code: Any, argument: Any) -> list[Any] | None:
    """The trees inside an item, None where it is a set of characters.

    Raises:
        UnreadableError: a group has flags of its own.
    """
    if code is codes.BRANCH:
        return list(argument[1])
    if code is codes.SUBPATTERN:
        if argument[1] or argument[2]:
            raise UnreadableError  # flags of its own
        return [argument[3]]
    if code is codes.ATOMIC_GROUP:
        return [argument]
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [argument[2]]
    if code is codes.GROUPREF_EXISTS:
        return [tree for tree in argument[1:] if tree is not None]
    return None


def _look(direction: int, tree: Any) -> _Seen:
    classes, reach, behind = _sequence(tree)
    width = tree.getwidth()[1]
    behind += width if direction < 0 else 0
    if _FAR in classes or (direction > 0 and width > _AHEAD_MAX):
        # It may look any way ahead, over these characters only: so they count as part of the run.
        return classes | {_FAR}, reach + _BOUNDARY_REACH, behind
    # What is captured may be referred to, and then it is part of a match.
    return classes if _captures(tree) else frozenset(), reach + (width if direction > 0 else 0), behind


def _captures(tree: Any) -> bool:
    return any(
        (code is codes.SUBPATTERN and argument[0] is not None)
        or any(map(_captures, argument[1:] if code in _LOOKS else trees_of(code, argument) or ()))
        for code, argument in tree
    )


@functools.cache
def ascii_members(written_set: str, flags: int) -> frozenset[int]:
    """The characters of ASCII in a set as :func:`set_of` writes it, by the very module that runs the pattern."""
    return frozenset(map(ord, regex.findall(written_set, _ASCII, flags | regex.DOTALL)))


def set_of(code: Any, argument: Any) -> str:
    """The set of characters that an item stands for, as a set of the ``regex`` module.

    Raises:
        UnreadableError: it is something else.
    """
    if code is codes.LITERAL:
        return f"[{_char(argument)}]"
    if code is codes.NOT_LITERAL:
        return f"[^{_char(argument)}]"
    if code is codes.ANY:
        return r"[\s\S]"
    if code is codes.IN:
        return f"[{''.join(_member(kind, value) for kind, value in argument)}]"
    raise UnreadableError


def _char(number: int) -> str:
    return f"\\U{number:08x}"


_CATEGORIES: Final = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}


def _member(code: Any, argument: Any) -> str:
    if code is codes.NEGATE:
        return "^"
    if code is codes.LITERAL:
        return _char(argument)
    if code is codes.RANGE:
        return f"{_char(argument[0])}-{_char(argument[1])}"
    if code is codes.CATEGORY and argument in _CATEGORIES:
        return _CATEGORIES[argument]
    raise UnreadableError
