"""The bytes of C2SP's tlog-witness: what a log submits and how a witness answers. Standard library only.

Source: https://c2sp.org/tlog-witness, add-checkpoint.
"""

import base64
import dataclasses
import hashlib
import re
from collections.abc import Sequence
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import note, tree

PROOF_LINES_MAX: Final = 63  # tlog-witness: a client sends no more; a tree of 2^63 leaves needs no more
_LINE_BYTES: Final = 45  # 32 bytes in base64 and a newline
REQUEST_BYTES_MAX: Final = 64 + PROOF_LINES_MAX * _LINE_BYTES + note.NOTE_BYTES_MAX
ANSWER_BYTES_MAX: Final = 16 * 1024  # a few signature lines
PATH: Final = "/add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclasses.dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint (a signed note), and the proof that it continues the tree of size ``old``."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def to_bytes(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}\n", *(f"{base64.b64encode(item).decode('ascii')}\n" for item in self.proof), "\n"]
        return "".join(lines).encode("ascii") + self.checkpoint


def parse_submission(data: bytes) -> Submission:
    """The inverse of :meth:`Submission.to_bytes`; the checkpoint is not looked at.

    Raises:
        LedgerError: not of that form.
    """
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or len(data) > REQUEST_BYTES_MAX:
        raise LedgerError("a submission has an old size, a proof, an empty line and a checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise LedgerError("a submission's proof is not ASCII") from None
    if not first.startswith("old "):
        raise LedgerError("a submission begins with the old size")
    if len(lines) > PROOF_LINES_MAX:
        raise LedgerError(f"a proof has at most {PROOF_LINES_MAX} lines")
    return Submission(parse_size(first.removeprefix("old ")), tuple(_hash(line) for line in lines), checkpoint)


def _hash(line: str) -> bytes:
    data = note.decode64(line, "a line of a proof")
    tree.check_hashes([data])
    return data


def parse_size(text: str) -> int:
    """A tree size in its one decimal spelling.

    Raises:
        LedgerError: it is none.
    """
    if _SIZE.fullmatch(text) is None or int(text) > note.SIZE_MAX:
        raise LedgerError("a tree size is a decimal number without leading zeros")
    return int(text)


def parse_signatures(data: bytes, text: str) -> tuple[note.Signature, ...]:
    """The signature lines of a witness's answer to the checkpoint ``text``.

    Raises:
        LedgerError: they are none.
    """
    if len(data) > ANSWER_BYTES_MAX:
        raise LedgerError(f"a witness's answer has more than {ANSWER_BYTES_MAX} bytes")
    return note.parse_note(text.encode() + b"\n" + data).signatures


def origin_hash_hex(origin: str) -> str:
    """The name under which a witness serves the last checkpoint of a log: SHA-256 of its origin, in hex."""
    return hashlib.sha256(origin.encode()).hexdigest()


def with_signatures(data: bytes, lines: Sequence[bytes]) -> bytes:
    """The note in ``data`` with further signature lines, such as those of witnesses."""
    return data + b"".join(lines)
