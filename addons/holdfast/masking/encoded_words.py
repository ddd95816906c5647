"""Words that headers of mails encode (RFC 2047): ``=?utf-8?Q?caf=C3=A9?=``.

Programs cut a long text into several of them, wherever a line is full, so a value may stand in two. Blanks between two
words are none of the text (6.2).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.escapes import units_of_bytes
from holdfast.masking.spelling import Spelling, Unit, respelled

SIGN: Final = "=?"
_HEAD: Final = r"=\?[\w-]{1,32}(?:\*[\w-]{1,16})?\?"
_WORD: Final = re.compile(
    rf"(?P<head>{_HEAD}[QqBb]\?)(?:(?<=[Qq]\?)(?P<quoted>[^\s?]{{0,400}})|(?P<base64>[A-Za-z0-9+/]{{0,400}}={{0,2}}))"
    rf"(?P<end>\?=(?:\s{{1,8}}(?={_HEAD}[QqBb]\?))?)"
)
_CHAR: Final = re.compile(r"(?P<bytes>(?:=[0-9a-fA-F]{2})+)|.")
_BEFORE: Final = re.compile(rf"\?=\s{{1,8}}{_HEAD}[Bb]\?\Z")
_BEHIND: Final = re.compile(rf"={{0,2}}\?=\s{{1,8}}{_HEAD}[QqBb]\?")
_BEFORE_CHARS: Final = 72


def words_in(text: str) -> Iterator[tuple[int, int]]:
    """Where encoded words stand."""
    if SIGN in text:
        yield from (match.span() for match in _WORD.finditer(text))


def without_words(text: str) -> Spelling | None:
    """``text`` with what its encoded words say."""
    return respelled(text, _WORD, _units)


def is_part(text: str, start: int, end: int) -> bool:
    """Whether the base64 ``start:end`` of ``text`` is one of several encoded words, and so a part of a text."""
    before = text[max(0, start - _BEFORE_CHARS) : start]
    if before[-3:] not in ("?B?", "?b?"):
        return False
    return _BEFORE.search(before) is not None or _BEHIND.match(text, end) is not None


def _units(match: re.Match[str]) -> list[Unit]:
    if match["quoted"] is None:
        try:
            said = base64.b64decode(match["base64"], validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return []
        inner: list[Unit] = [(said, len(match["base64"]))]
    else:
        inner = [unit for one in _CHAR.finditer(match["quoted"]) for unit in _quoted(one)]
    # Behind the last word a blank, so that what is found at its end does not take the end of the word with it.
    return [("", len(match["head"])), *inner, ("" if match["end"][-1].isspace() else " ", len(match["end"]))]


def _quoted(match: re.Match[str]) -> list[Unit]:
    if match["bytes"] is None:
        return [(" " if match[0] == "_" else match[0], 1)]
    return units_of_bytes(bytes.fromhex(match["bytes"].replace("=", "")), 3)
