"""Words of which every match of a pattern contains one, in lower case: the cheapest reason not to look for it."""

import functools
import string
from collections.abc import Mapping
from typing import Any, Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.reading import codes, read

WORDS_COUNT_MAX: Final = 64
_CHARS_MAX: Final = 16  # larger sets say too little
_WORD_CHARS_MIN: Final = 2
_BEYOND_ASCII: Final = "".join(map(chr, range(0x80, 0x3000)))  # no letter beyond has an ASCII letter for its other case


def _other_cases(letters: str) -> dict[str, str]:
    """What a pattern takes for one of ``letters`` beyond ASCII, and which that is, in lower case."""
    found: list[str] = regex.findall(f"[{letters}]", _BEYOND_ASCII, regex.IGNORECASE)
    return {
        char: next(letter.lower() for letter in letters if regex.fullmatch(letter, char, regex.IGNORECASE) is not None)
        for char in found
    }


_OTHER_CASES: Final = _other_cases(string.ascii_lowercase)  # the Kelvin sign is a k, the long s is an s
# And the dotless i is one where a pattern says I, not where it says i.
_ANY_CASES: Final = _other_cases(string.ascii_uppercase) | _OTHER_CASES
# Letters of other scripts that have two cases and of which the other cases are known.
_CASED: Final = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ" + "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώ"
# What stands in lower case for another of them: at the end of a word a sigma does.
_CASED_AS: Final = {char.lower(): letter for char, letter in _other_cases(_CASED).items() if char.lower() != letter}
OTHER_CASES: Final = frozenset(_ANY_CASES)
LETTERS_WITH_OTHER_CASES: Final = frozenset("".join(_ANY_CASES.values()) + "".join(_ANY_CASES.values()).upper())


def with_ascii_letters(text: str) -> str:
    """``text``, with what a pattern in lower case takes for a letter of ASCII as that letter."""
    return _with_letters(text, _OTHER_CASES)


def lowered(text: str) -> str:
    """``text`` so that a word of :func:`words_of` is in it wherever a pattern may see it."""
    return _with_letters(_with_letters(text, _ANY_CASES).lower(), _CASED_AS)


def _with_letters(text: str, letters: Mapping[str, str]) -> str:
    if not text.isascii():
        for char, letter in letters.items():  # few of them, and each is looked for at the speed of C
            text = text.replace(char, letter)
    return text


@functools.cache
def words_of(pattern: str) -> frozenset[str]:
    """Words of which every match of ``pattern`` contains at least one; empty where there are none."""
    tree = read(pattern)
    return frozenset() if tree is None else (_best(tree) or frozenset())


def _best(tree: Any) -> frozenset[str] | None:
    """The most telling of the sets of words that a sequence needs."""
    best: frozenset[str] | None = None
    current = frozenset({""})
    for code, argument in tree:
        exact = _exact(code, argument)
        if exact is not None and len(current) * len(exact) <= WORDS_COUNT_MAX:
            current = frozenset(left + right for left in current for right in exact)
            continue
        best = _better(best, current)
        current = frozenset({""}) if exact is None else exact
        best = _better(best, _inner(code, argument))
    return _better(best, current)


def _better(left: frozenset[str] | None, right: frozenset[str] | None) -> frozenset[str] | None:
    if right is None or not right or min(map(len, right)) < _WORD_CHARS_MIN:
        return left
    if left is None:
        return right
    return max(left, right, key=lambda words: (min(map(len, words)), -len(words)))


def _exact(code: Any, argument: Any) -> frozenset[str] | None:
    """All that an item can match, where that is a few words."""
    if code is codes.LITERAL:
        lower = _lower(chr(argument))
        return None if lower is None else frozenset({lower})
    if code is codes.IN:
        return _chars(argument)
    if code is codes.SUBPATTERN:
        return _exact_sequence(argument[3])
    if code is codes.BRANCH:
        branches = [_exact_sequence(tree) for tree in argument[1]]
        known = [branch for branch in branches if branch is not None]
        joined = frozenset[str]().union(*known)
        return joined if len(known) == len(branches) and len(joined) <= WORDS_COUNT_MAX else None
    return None


def _lower(char: str) -> str | None:
    """``char`` in lower case; None where a pattern may take for it what has another lower case."""
    lower = _CASED_AS.get(char.lower(), char.lower())
    is_caseless = char == lower == char.upper() and char.isprintable()  # nothing is known of what is not assigned yet
    return lower if char.isascii() or lower in _CASED or is_caseless else None


def _exact_sequence(tree: Any) -> frozenset[str] | None:
    current = frozenset({""})
    for code, argument in tree:
        exact = _exact(code, argument)
        if exact is None or len(current) * len(exact) > WORDS_COUNT_MAX:
            return None
        current = frozenset(left + right for left in current for right in exact)
    return current


def _chars(items: Any) -> frozenset[str] | None:
    chars: set[str | None] = set()
    for code, argument in items:
        low, high = argument if code is codes.RANGE else (argument, argument)
        if code not in (codes.LITERAL, codes.RANGE) or high - low > _CHARS_MAX:
            return None
        chars.update(_lower(chr(item)) for item in range(low, high + 1))
    known = frozenset(char for char in chars if char is not None)
    return known if len(known) == len(chars) <= _CHARS_MAX else None


def _inner(code: Any, argument: Any) -> frozenset[str] | None:
    """Words that an item needs somewhere inside."""
    if code is codes.SUBPATTERN:
        return _best(argument[3])
    if code is codes.ATOMIC_GROUP:
        return _best(argument)
    if code is codes.BRANCH:
        branches = [_best(tree) for tree in argument[1]]
        known = [branch for branch in branches if branch is not None]
        joined = frozenset[str]().union(*known)
        return joined if len(known) == len(branches) and len(joined) <= WORDS_COUNT_MAX else None
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT) and argument[0]:
        return _best(argument[2])
    return None
