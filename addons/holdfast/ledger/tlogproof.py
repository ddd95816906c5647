"""One Record's proof as one small file: C2SP tlog-proof. FORMAT.md section 8; standard library only.

The file holds where the Record stands, the path from its leaf to the root, and the signed checkpoint with that root.
Whoever has the Record's bytes and the ledger's key needs nothing else. Source: https://c2sp.org/tlog-proof. Reading is
strict: what is accepted comes out byte for byte the same when written again.
"""

import base64
import dataclasses
from collections.abc import Sequence
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import ed25519, note, tree
from holdfast.ledger.keyring import KeyRing

HEADER: Final = "c2sp.org/tlog-proof@v1"
SUFFIX: Final = ".tlog-proof"
PATH_MAX: Final = 63  # a tree of the largest size that note.py reads is that high
EXTRA_BYTES_MAX: Final = 16 * 1024  # as much as a Record
PROOF_BYTES_MAX: Final = 96 * 1024  # path, extra and the largest note


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """What a proof file says. ``path`` leads from the leaf's sibling upwards; ``extra`` is vouched for by nobody."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""


def format(proof: Proof) -> bytes:  # noqa: A001 -- read as tlogproof.format
    """The file."""
    extra = [f"extra {_encode(proof.extra)}"] if proof.extra else []
    lines = [HEADER, *extra, f"index {proof.index}", *(_encode(step) for step in proof.path)]
    return ("\n".join(lines) + "\n\n").encode("ascii") + proof.checkpoint


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def parse(data: bytes) -> Proof:
    """The inverse of :func:`format`. Nothing is verified yet, and the checkpoint is not even read: :func:`verify`.

    Raises:
        LedgerError: not a proof, or not in its one spelling.
    """
    if len(data) > PROOF_BYTES_MAX:
        raise LedgerError(f"a proof has more than {PROOF_BYTES_MAX} bytes")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or not checkpoint.endswith(b"\n"):
        raise LedgerError("a proof has no checkpoint, or is cut short")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise LedgerError("a proof has characters before its checkpoint that are not ASCII") from None
    if lines.pop(0) != HEADER:
        raise LedgerError(f"a proof begins with the line {HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = note.decode64(lines.pop(0).removeprefix("extra "), "the extra data of a proof")
        if not 0 < len(extra) <= EXTRA_BYTES_MAX:
            raise LedgerError(f"the extra data of a proof has 1 to {EXTRA_BYTES_MAX} bytes")
    return Proof(_index(lines.pop(0) if lines else ""), _path(lines), checkpoint, extra)


def _index(line: str) -> int:
    digits = line.removeprefix("index ")
    if digits == line or not digits.isdecimal() or (digits[0] == "0" and digits != "0"):
        raise LedgerError("a proof has no line with the word index and a decimal number")
    if len(digits) > len(str(note.SIZE_MAX)) or int(digits) > note.SIZE_MAX:
        raise LedgerError("the index of a proof is too large")
    return int(digits)


def _path(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > PATH_MAX:
        raise LedgerError(f"the path of a proof has more than {PATH_MAX} hashes")
    path = tuple(note.decode64(line, "a hash of a proof") for line in lines)
    tree.check_hashes(path)
    return path


def verify(
    proof: Proof, leaf: bytes, trusted: KeyRing | Sequence[note.VerifierKey], verify: note.Verify = ed25519.verify
) -> note.Checkpoint:
    """Check that ``leaf`` is in the log at the proof's index, and return the checkpoint that says so.

    Args:
        proof: see :func:`parse`.
        leaf: hash of the Record (:func:`holdfast.ledger.tree.leaf_hash`), made from its bytes by whoever asks.
        trusted: the ledger's keys, or the keys of several ledgers, from outside.
        verify: how a signature is checked.

    Raises:
        LedgerError: the checkpoint is signed by none of the keys, or the path does not lead from leaf to root.
    """
    checkpoint = _open(proof.checkpoint, trusted, verify)
    tree.verify_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.root)
    return checkpoint


def _open(data: bytes, trusted: KeyRing | Sequence[note.VerifierKey], verify: note.Verify) -> note.Checkpoint:
    if isinstance(trusted, KeyRing):
        return trusted.open_checkpoint(data, verify)
    origin = note.parse_checkpoint(note.parse_note(data).text).origin
    named = [key for key in trusted if key.name == origin]
    if not named:
        raise LedgerError(f"the proof is of the log {origin}, of which no key is trusted")
    # One key of a name is the rule; where there are several, any of them may have signed.
    return note.parse_checkpoint(note.open_note(data, named, verify).text)
