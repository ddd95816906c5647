"""Masks that one person can open: values encrypted for a named key holder.

A mask is ``<ENTITY_enc:HOLDER:BLOB:TAG>``. ``BLOB`` is base64url without padding of what HPKE (RFC 9180, base mode,
single shot) makes of the value: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, with the entity and the holder as
``info``. The gateway has the public key only, so it cannot open what it wrote, nor can whoever takes its disk.

``TAG`` is HMAC-SHA256 under the masking key over the rest, cut: by it the gateway knows its own masks again, and
nobody passes a card number in what only looks like one.
"""

import base64
import binascii
import bisect
import dataclasses
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from holdfast.errors import MaskingError
from holdfast.masking.spans import Span

VALUE_CHARS_MAX: Final = 4_096  # a private key in PEM has some 3,300; a longer value has the mask of `replace`
PUBLIC_KEY_BYTES: Final = 32  # RFC 7748, 6.1
HOLDER: Final = r"[a-z0-9][a-z0-9-]{0,31}"
_BLOB_CHARS_MAX: Final = (4 * VALUE_CHARS_MAX + 48) * 4 // 3 + 1  # UTF-8, the encapsulated key, the authentication tag
_TAG_HEX: Final = 16
_SEALED: Final = re.compile(
    rf"<([A-Z][A-Z0-9_]{{1,63}})_enc:({HOLDER}):([A-Za-z0-9_-]{{64,{_BLOB_CHARS_MAX}}}):([0-9a-f]{{{_TAG_HEX}}})>"
)
_INFO: Final = b"holdfast/sealed/v1\0"
_TAG_DOMAIN: Final = b"holdfast/sealed/tag/v1\0"
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclasses.dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who can open masks that are encrypted for ``name``: an X25519 public key, 32 raw bytes."""

    name: str
    public_key: bytes


def seal(value: str, entity: str, holder: KeyHolder, key: bytes) -> str | None:
    """The mask of ``value`` that only ``holder`` can open; None where the value is too long. Each call gives another.

    ``key`` is the 32-byte masking key.
    """
    if len(value) > VALUE_CHARS_MAX:
        return None
    public = X25519PublicKey.from_public_bytes(holder.public_key)
    blob = _SUITE.encrypt(value.encode("utf-8", "surrogatepass"), public, _info(entity, holder.name))
    head = f"{entity}_enc:{holder.name}:{_text_of(blob)}"
    return f"<{head}:{_tag(key, head)}>"


def open_all(text: str, holder: str, private: X25519PrivateKey) -> tuple[str, int]:
    """``text`` with every mask for ``holder`` opened, and how many there were.

    Raises:
        MaskingError: one of them was made for another key, or was changed.
    """
    count = 0

    def opened(match: re.Match[str]) -> str:
        nonlocal count
        if match[2] != holder:
            return match[0]
        count += 1
        return _open(match, private)

    return _SEALED.sub(opened, text), count


def holders_in(text: str) -> frozenset[str]:
    """For whom ``text`` has masks."""
    return frozenset(match[2] for match in _SEALED.finditer(text))


def is_sealed(text: str, key: bytes) -> bool:
    """Whether ``text`` is nothing but a mask that was made under ``key``."""
    match = _SEALED.fullmatch(text) if text.endswith(">") else None
    return match is not None and _is_ours(match, key)


def outside_sealed(text: str, spans: Sequence[Span], key: bytes) -> tuple[Span, ...]:
    """Those of ``spans`` that do not lie in a mask of ``text`` that was made under ``key``."""
    if "_enc:" not in text:
        return tuple(spans)
    sealed = [match.span() for match in _SEALED.finditer(text) if _is_ours(match, key)]
    starts = [start for start, _ in sealed]

    def lies_in(span: Span) -> bool:
        before = bisect.bisect_right(starts, span.start)
        return before > 0 and span.end <= sealed[before - 1][1]

    return tuple(span for span in spans if not lies_in(span))


def _open(match: re.Match[str], private: X25519PrivateKey) -> str:
    try:
        blob = base64.b64decode(match[3] + "=" * (-len(match[3]) % 4), altchars=b"-_", validate=True)
        return _SUITE.decrypt(blob, private, _info(match[1], match[2])).decode("utf-8", "surrogatepass")
    except (binascii.Error, InvalidTag, ValueError):
        raise MaskingError(f"a mask of {match[1]} for {match[2]} cannot be opened with this key") from None


def _is_ours(match: re.Match[str], key: bytes) -> bool:
    return hmac.compare_digest(match[4], _tag(key, match[0][1 : match.start(4) - match.start() - 1]))


def _tag(key: bytes, head: str) -> str:
    return hmac.new(key, _TAG_DOMAIN + head.encode(), hashlib.sha256).hexdigest()[:_TAG_HEX]


def _info(entity: str, holder: str) -> bytes:
    return _INFO + entity.encode() + b"\0" + holder.encode()


def _text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
