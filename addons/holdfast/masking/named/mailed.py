"""Names of persons that an address of mail in the same text spells: *Ada Lovelace* beside ``ada.lovelace@…``.

Two words in capitals say little; that somebody's address is made of them says that they are a person's. An address may
have both words with a mark between, in either order, or the first letter of one before the other.
"""

import functools
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of
from holdfast.masking.persons import PERSON, is_called
from holdfast.masking.recurring import places_of

_LOCAL: Final = re.compile(r"(?<![\w.+%-])(?P<local>[A-Za-z][A-Za-z._-]{2,60})\d{0,6}(?:\+[\w.-]{1,32})?\Z")
# In letters beyond ASCII (RFC 6531), in two parts.
_WIDE_LOCAL: Final = re.compile(
    r"(?<![\w.+%-])(?P<first>[^\W\d_]{1,30})[._-](?:[^\W\d_]{1,30}[._-]){0,2}(?P<last>[^\W\d_]{1,30})\d{0,6}\Z"
)
_GOES_ON: Final = re.compile(r"(?:[._-]\w{1,30}){0,3}@")  # what is found begins the address itself
# Scripts that put no blank between words, from Thai to Hangul.
_UNSPACED: Final = r"\u0e00-\u0eff\u1000-\u11ff\u3040-\ua4cf\uac00-\ud7ff"
_NO_BLANK: Final = re.compile(rf"[{_UNSPACED}]+")
_LOCAL_CHARS_MAX: Final = 64  # RFC 5321, 4.5.3.1.1
# Letters from Greek to Hangul: addresses are not written in them. Some put no blank between words, nor around a name;
# of the others one may stand in a name for the letter that it looks like.
_OTHER: Final = r"\u0370-\u1cff\u3040-\ua4cf\uac00-\ud7ff"
_LETTER: Final = rf"[^\W\d_{_UNSPACED}]"
_FIRST: Final = rf"[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff{_OTHER}]"
_PART: Final = rf"{_FIRST}(?:{_LETTER}|['\u2019-](?={_LETTER})){{1,30}}"
_NAME: Final = re.compile(
    rf"(?<![^\W_{_OTHER}])(?P<first>{_PART})"
    r"(?P<between>,? (?:[^\W\d_]\.? |(?:van|von|de|der|den|da|di|del|la|dos|bin|al) ){0,2})"
    rf"(?=(?P<last>{_PART})(?!{_LETTER}|[\d_]))"
)
_MARK: Final = re.compile(r"[._-]+")
_LETTERS_MIN: Final = 3  # of a family name: ``abc@`` is made of too many pairs of words
# What an address of an office is made of, beside the words of firms.
_OFFICE_TEXT: Final = """no not do reply data protection privacy security press media legal human resources customer
client public relations general info contact hello world first last your name user sales job jobs career careers web
master system admin account accounts billing mail email open source release manager project issue bug mailing list
developer developers help news marketing quality order orders test example"""
_OFFICES: Final = frozenset(_OFFICE_TEXT.split())
_UMLAUTS: Final = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00df": "ss", "\u00f8": "o"})


def cells_of_mailed(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The names in ``text`` that an address in it is made of."""
    if "@" not in text or not matters(PERSON):
        return
    spend(len(text))
    whole, marked, wide = _locals(text)
    yield from _called(text, wide, spend)
    if not whole and not marked:
        return
    spend(len(text))
    plain = functools.cache(_plain)  # words recur, and no other text should learn them
    for match in _NAME.finditer(text):
        said = match["first"] + match["between"] + match["last"]
        if _is_spelled(match, whole, marked, plain) and is_called(said.replace(".", "")) and not _is_office(match):
            yield from _named(text, match)


def _named(text: str, match: re.Match[str]) -> Iterator[Cell]:
    if cell := cell_of(text, match.start(), match.end("last"), PERSON):
        yield cell


def _called(text: str, pairs: set[tuple[str, str]], spend: Spend) -> Iterator[Cell]:
    """Where ``text`` has both of one of ``pairs``, which stand in it as an address has them."""
    if not pairs:
        return
    lower = text.lower()
    lower = lower if len(lower) == len(text) else text
    unspaced = {pair for pair in pairs if _NO_BLANK.fullmatch("".join(pair))}
    for some, gaps in ((unspaced, (" ", "\u3000", "")), (pairs - unspaced, (" ", ", "))):
        spend(len(text))
        both = [*some, *((last, first) for first, last in some)]
        said = {f"{one}{gap}{other}" for one, other in both for gap in gaps}
        for start, end in places_of(lower, said, by_themselves=some is not unspaced):
            if _GOES_ON.match(lower, end) is None and (cell := cell_of(text, start, end, PERSON)):
                yield cell


def _locals(text: str) -> tuple[set[str], set[tuple[str, ...]], set[tuple[str, str]]]:
    """What stands before the at signs of ``text``: in one piece, in two between marks, and in two beyond ASCII."""
    whole: set[str] = set()
    marked: set[tuple[str, ...]] = set()
    wide: set[tuple[str, str]] = set()
    at = text.find("@")
    while at >= 0:
        start, end = max(0, at - _LOCAL_CHARS_MAX), at
        at = text.find("@", at + 1)
        match = _LOCAL.search(text, start, end)
        if match is None:
            named = None if text[start:end].isascii() else _WIDE_LOCAL.search(text, start, end)
            if named is not None and _is_telling(named["first"], named["last"]):
                wide.add((named["first"].lower(), named["last"].lower()))
            continue
        parts = tuple(part for part in _MARK.split(match["local"].lower()) if part)
        if len(parts) == 1:
            whole.add(parts[0])
        elif parts:
            marked.add((parts[0], parts[-1]))
    return whole, marked, wide


def _is_telling(first: str, last: str) -> bool:
    """Whether the two may be names: each two letters at least, or one of a script that writes words with it."""
    return all(len(one) > 1 or _NO_BLANK.fullmatch(one) for one in (first, last))


def _is_spelled(
    match: re.Match[str], whole: set[str], marked: set[tuple[str, ...]], plain: Callable[[str], frozenset[str]]
) -> bool:
    joined = match["between"].replace(",", "").strip()
    lasts = [match["last"], joined + match["last"]] if joined else [match["last"]]
    for first in plain(match["first"]):
        for last in (spelled for one in lasts for spelled in plain(one)):
            if not first or len(last) < _LETTERS_MIN:
                continue
            if not marked.isdisjoint(((first, last), (last, first), (first[0], last), (last[0], first))):
                return True
            if first[0] + last in whole or ("," in match["between"] and last[0] + first in whole):
                return True
    return False


def _is_office(match: re.Match[str]) -> bool:
    return match["first"].lower() in _OFFICES or match["last"].lower() in _OFFICES


def _plain(word: str) -> frozenset[str]:
    """``word`` in the letters that an address may have: without accents, or with two letters for one."""
    lower = word.lower()
    bare = "".join(char for char in unicodedata.normalize("NFKD", lower) if char.isascii())
    spelled = (bare, lower.translate(_UMLAUTS))
    return frozenset("".join(filter(str.isalpha, one)) for one in spelled if one.isascii())
