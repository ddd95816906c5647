"""Where the address begins in what was found as an e-mail address.

RFC 5322, 3.2.3 lets a local part hold ``= / ? & | { } # $ * ^ ~ !``, so Presidio takes ``email=bob@example.com`` and
``/u/bob@example.com`` whole. What stands before the last ``= / ? & | { }`` is the syntax around the address, mostly.
Were it masked with it, one address would have as many pseudonyms as there are ways to mention it, and a Caller who
sends one back would have ``email=bob@…`` put in its place. Between ``<`` and ``>`` nothing else can stand.

One or two of ``! * ~ ^ $ #`` are part of a name that nothing but such a label stands before: ``o'brien!x@example.com``.
"""

from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

ENTITY: Final = "EMAIL_ADDRESS"
# Percent-encoded, once or more, and no character of a local part: not + - . _ ' and nothing beyond ASCII.
_ENCODED: Final = "(?:25){0,3}(?:[01][0-9A-F]|2[0-4689ACF]|3[A-F]|5[B-E]|60|7[B-F])"
# Of scripts that put no blank between words, what stands before the Latin letters of an address is another word.
_UNSPACED: Final = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_BREAK: Final = regex.compile(rf"%{_ENCODED}|[^\w.+%'\u2019-]|[{_UNSPACED}](?=[ -~])", regex.IGNORECASE)
# With marks between them they are parts of a name, and of the address (RFC 6531): 시우.김29@example.com.
_JOINED: Final = regex.compile(rf"[{_UNSPACED}ー々]{{1,12}}(?:[._-][{_UNSPACED}ー々]{{1,12}}){{1,3}}(?=\d{{0,6}}+@)")
_LABEL: Final = regex.compile(r"[A-Za-z_][\w.-]*=(?!=)")
_MARKED: Final = regex.compile(r"\w[\w.+'\u2019-]*(?:[!*~^$#][\w.+'\u2019-]+){1,2}")
_ATEXT: Final = regex.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+")
_FURTHER: Final = frozenset("%@\\/=&?;")  # what stands before is more of an address, of a link or of an escape
# As SQL and Python mark a text: N'…', b'…'.
_PREFIX: Final = regex.compile("[A-Za-z]{1,2}'")
_HALF_ENCODED: Final = regex.compile(_ENCODED, regex.IGNORECASE)
_SIGN: Final = regex.compile("@|%(?:25){0,3}40")
_PLAIN: Final = regex.compile("[A-Za-z0-9][A-Za-z0-9._+-]*")  # most are
_FIRST: Final = regex.compile(r"\w")
# A list that keeps track of whom it wrote to puts an address into its own: bounce+bob=example.com@lists.example.
_DOMAIN: Final = regex.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|edu|gov|info|example|[a-z]{2})", regex.IGNORECASE)
_REWRITTEN: Final = regex.compile(r"SRS[01][=+-]", regex.IGNORECASE)


def address_start(text: str, start: int, end: int) -> int:
    """Where the address begins that ends ``text[start:end]``; ``start`` where that cannot be told."""
    is_whole = text[start - 1 : start] != "%"
    if is_whole and _PLAIN.fullmatch(text, start, max(start, text.rfind("@", start, end))):
        return start
    sign = _last(_SIGN, text, start, end)
    if sign is None:
        return start
    first = start
    if not is_whole:  # an own pattern began inside an escape
        half = _HALF_ENCODED.match(text, start, sign.start())
        first = half.end() if half else start
    whole = _marked_start(text, first, sign.start(), end) if first == start else None
    if whole is not None:
        return whole
    if joined := _JOINED.search(text, first, sign.end()):
        return int(joined.start())
    mark = _last(_BREAK, text, first, sign.start())
    if mark is not None:
        is_carried = mark[0].upper() in ("=", "%3D") and _DOMAIN.fullmatch(text, mark.end(), sign.start())
        if is_carried or _REWRITTEN.match(text, first):
            return start
        first = mark.end()
    prefix = _PREFIX.match(text, first, sign.start()) if text[end : end + 1] == "'" else None
    first = prefix.end() if prefix else first
    word = _FIRST.search(text, first, sign.start())
    return word.start() if word else start


def _marked_start(text: str, start: int, sign: int, end: int) -> int | None:
    """Where a name begins that has marks in it, which ends at ``sign``; None where it cannot be told to have any."""
    if text[start - 1 : start] == "<" and text[end : end + 1] == ">" and _ATEXT.fullmatch(text, start, sign):
        return start
    label = _LABEL.match(text, start, sign)
    if start and text[start - 1] in _FURTHER and not label:
        return None
    first = label.end() if label else start
    return first if _MARKED.fullmatch(text, first, sign) else None


def _last(pattern: "regex.Pattern[str]", text: str, start: int, end: int) -> "regex.Match[str] | None":
    found = None
    for found in pattern.finditer(text, start, end):  # noqa: B007 -- the last one is wanted
        pass
    return found
