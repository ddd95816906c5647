"""Whom a verifier trusts: keys and policies that came from outside the package. Standard library only."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files.fingerprints import TRUST_BYTES_MAX, parse_trust
from holdfast.ledger import handover, note
from holdfast.ledger.keyring import KeyRing
from holdfast.witness import policy as tlog_policy


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """Ledger keys, and the policy about witnesses where one was given; ``roots_pem`` vouch for time stamps."""

    keys: tuple[note.VerifierKey, ...]
    policy: tlog_policy.Policy | None = None
    roots_pem: bytes = b""


def read_trust_file(path: Path, roots: Path | None = None) -> Trust:
    """What the file at ``path`` says: vkey lines, or a C2SP tlog-policy. ``roots`` are certificates in PEM.

    Raises:
        EvidenceError: it cannot be read, or names no key of a ledger.
    """
    data = _read(path)
    lines = (line.split() for line in data.decode("utf-8", "replace").splitlines())
    is_policy = any(words and words[0] in {"quorum", "witness", "group"} for words in lines)
    try:
        rules = tlog_policy.parse(data) if is_policy else None
        keys = tuple(log.key for log in rules.logs) if rules else tuple(parse_trust(data.decode("utf-8", "replace")))
    except LedgerError as error:
        raise EvidenceError(f"the trust file {path}: {error}") from None
    if not keys:
        raise EvidenceError(f"the trust file {path} names no ledger key: it needs a vkey, as in keys/ledger.vkey")
    return Trust(keys, rules, _read(roots) if roots else b"")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(TRUST_BYTES_MAX + 1)
    except OSError as error:
        raise EvidenceError(f"the trust file {path} cannot be read: {error.strerror}") from None
    if len(data) > TRUST_BYTES_MAX:
        raise EvidenceError(f"the trust file {path} has more than {TRUST_BYTES_MAX} bytes")
    return data


def ring_of(files: Mapping[str, bytes], keys: Sequence[note.VerifierKey], origin: str, verify: note.Verify) -> KeyRing:
    """The ledger's keys as ``files`` (of `ledger/rotations/`, by name) prove them to whoever trusts one of ``keys``.

    Raises:
        EvidenceError: none of the keys is of this ledger, or the rotations do not lead from one of them.
    """
    named = [key for key in keys if key.name == origin]
    if not named:
        names = ", ".join(dict.fromkeys(key.name for key in keys))
        raise EvidenceError(f"AuditInfo.json: the package is of the ledger {origin}; you trust {names}")
    problem = ""
    for key in named:
        try:
            return handover.ring_from_files(files, key, verify)
        except LedgerError as error:
            problem = problem or str(error)
    raise EvidenceError(f"ledger/rotations/: {problem}")
