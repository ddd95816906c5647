"""Following a ledger's keys without its Records: what a package carries of each rotation. Standard library only.

For every rotation there are two files, named after the index of its `ledger.rotated` Record: the Record's bytes, and a
C2SP tlog-proof of it whose checkpoint is the handover, signed by both keys. Whoever trusts one key of the ledger
follows them to the others: forwards, because the old key signed a tree that holds the Record, and backwards, because
the new one signed the same tree, in which the Record names the old key.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from holdfast.errors import LedgerError
from holdfast.ledger import ed25519, keyring, note, record, tlogproof, tree
from holdfast.ledger.keyring import KeyRing, Rotation

RECORD_SUFFIX: Final = ".json"
_NAME: Final = re.compile(r"([0-9]{12,19})(\.json|\.tlog-proof)")


class Source(Protocol):
    """A ledger that can be read: what :class:`holdfast.ledger.reader.Reader` offers of it."""

    def record(self, index: int) -> bytes:
        """The bytes of one Record."""

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The proof that Record ``index`` is in the tree of ``size`` Records."""

    def checkpoints(self) -> Iterator[bytes]:
        """Every signed checkpoint, in order."""


@dataclasses.dataclass(frozen=True, slots=True)
class Handover:
    """One rotation: the bytes of its Record, and the proof of it in the tree of the handover checkpoint."""

    entry: bytes
    proof: tlogproof.Proof

    @property
    def index(self) -> int:
        """Index of the Record."""
        return self.proof.index

    def files(self) -> dict[str, bytes]:
        """Name and content of its two files."""
        stem = f"{self.index:012d}"
        return {stem + RECORD_SUFFIX: self.entry, stem + tlogproof.SUFFIX: tlogproof.format(self.proof)}


def proofs(source: Source, ring: KeyRing) -> Iterator[Handover]:
    """A Handover for every rotation of ``ring``, oldest first.

    Raises:
        LedgerError: a Record is missing, or no checkpoint follows it; see also ``KeyRing.open_handover``.
    """
    waiting = list(reversed(ring.rotations))
    for data in source.checkpoints() if waiting else ():
        checkpoint = note.parse_checkpoint(note.parse_note(data).text)
        if checkpoint.size <= waiting[-1].index:
            continue
        rotation = waiting.pop()
        path = source.inclusion(rotation.index, checkpoint.size)
        yield Handover(source.record(rotation.index), tlogproof.Proof(rotation.index, path, data))
        if not waiting:
            return
    if waiting:
        raise LedgerError(f"record {waiting[-1].index}: no checkpoint follows this rotation yet")


def ring_from(handovers: Iterable[Handover], key: note.VerifierKey, verify: note.Verify = ed25519.verify) -> KeyRing:
    """The ring that ``handovers``, oldest first, prove to whoever trusts ``key``; of ``key`` alone if there are none.

    Raises:
        LedgerError: one of them does not hold; names its Record. Or ``key`` is none of the keys.
    """
    given = tuple(handovers)
    ring = KeyRing.of((_rotation(handover) for handover in given), key)
    for handover, rotation in zip(given, ring.rotations, strict=True):
        try:
            checkpoint = ring.open_handover(handover.proof.checkpoint, rotation, verify)
            leaf = tree.leaf_hash(handover.entry)
            tree.verify_inclusion(leaf, rotation.index, checkpoint.size, handover.proof.path, checkpoint.root)
        except LedgerError as error:
            raise LedgerError(f"record {rotation.index}: {error}") from None
    return ring


def ring_from_files(files: Mapping[str, bytes], key: note.VerifierKey, verify: note.Verify = ed25519.verify) -> KeyRing:
    """Like :func:`ring_from`, from the files of :meth:`Handover.files` by their names.

    Raises:
        LedgerError: see :func:`ring_from` and :func:`parse_files`.
    """
    return ring_from(parse_files(files), key, verify)


def parse_files(files: Mapping[str, bytes]) -> tuple[Handover, ...]:
    """The Handovers in the files of :meth:`Handover.files`, oldest first; nothing is verified yet.

    Raises:
        LedgerError: a file is foreign, lacks its other half, cannot be read, or does not say what its name says.
    """
    for name in files:
        if _NAME.fullmatch(name) is None:
            raise LedgerError(f"{name}: not a file of a rotation")
    found = []
    for stem in {name.partition(".")[0] for name in files}:
        entry, proof = files.get(stem + RECORD_SUFFIX), files.get(stem + tlogproof.SUFFIX)
        if entry is None or proof is None:
            raise LedgerError(f"{stem}: a rotation is its Record and the proof of it")
        handover = Handover(entry, tlogproof.parse(proof))
        if stem != f"{handover.index:012d}":
            raise LedgerError(f"{stem}: the proof is of another Record")
        found.append(handover)
    return tuple(sorted(found, key=lambda handover: handover.index))


def _rotation(handover: Handover) -> Rotation:
    try:
        rotation = keyring.rotation_of(record.decode(handover.entry))
    except LedgerError as error:
        raise LedgerError(f"record {handover.index}: {error}") from None
    if rotation is None or rotation.index != handover.index:
        raise LedgerError(f"record {handover.index}: is not the rotation that its proof is of")
    return rotation
