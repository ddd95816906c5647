"""What a text must contain before a pattern can match it: a cheap, sound reason not to look.

Most strings of tool traffic hold no digit and no ``@``, and nearly every pattern needs one. The needs are derived from
the pattern itself: its shortest match, how many digits every match has, and characters of which every match has one.
Letters are left out, because case folding gives them more spellings than it seems (``K`` is also the Kelvin sign).
A pattern that cannot be read in full has no needs and always runs.
"""

import dataclasses
import functools
from typing import Any, Final

from holdfast.masking.reading import codes as _codes
from holdfast.masking.reading import read

_RANGE_MAX: Final = 64  # larger character ranges are no sign of anything


@dataclasses.dataclass(frozen=True, slots=True)
class Need:
    """Every match has at least ``length`` characters, ``digits`` digits and a character of each of ``one_of``."""

    length: int = 0
    digits: int = 0
    one_of: frozenset[frozenset[str]] = frozenset()


@functools.cache
def need_of(pattern: str) -> Need:
    """The needs of ``pattern``; none where it cannot be read for certain."""
    tree = read(pattern)
    try:
        return Need() if tree is None else _sequence(tree)
    except ValueError:
        return Need()


def _sequence(tree: Any) -> Need:
    total = Need()
    for code, argument in tree:
        need = _item(code, argument)
        total = Need(total.length + need.length, total.digits + need.digits, total.one_of | need.one_of)
    return total


def _item(code: Any, argument: Any) -> Need:
    if code is _codes.LITERAL:
        return _chars(frozenset({chr(argument)}))
    if code is _codes.NOT_LITERAL or code is _codes.ANY:
        return Need(1)
    if code is _codes.IN:
        return _set(argument)
    if code is _codes.BRANCH:
        return _branch([_sequence(tree) for tree in argument[1]])
    if code is _codes.SUBPATTERN:
        return _sequence(argument[3])
    if code is _codes.ATOMIC_GROUP:
        return _sequence(argument)
    if code in (_codes.MAX_REPEAT, _codes.MIN_REPEAT, _codes.POSSESSIVE_REPEAT):
        low, _, tree = argument
        need = _sequence(tree)
        return Need(need.length * low, need.digits * low, need.one_of if low else frozenset())
    if code in (_codes.ASSERT, _codes.ASSERT_NOT, _codes.AT, _codes.GROUPREF, _codes.GROUPREF_EXISTS):
        return Need()
    raise ValueError("an expression of another dialect")


def _chars(chars: frozenset[str]) -> Need:
    if all(char in "0123456789" for char in chars):
        return Need(1, 1)
    if any(char.isalpha() or char > "\x7f" for char in chars):
        return Need(1)
    return Need(1, 0, frozenset({chars}))


def _set(items: Any) -> Need:
    chars: set[str] = set()
    for code, argument in items:
        if code is _codes.LITERAL:
            chars.add(chr(argument))
        elif code is _codes.RANGE and argument[1] - argument[0] <= _RANGE_MAX:
            chars.update(map(chr, range(argument[0], argument[1] + 1)))
        elif code is _codes.CATEGORY and argument is _codes.CATEGORY_DIGIT:
            chars.update("0123456789")
            continue
        else:
            return Need(1)
    only_digits = all(char in "0123456789" for char in chars)
    return Need(1, 1) if only_digits else _digitless(chars, items)


def _digitless(chars: set[str], items: Any) -> Need:
    # \d has more digits than ten, so beside other characters it is no fixed set.
    has_category = any(code is _codes.CATEGORY for code, _ in items)
    return Need(1) if has_category else _chars(frozenset(chars))


def _branch(needs: list[Need]) -> Need:
    shared = frozenset.intersection(*(need.one_of for need in needs))
    if not shared and all(need.one_of for need in needs):
        # One of each branch's sets, joined: a match takes some branch, and so has one of them.
        shared = frozenset({frozenset().union(*(min(need.one_of, key=sorted) for need in needs))})
    return Need(min(need.length for need in needs), min(need.digits for need in needs), shared)
