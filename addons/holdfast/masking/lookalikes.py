# ruff: noqa: RUF001 -- a table of look-alikes is made of them
"""Characters that look like ASCII ones, or like nothing at all, and what they look like.

Most follow from Unicode's own data: compatibility forms, digits of every script, dashes, blanks, format characters. The
table holds what does not: letters of other scripts after the confusables of UTS #39, and marks that people type.
"""

import functools
import unicodedata
from typing import Final

_SCRIPTS: Final = (
    # Cyrillic
    ("аеікмнорѕстухјԁԛԝһӏьгүѵАВЕІКМНОРСТУХЈЅҮӀԌԚԜѴ", "aeikmhopsctyxjdqwhlbryvABEIKMHOPCTYXJSYIGQWV"),
    # Greek
    ("αεικνορτυχγηωσςϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϜ", "aeikvoptuxynwocjABEZHIKMNOPTYXCF"),
    # Armenian
    ("օոսզհյցգՕՍՏԼ։", "onuqhjgqOUSL:"),
    # Cherokee
    ("ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᎽᏀᏃᏎᏏᏒᏔᏙᏚᏞᏟᏢᏦᏧᏮᏴᎩ", "DRTiAJEWMHYGZ4bRWVSLCPKd6By"),
    # Lisu
    ("ꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴꓸ", "BPdDTGKJCZFMNLSRVHWXYAEIOU."),
    # Coptic
    ("ⲂⲎⲒⲔⲘⲚⲞⲢⲤⲦⲨⲬⲟⲣⲥ", "BHIKMNOPCTYXopc"),
    # Latin beyond ASCII
    ("ıȷɑɡɩʋℓ℮ǀƖƼƽƧƷȜ", "ijagivlell55233"),
    # dots, colons, slashes, dashes, plus signs, blanks
    ("。‧·•∙⋅۔∶꞉ː∕⁄⧸╱−⁃˗➖─━➕\u2800\u2028\u2029\x85\x0b\x0c", ".......:::////------+      "),
)
_TABLE: Final = {
    ord(char): seen for chars, ascii_chars in _SCRIPTS for char, seen in zip(chars, ascii_chars, strict=True)
}
_DROPPED: Final = frozenset({"Cf", "Mn", "Me", "Cc"})  # zero-width and format characters, combining marks, controls
# These count as letters or symbols, and show nothing.
_EMPTY: Final = frozenset("\u115f\u1160\u3164\uffa0\U0001d159")
# Runs of A to Z for which Unicode's data names no plain letter: parenthesised, negative circled, negative squared, and
# regional indicators.
_ALPHABETS: Final = (0x249C, 0x1F110, 0x1F150, 0x1F170, 0x1F1E6)
_LETTERS: Final = 26
_SMALL_CAPITAL: Final = "LATIN LETTER SMALL CAPITAL "
_LETTERS_MAX: Final = 6  # a unit of measure in katakana
_CHEROKEE_SMALL: Final = range(0xAB70, 0xABC0)


@functools.lru_cache(maxsize=8192)
def seen_as(char: str) -> str:
    """What the character ``char`` looks like: ASCII where it looks like that, nothing where it shows nothing."""
    if " " <= char < "\x7f" or char in "\t\r\n":
        return char
    seen = _TABLE.get(ord(char))
    if seen is not None:
        return seen
    category = unicodedata.category(char)
    if category in _DROPPED or char in _EMPTY:
        return ""
    if category in ("Nd", "No"):
        digit = unicodedata.digit(char, None)
        if digit is not None:
            return str(digit)
    if category in ("Pd", "Zs"):
        return "-" if category == "Pd" else " "
    return _letter(char) or _compatible(char)


def _letter(char: str) -> str:
    code = ord(char)
    for first in _ALPHABETS:
        if first <= code < first + _LETTERS:
            return chr(ord("A") + code - first)
    if code in _CHEROKEE_SMALL:
        return _TABLE.get(ord(char.upper()), "").lower()
    name = unicodedata.name(char, "")
    if name.startswith(_SMALL_CAPITAL):
        letter = name.removeprefix(_SMALL_CAPITAL)
        return letter.lower() if len(letter) == 1 else ""
    return ""


def _compatible(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char).translate(_TABLE)
    if len(folded) > _LETTERS_MAX and not any(item.isascii() and item.isalnum() for item in folded):
        return char  # a whole phrase of another script in one character: no part of a value
    return "".join(item for item in folded if unicodedata.category(item) not in _DROPPED)
