"""The ledger's public key in the spellings that people and tools compare. Standard library only."""

import base64
import hashlib
from pathlib import Path
from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.ledger import note

TRUST_BYTES_MAX: Final = 64 * 1024  # a policy with a few keys
# RFC 8410 4: SubjectPublicKeyInfo of an Ed25519 key is this prefix and the 32 bytes.
_SPKI_PREFIX: Final = bytes.fromhex("302a300506032b6570032100")


def public_pem(public: bytes) -> bytes:
    """The key as `openssl pkey -pubin` reads it."""
    body = base64.b64encode(_SPKI_PREFIX + public).decode("ascii")
    return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n".encode("ascii")


def text(key: note.VerifierKey) -> bytes:
    """`trust/fingerprints.txt`: what to compare by telephone."""
    spki_digest = hashlib.sha256(_SPKI_PREFIX + key.public).hexdigest()
    lines = (
        f"ledger: {key.name}",
        f"key id (C2SP signed-note): {key.key_id.hex()}",
        f"SHA-256 of the key: {hashlib.sha256(key.public).hexdigest()}",
        f"SHA-256 of the key in DER: {spki_digest}",
    )
    return ("\n".join(lines) + "\n").encode("utf-8")


def read_trust(path: Path) -> list[note.VerifierKey]:
    """The ledger keys that a trust file names: vkey lines, or lines `log <vkey>` as in C2SP tlog-policy.

    Raises:
        EvidenceError: it cannot be read, or names no key.
    """
    try:
        with path.open("rb") as file:
            data = file.read(TRUST_BYTES_MAX + 1)
    except OSError as error:
        raise EvidenceError(f"the trust file {path} cannot be read: {error.strerror}") from None
    keys = parse_trust(data.decode("utf-8", "replace")[:TRUST_BYTES_MAX])
    if not keys:
        raise EvidenceError(f"the trust file {path} names no ledger key: it needs a vkey, as in keys/ledger.vkey")
    return keys


def parse_trust(trust: str) -> list[note.VerifierKey]:
    """See :func:`read_trust`."""
    keys: list[note.VerifierKey] = []
    for number, line in enumerate(trust.splitlines(), 1):
        words = line.split()
        match words:
            case [] | ["witness" | "group" | "quorum", *_]:
                continue
            case ["log", vkey, *_] | [vkey]:
                pass
            case [first, *_] if first.startswith("#"):
                continue
            case _:
                raise EvidenceError(f"trust file, line {number}: expected a vkey, or `log` and a vkey")
        if vkey.startswith("#"):
            continue
        try:
            keys.append(note.parse_vkey(vkey))
        except LedgerError as error:
            raise EvidenceError(f"trust file, line {number}: {error}") from None
    return keys
