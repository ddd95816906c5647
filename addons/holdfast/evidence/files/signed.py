"""A signed Checkpoint as evidence carries it. Standard library only."""

import dataclasses

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files.scope import Mark
from holdfast.ledger import note


@dataclasses.dataclass(frozen=True, slots=True)
class Signed:
    """A signed Checkpoint: the note's bytes, and what it says."""

    data: bytes
    mark: Mark


def open_signed(data: bytes, key: note.VerifierKey, verify: note.Verify) -> Signed:
    """The Checkpoint in ``data``.

    Raises:
        EvidenceError: not one of this ledger, or not signed by ``key``.
    """
    try:
        checkpoint = note.open_checkpoint(data, key, verify)
    except LedgerError as error:
        raise EvidenceError(f"a checkpoint: {error}") from None
    return Signed(data, Mark(checkpoint.size, checkpoint.root))
