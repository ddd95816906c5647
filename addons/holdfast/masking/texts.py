"""Which bytes are a text, and in which encoding: of what base64, hexadecimal and dumps hold."""

from typing import Final

SNIFF_BYTES: Final = 4096
PRINTABLE_MIN: Final = 0.9
_NUL: Final = "\0"
_NULS_MAX: Final = 0.3  # of a text: between the parts of a login (RFC 4616), or variables of a process
_WIDE_BYTES_MIN: Final = 8  # four characters
_BOMS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def text_of(raw: bytes, *, textual: bool) -> tuple[str, str] | None:
    """The text that ``raw`` is, and its encoding; None where it is none. ``textual``: somebody says that it is one."""
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError:
                break
    wide = _wide(raw)
    if wide is not None:
        return wide
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        # Every byte is a Latin-1 character, so text in any ASCII-based encoding can still be scanned.
        return (raw.decode("latin-1"), "latin-1") if textual else None
    return (text, "utf-8") if textual or _is_printable(text) else None


def _wide(raw: bytes) -> tuple[str, str] | None:
    """UTF-16 without a byte order mark, as PowerShell takes commands: of most characters one byte is 0."""
    if len(raw) < _WIDE_BYTES_MIN or len(raw) % 2:
        return None
    for high, encoding in ((raw[1::2], "utf-16-le"), (raw[::2], "utf-16-be")):
        if high.count(0) >= PRINTABLE_MIN * len(high):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                return None
            return (text, encoding) if _NUL not in text and _is_printable(text) else None
    return None


def _is_printable(text: str) -> bool:
    sample = text[:SNIFF_BYTES]
    nuls = sample.count(_NUL)
    printable = nuls + sum(char.isprintable() or char in "\t\r\n" for char in sample)
    return bool(sample) and printable >= PRINTABLE_MIN * len(sample) and nuls <= _NULS_MAX * len(sample)
