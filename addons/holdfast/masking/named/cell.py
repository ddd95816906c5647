"""A value in a text, and what the text calls it."""

import dataclasses
import re
from collections.abc import Callable, Iterable
from typing import Final

NAME_CHARS_MAX: Final = 64
VALUE_CHARS_MAX: Final = 4096  # what is longer is a document, whatever it is called
_MARK: Final = "*"
_AROUND: Final = " \t\r\n\"'`*"
_NAME: Final = re.compile(r"[^\W\d_]\w{0,31}(?:[ ._/#:-]{1,2}\w{1,32}){0,4}[#:?.]?")
# What is said of a column or a setting, beside its name: a line with little else is no header and no row of values.
_KIND_TEXT: Final = """text varchar char nvarchar int integer bigint smallint number numeric decimal float double bool
boolean string str date datetime timestamp timestamptz time uuid json jsonb blob bytea binary yes no true false null
required optional nullable unique y n"""
_KINDS: Final = frozenset(_KIND_TEXT.split())

type Matters = Callable[[str], bool]  # whether a rule or a context word is in a name
type Spend = Callable[[int], None]  # counts characters that are about to be looked at; raises where those are too many


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """The characters of a text from ``start`` up to ``end``; ``names`` is what they may be called, the best first.

    ``said`` is what they say where they are encoded. ``is_vague`` is for what only lines around it say is regulated:
    any rule that knows it better gives the name.
    """

    names: tuple[str, ...]
    start: int
    end: int
    said: str | None = None
    is_vague: bool = False


def cell_of(text: str, start: int, end: int, *names: str) -> Cell | None:
    """The value between ``start`` and ``end`` without blanks, quotes and marks around it; None where nothing is left.

    At its end a mark belongs to it unless one like it stands before it: passwords end so.
    """
    first, end = start, min(end, start + VALUE_CHARS_MAX)
    while start < end and text[start] in _AROUND:
        start += 1
    behind = _AROUND if _MARK in text[first:start] else _AROUND.replace(_MARK, "")
    while start < end and text[end - 1] in behind:
        end -= 1
    return Cell(names, start, end) if start < end else None


def reads_as_name(text: str) -> bool:
    """Whether ``text`` may be what a column or a value is called: a few words, no sentence and no code."""
    return len(text) <= NAME_CHARS_MAX and _NAME.fullmatch(text) is not None


def is_kind(text: str) -> bool:
    """Whether ``text`` is a word for a type of values, or an answer to a question about one: ``varchar(64)``."""
    return text.partition("(")[0].strip().lower() in _KINDS


def is_mostly_digits(text: str) -> bool:
    """Whether ``text`` has more digits than letters, as ``A1234567`` has and ``address1`` has not."""
    return sum(map(str.isdigit, text)) > sum(map(str.isalpha, text))


def has_one(text: str, signs: Iterable[str]) -> bool:
    """Whether one of ``signs`` stands in ``text``."""
    for sign in signs:  # noqa: SIM110 -- a generator costs more than the tests; every text is asked
        if sign in text:
            return True
    return False


def is_word(text: str) -> bool:
    """Whether ``text`` has letters alone, or is empty: another name as likely as a value."""
    return text.replace("_", "").replace("-", "").isalpha() or not text


def has_digit(text: str) -> bool:
    """Whether a digit is in ``text``."""
    return any(map(str.isdigit, text))
