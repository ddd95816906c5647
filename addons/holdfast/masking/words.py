"""Words: how a text is cut for Presidio's context rules, and how the name of a JSON member is read.

A context word such as *card* must be found as a whole word, also in ``creditCard`` and ``card_no``, and not in
*discard*. Masks that stand in a text already are no words, or the mask of one value would be context for the next.
"""

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from holdfast.masking.compounds import parted

_OF_ASCII: Final = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
_PART: Final = rf"{_OF_ASCII}|[^\W\d_]+"
_PIECE: Final = rf"{_PART}|\s+|."
# Of scripts from Devanagari to Myanmar vowels are marks: without them another word is left.
_VOWELS: Final = {char for char in map(chr, range(0x0900, 0x10A0)) if unicodedata.category(char) in ("Mn", "Mc")}
_WORD: Final = re.compile(rf"{_OF_ASCII}|(?:[^\W\d_]|[{''.join(sorted(_VOWELS))}])+")
_PLURAL_CHARS_MIN: Final = 4  # ssns, pins
_NAME_CHARS_MAX: Final = 200
_UNSEEN: Final = ("Mn", "Cf")
_STEM_CHARS_MIN: Final = 5  # shorter words end in s for other reasons: bus, dls, this

_STOP_TEXT: Final = """a an and are as at be been but by for from had has have he her his i in into is it its me my of
on or our she so that the their them there they this to was we were will with you your"""
STOP_WORDS: Final = frozenset(_STOP_TEXT.split())
# A member of these names says nothing by itself: the name above it is the context.
_TRANSPARENT_TEXT: Final = """value values val v number numbers no nbr num nr text raw plain plaintext data content full
display string str int integer s n formatted answer var
char varchar long double float scalar keyword array rich answers c l ss ns"""
TRANSPARENT: Final = frozenset(_TRANSPARENT_TEXT.split())
# Of a value they say the type alone, as Firestore writes it: ``timestampValue``. By themselves they say more.
_TYPES: Final = frozenset({"timestamp", "date", "datetime", "time", "boolean", "bool"})
# What a query compares a field with; ``$ref`` of a schema is none.
# or as what MongoDB writes a value that JSON has no form for.
_OPERATOR_TEXT: Final = (
    """$eq $ne $in $nin $gt $gte $lt $lte $all _eq _ne _in $date $numberLong $numberInt $numberDecimal"""
)
_OPERATORS: Final = frozenset(_OPERATOR_TEXT.split())
# Behind a name they say which one: ``password_new``, ``phoneHome``, ``{"password": {"current": …}}``.
_QUALIFIER_TEXT: Final = """current new old previous original initial default temporary temp primary secondary main
backup home work office personal private example examples sample actual real confirm confirmed confirmation repeat
repeated again retype verify encrypted decrypted hashed unmasked clear cleartext stored saved normalized canonical
national international prod production dev development staging live sandbox"""
QUALIFIERS: Final = frozenset(_QUALIFIER_TEXT.split())
# A member that ends so is an identifier, a quantity or a time, whatever stands before: no context for bare numbers.
_IDENTIFIER_TEXT: Final = """id ids uuid guid key index idx count total size bytes length version timestamp ts time at
date created updated modified port offset page limit seq sequence order revision rev hash sha digest etag cursor ms ns
us seconds duration status code"""
_IDENTIFIERS: Final = frozenset(_IDENTIFIER_TEXT.split())
# A member that ends so tells something about a value beside it.
_DESCRIBING_TEXT: Final = """type kind format title description comment note label name user username login scheme
state provider issuer scope scopes url uri href policy strength brand network country currency language required
enabled active expiry expires exp iat algorithm alg method source role group"""
_DESCRIBING: Final = _IDENTIFIERS | frozenset(_DESCRIBING_TEXT.split())


def stem(word: str) -> str:
    """``word`` in lower case, without the s of a plural."""
    word = word.lower()
    if len(word) >= _STEM_CHARS_MIN and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_ENCRYPTED: Final = r"<[A-Z0-9_]{1,64}_enc:[a-z0-9-]{1,32}:[A-Za-z0-9_-]{64,22000}:[0-9a-f]{16}>"


def mask_pattern(entities: Iterable[str]) -> re.Pattern[str]:
    """What matches a mask of one of ``entities``: ``<US_SSN>``, ``<EMAIL_ADDRESS_0a1b2c3d4e5f>``."""
    names = "|".join(sorted(map(re.escape, entities), key=len, reverse=True)) or "(?!)"
    return re.compile(f"<(?:{names})(?:_[0-9a-f]{{12}})?>")


class Cutter:
    """Cuts texts into pieces that cover every character; masks of the given entities are one piece each."""

    def __init__(self, entities: Iterable[str]) -> None:
        # What stands in an encrypted mask is no word either, whoever wrote it; see sealing.py.
        masks = f"{mask_pattern(entities).pattern}|{_ENCRYPTED}"
        self._pieces = re.compile(f"{masks}|{_PIECE}", re.DOTALL)
        self._words = re.compile(rf"({masks}|{_PART}|\d)")
        self._masks = re.compile(masks)

    def without_masks(self, text: str) -> str:
        """``text`` with a blank for each mask in it."""
        return self._masks.sub(" ", text) if "<" in text else text

    def cut(self, text: str) -> list[tuple[int, str]]:
        """The pieces of ``text``: where each begins, and what it is."""
        return [(match.start(), match.group()) for match in self._pieces.finditer(text)]

    def words(self, text: str) -> tuple[list[int], list[str]]:
        """Where the pieces of ``text`` begin that are made of letters or of digits, or are masks, and what they are."""
        parts = self._words.split(text)  # what is between two pieces, and a piece, in turn
        return list(itertools.accumulate(map(len, parts)))[:-1:2], parts[1::2]


def is_word(piece: str) -> bool:
    """Whether ``piece`` counts as a word for context: neither mark, blank, mask nor stop word."""
    return word_stem(piece) is not None


def word_stem(piece: str) -> str | None:
    """The stem of ``piece``; None where it is no word."""
    if not piece[0].isalnum():
        return None
    lower = piece.lower()
    if lower in STOP_WORDS:
        return None
    found = stem(lower)
    return None if found in STOP_WORDS else found


@functools.lru_cache(maxsize=4096)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a member's name, lower case: ``billingCardNo`` is billing, card, no, and so is ``billingcardno``."""
    name = name[:_NAME_CHARS_MAX]
    if not name.isascii():
        # Accents and widths do not change what a name means; what cannot be seen in it neither.
        name = "".join(
            char
            for char in unicodedata.normalize("NFKD", name)
            if unicodedata.category(char) not in _UNSEEN or char in _VOWELS
        )
    return tuple(part for match in _WORD.finditer(name) for part in parted(match.group().lower()))


def singular(word: str) -> str:
    """The last word of a rule's name that a name's last ``word`` may be the plural of; ``word`` where it is none."""
    is_plural = len(word) >= _PLURAL_CHARS_MIN and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word


@functools.lru_cache(maxsize=4096)
def name_context(name: str) -> tuple[str, ...]:
    """The context that a member's name gives to its value; none where it names an identifier or a quantity."""
    words = name_words(name)
    if words and words[-1] in _IDENTIFIERS:
        return ()
    return tuple(stem(word) for word in words)


def describes(name: str) -> bool:
    """Whether a member of this name tells something about values, and holds none."""
    words = name_words(name)
    return not words or words[-1] in _DESCRIBING


def is_transparent(name: str) -> bool:
    """Whether the name says nothing by itself."""
    words = name_words(name)
    if len(words) > 1 and words[-1] == "value" and words[0] in _TYPES:
        words = words[1:]
    return all(word in TRANSPARENT or word.isdigit() for word in words) or name in _OPERATORS
