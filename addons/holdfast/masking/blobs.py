"""Base64: is there text inside, and how it goes back in."""

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterator
from typing import Final

BASE64_CHARS_MIN: Final = 16  # eleven characters, as an SSN has, take sixteen
RUN_CHARS_MIN: Final = (
    20  # inside a text; a shorter run is a word or a number, and eleven characters with words take it
)
SNIFF_BYTES: Final = 4096
PRINTABLE_MIN: Final = 0.9
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}|[A-Za-z0-9_-]+={0,2}")
_RUN: Final = re.compile(rf"[A-Za-z0-9+/_-]{{{RUN_CHARS_MIN},}}={{0,2}}")
_TEXTUAL: Final = re.compile(
    r"text/|application/(?:json|xml|yaml|x-yaml|javascript|sql|toml|csv|x-ndjson)|.*\+(?:json|xml)"
)
_BOMS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclasses.dataclass(frozen=True, slots=True)
class Blob:
    """A text that stood in base64, and how it was encoded."""

    text: str
    encoding: str
    url_safe: bool
    padded: bool

    def encode(self, text: str) -> str:
        """``text`` as this one stood."""
        raw = text.encode(self.encoding, "xmlcharrefreplace")
        encoded = base64.urlsafe_b64encode(raw) if self.url_safe else base64.b64encode(raw)
        return encoded.decode() if self.padded else encoded.decode().rstrip("=")


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
    decoded = _decode(raw, textual=mime is not None and _TEXTUAL.match(mime.lower()) is not None)
    if decoded is None:
        return None
    inner, encoding = decoded
    return Blob(inner, encoding, url_safe, compact.endswith("=") or not padding)


def blobs_in(text: str) -> Iterator[tuple[int, int, Blob]]:
    """Where in ``text`` base64 of a text stands: a `data:` URL, a secret of Kubernetes, credentials of HTTP."""
    for match in _RUN.finditer(text):
        blob = open_blob(match[0], None)
        if blob is not None:
            yield match.start(), match.end(), blob


def looks_like_base64(text: str) -> bool:
    """Whether ``text`` is long enough and of the right characters."""
    return len(text) >= BASE64_CHARS_MIN and _BASE64.fullmatch(text) is not None


def _decode(raw: bytes, *, textual: bool) -> tuple[str, str] | None:
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError:
                break
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        # Every byte is a Latin-1 character, so text in any ASCII-based encoding can still be scanned.
        return (raw.decode("latin-1"), "latin-1") if textual else None
    return (text, "utf-8") if textual or _is_printable(text) else None


def _is_printable(text: str) -> bool:
    sample = text[:SNIFF_BYTES]
    printable = sum(char.isprintable() or char in "\t\r\n" for char in sample)
    return bool(sample) and printable >= PRINTABLE_MIN * len(sample)
