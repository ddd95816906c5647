"""Texts that stand in base64 or hexadecimal: is there text inside, and how it goes back in."""

import base64
import binascii
import dataclasses
import operator
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking import dumps
from holdfast.masking.budget import Budget
from holdfast.masking.encoded_words import is_part
from holdfast.masking.octets import Form, octets_in
from holdfast.masking.texts import text_of

BASE64_CHARS_MIN: Final = 16  # eleven characters, as an SSN has, take sixteen
# Inside a text; a shorter run is a word or a number, and eleven characters with words take it.
RUN_CHARS_MIN: Final = 20
HEX_BYTES_MIN: Final = 8  # fewer say nothing; of eight drawn by lot one in two thousand are all text
BLOB_CHARS_MIN: Final = 2 * HEX_BYTES_MIN
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}|[A-Za-z0-9_-]+={0,2}")
_RUN: Final = re.compile(rf"[A-Za-z0-9+/_-]{{{BLOB_CHARS_MIN},}}={{0,2}}")
# RFC 2045, 6.8 has lines of 76 characters, RFC 7468 of 64; some tools write 60.
_LINES: Final = re.compile(r"(?:[A-Za-z0-9+/]{40,100}\r?\n[ \t]{0,16})+(?:[A-Za-z0-9+/]{1,100}={0,2})?")
_HEX_LINES: Final = re.compile(r"(?:[0-9a-fA-F]{16,256}\r?\n[ \t]{0,16})+(?:[0-9a-fA-F]{2,256})?")
_HEX: Final = re.compile(r"(?:0[xX])?(?:[0-9a-fA-F]{2}){8,}")
_BYTES: Final = re.compile(
    r"(?<![0-9A-Za-z:-])[0-9a-fA-F]{2}(?P<gap>[ :,-])[0-9a-fA-F]{2}(?:(?P=gap)[0-9a-fA-F]{2}){6,}(?![0-9A-Za-z])"
    r"|(?<!\w)0[xX][0-9a-fA-F]{2}(?:, ?0[xX][0-9a-fA-F]{2}){7,}(?!\w)"
    r"|(?<![0-9A-Za-z:-])[0-9a-fA-F]{4}(?: [0-9a-fA-F]{4}){3,}(?: [0-9a-fA-F]{2})?(?![0-9A-Za-z])"
)
_H: Final = "[0-9a-fA-F]"
# Bytes one by one have one of these; most texts have none. It begins with single classes, which `re` looks for quickly.
_MAY_BE_BYTES: Final = re.compile(
    rf"{_H}{_H}(?:[ :,-](?:{_H}{{2}}[ :,-]){{5}}|{_H}{{2}} (?:{_H}{{4}} ){{2}}|(?:, ?0[xX]{_H}{{2}}){{6}})"
)
_LETTER: Final = re.compile(r"[A-Fa-f]|0[xX]")
_PAIR: Final = re.compile(r"[0-9a-fA-F]{2}(?![xX])")
_TEXTUAL: Final = re.compile(
    r"text/|application/(?:json|xml|yaml|x-yaml|javascript|sql|toml|csv|x-ndjson)|.*\+(?:json|xml)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Base64:
    """In base64, cut into lines of ``width`` characters, where that is not 0, with ``between`` between two."""

    url_safe: bool
    padded: bool
    width: int = 0
    between: str = "\n"

    def encode(self, raw: bytes) -> str:
        """``raw`` as this one stood."""
        encoded = (base64.urlsafe_b64encode(raw) if self.url_safe else base64.b64encode(raw)).decode()
        encoded = encoded if self.padded else encoded.rstrip("=")
        if not self.width:
            return encoded
        return self.between.join(encoded[at : at + self.width] for at in range(0, len(encoded), self.width))


@dataclasses.dataclass(frozen=True, slots=True)
class Hexadecimal:
    """In hexadecimal: what stands before the whole, before each byte, and between two groups of ``group`` bytes."""

    before: str
    each: str
    between: str
    is_upper: bool
    group: int = 1

    def encode(self, raw: bytes) -> str:
        """``raw`` as this one stood."""
        pairs = [self.each + (f"{byte:02X}" if self.is_upper else f"{byte:02x}") for byte in raw]
        groups = ("".join(pairs[at : at + self.group]) for at in range(0, len(pairs), self.group))
        return self.before + self.between.join(groups)


@dataclasses.dataclass(frozen=True, slots=True)
class Blob:
    """A text that stood in another form, and how it was encoded."""

    text: str
    encoding: str
    form: Form

    def encode(self, text: str) -> str:
        """``text`` as this one stood."""
        return self.form.encode(text.encode(self.encoding, "xmlcharrefreplace"))


type Found = tuple[int, int, Blob]  # start and end in the text, and what stands there


def open_blob(text: str, mime: str | None) -> Blob | None:
    """The text inside the base64 ``text``, or None where it is no base64 or holds no text (an image).

    ``mime`` is what the sender says it is; what the bytes look like counts too, whatever it says.
    """
    compact = "".join(text.split())
    if not _BASE64.fullmatch(compact):
        return None
    url_safe = "-" in compact or "_" in compact
    padding = "=" * (-len(compact.rstrip("=")) % 4)
    try:
        raw = base64.b64decode(compact.rstrip("=") + padding, altchars=b"-_" if url_safe else None, validate=True)
    except binascii.Error:
        return None
    form = Base64(url_safe, compact.endswith("=") or not padding, *_lines_of(text))
    return _blob(raw, form, textual=mime is not None and _TEXTUAL.match(mime.lower()) is not None)


def _lines_of(text: str) -> tuple[int, str]:
    """How long the lines of ``text`` are, 0 where it is one, and what stands between two."""
    first, end, rest = text.partition("\n")
    if not end or not rest.strip():
        return 0, "\n"
    indent = rest[: len(rest) - len(rest.lstrip(" \t"))]
    return len(first.rstrip("\r")), ("\r\n" if first.endswith("\r") else "\n") + indent


def dumps_in(text: str, budget: Budget) -> tuple[Found, ...]:
    """Where in ``text`` dumps of others stand, each in lines that print what their bytes say.

    Raises:
        MaskingError: reading them takes too long.
    """
    found = list(_dumps_in(text, budget)) if _MAY_BE_BYTES.search(text) else []
    others = [
        (start, end, blob)
        for start, end, raw, form in octets_in(text, budget)
        if (blob := _blob(raw, form, textual=False)) is not None
    ]
    return tuple(_apart(sorted((*found, *others), key=operator.itemgetter(0)))) if others else tuple(found)


def _apart(found: list[Found]) -> Iterator[Found]:
    """Those of ``found``, in order, that do not begin within one before."""
    last = 0
    for one in found:
        if one[0] >= last:
            last = one[1]
            yield one


def _dumps_in(text: str, budget: Budget) -> Iterator[Found]:
    for lines in dumps.LINES.finditer(text):
        for start, end in dumps.parts_of(lines[0], budget):
            read = dumps.dump_in(lines[0][start:end], budget)
            blob = _blob(*read, textual=False) if read is not None else None
            if blob is not None:
                yield lines.start() + start, lines.start() + end, blob


def texts_in(text: str, lines: tuple[Found, ...]) -> Iterator[Found]:
    """Where in ``text`` another stands: in ``lines`` of dumps, in bytes one by one, else in base64 or hexadecimal."""
    at = 0
    for start, end, blob in _bytes_in(text, lines):
        yield from _between(text, at, start)
        yield start, end, blob
        at = end
    yield from _between(text, at, len(text))


def _between(text: str, start: int, end: int) -> Iterator[Found]:
    for first, last, blob in _blobs_in(text[start:end]):
        yield start + first, start + last, blob


def _bytes_in(text: str, lines: tuple[Found, ...]) -> Iterator[Found]:
    if not lines and not _MAY_BE_BYTES.search(text):
        return
    at = 0
    for start, end, blob in lines:
        yield from _spaced(text, at, start)
        yield start, end, blob
        at = end
    yield from _spaced(text, at, len(text))


def _blobs_in(text: str) -> Iterator[Found]:
    """Where in ``text`` another one stands: a `data:` URL, an attachment of a mail, a secret of Kubernetes."""
    at = tried = 0
    while (run := _RUN.search(text, at)) is not None:
        at, stop = run.span()
        found = None
        if stop >= tried and text[stop : stop + 1] in ("\n", "\r"):
            tried, found = _in_lines(text, at)
        found = found or _in_hexadecimal(text, at, stop)
        if found is None and stop - at >= RUN_CHARS_MIN and not is_part(text, at, stop):
            blob = open_blob(run[0], None)
            found = None if blob is None else (at, stop, blob)
        if found is not None:
            yield found
            stop = found[1]
        at = stop


def _spaced(text: str, start: int, end: int) -> Iterator[Found]:
    for match in _BYTES.finditer(text, start, end):
        # Digits alone may as well be a number in pairs.
        blob = _hexadecimal(match[0]) if _LETTER.search(match[0]) else None
        if blob is not None:
            yield match.start(), match.end(), blob


def _in_hexadecimal(text: str, start: int, end: int) -> Found | None:
    if text[start] in "xX" and text[start - 1 : start] == "\\":  # as PostgreSQL writes bytes
        start += 1
    if not _HEX.fullmatch(text, start, end):
        return None
    blob = _hexadecimal(text[start:end])
    return None if blob is None else (start, end, blob)


def _in_lines(text: str, start: int) -> tuple[int, Found | None]:
    """How far lines of base64 or hexadecimal go that begin at ``start``, and what stands in them."""
    tried = start
    for form, opened in ((_HEX_LINES, _hexadecimal_lines), (_LINES, _base64_lines)):
        match = form.match(text, start)
        lines = match[0] if match is not None else ""
        for stop in _ends_of(lines):
            blob = opened(lines[:stop])
            if blob is not None:
                return start + stop, (start, start + stop, blob)
        tried = max(tried, start + len(lines))
    return tried, None


def _base64_lines(lines: str) -> Blob | None:
    return open_blob(lines, None)


def _hexadecimal_lines(lines: str) -> Blob | None:
    """What stands in ``lines`` of one length but for the last, as `xxd -p` writes them."""
    digits = "".join(lines.split())
    if not _HEX.fullmatch(digits) or digits[1] in "xX":
        return None
    width, between = _lines_of(lines)
    return _blob(
        bytes.fromhex(digits), Hexadecimal("", "", between, digits == digits.upper(), width // 2), textual=False
    )


def _ends_of(lines: str) -> Iterator[int]:
    """Where base64 in ``lines`` may end: with the first that is shorter than the others, or with the one before."""
    width, stop, at = 0, 0, 0
    for line in lines.splitlines(keepends=True):
        length = len(line.strip())
        if width and length != width:
            if 0 < length < width:
                yield at + len(line.rstrip())
            break
        width, stop = length, at + len(line.rstrip())
        at += len(line)
    if stop > width:
        yield stop


def _hexadecimal(found: str) -> Blob | None:
    first = _PAIR.search(found)
    second = _PAIR.search(found, first.end()) if first else None
    if first is None or second is None:
        return None
    gap = found[first.end() : second.start()]
    each = "0x" if gap.lower().endswith("0x") else ""
    digits = found[first.start() :].replace(gap or " ", "")
    is_upper = digits == digits.upper()
    if not gap and " " in found:
        form = Hexadecimal("", "", " ", is_upper, found.index(" ") // 2)
    else:
        form = Hexadecimal("" if each else found[: first.start()], each, gap[: len(gap) - len(each)], is_upper)
    return _blob(bytes.fromhex(digits), form, textual=False)


def looks_like_base64(text: str) -> bool:
    """Whether ``text`` is long enough and of the right characters."""
    return len(text) >= BASE64_CHARS_MIN and _BASE64.fullmatch(text) is not None


def _blob(raw: bytes, form: Form, *, textual: bool) -> Blob | None:
    decoded = text_of(raw, textual=textual)
    return None if decoded is None else Blob(*decoded, form)
