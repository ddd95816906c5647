"""The keys of one ledger in the order in which they signed. FORMAT.md section 4; standard library only.

A `ledger.rotated` Record at index ``i`` hands over: every checkpoint of size ``i + 1`` or more is signed by the new
key, every smaller one by the old. The first checkpoint after the Record is signed by both, so whoever trusts either key
can follow to the other: forwards because the old key signed a tree that holds the Record, backwards because the Record
names the old key.
"""

import dataclasses
from collections.abc import Iterable
from typing import Final, Self

from holdfast.errors import LedgerError
from holdfast.ledger import ed25519, note

ROTATIONS_MAX: Final = 1000  # a key a day for years


@dataclasses.dataclass(frozen=True, slots=True)
class Rotation:
    """A change of keys: the index of its `ledger.rotated` Record, and both keys."""

    index: int
    old: note.VerifierKey
    new: note.VerifierKey


@dataclasses.dataclass(frozen=True, slots=True)
class KeyRing:
    """A first key and the Rotations after it, oldest first. All keys carry the ledger's origin as their name."""

    first: note.VerifierKey
    rotations: tuple[Rotation, ...] = ()

    def __post_init__(self) -> None:
        if len(self.rotations) > ROTATIONS_MAX:
            raise LedgerError(f"a ledger changes its key at most {ROTATIONS_MAX} times")
        last, last_index = self.first, -1
        for rotation in self.rotations:
            if rotation.old != last:
                raise LedgerError(f"record {rotation.index}: hands over from a key that did not sign before it")
            if rotation.new.name != self.first.name or rotation.new.public == last.public:
                raise LedgerError(f"record {rotation.index}: hands over to a key of another ledger, or to the same")
            if rotation.index <= last_index:
                raise LedgerError(f"record {rotation.index}: rotations are out of order")
            last, last_index = rotation.new, rotation.index

    @classmethod
    def of(cls, rotations: Iterable[Rotation], key: note.VerifierKey) -> Self:
        """The ring that the rotations make, if ``key`` is one of its keys; a ring of ``key`` alone without rotations.

        Raises:
            LedgerError: the rotations are no chain, or ``key`` has never signed this ledger.
        """
        chain = tuple(rotations)
        ring = cls(chain[0].old if chain else key, chain)
        if key not in ring.keys:
            raise LedgerError(f"the key {key.key_id.hex()} has never signed {ring.origin}")
        return ring

    @property
    def origin(self) -> str:
        """The name of the ledger and of all its keys."""
        return self.first.name

    @property
    def keys(self) -> tuple[note.VerifierKey, ...]:
        """Every key, oldest first."""
        return (self.first, *(rotation.new for rotation in self.rotations))

    @property
    def last(self) -> note.VerifierKey:
        """The key that signs now."""
        return self.keys[-1]

    def key_at(self, size: int) -> note.VerifierKey:
        """The key that must have signed a checkpoint of ``size``."""
        found = self.first
        for rotation in self.rotations:
            if rotation.index < size:
                found = rotation.new
        return found

    def grown(self, rotation: Rotation) -> "KeyRing":
        """The ring after one more rotation.

        Raises:
            LedgerError: it does not follow from the last one.
        """
        return KeyRing(self.first, (*self.rotations, rotation))

    def open_checkpoint(self, data: bytes, verify: note.Verify = ed25519.verify) -> note.Checkpoint:
        """The checkpoint in ``data``, signed by the key that its size asks for.

        Raises:
            LedgerError: not a checkpoint of this ledger, or not signed by that key; or a bad signature of another one.
        """
        checkpoint = note.parse_checkpoint(note.parse_note(data).text)
        if checkpoint.origin != self.origin:
            raise LedgerError("a checkpoint is of another log")
        return note.open_checkpoint(data, self.key_at(checkpoint.size), verify)

    def open_handover(self, data: bytes, rotation: Rotation, verify: note.Verify = ed25519.verify) -> note.Checkpoint:
        """The first checkpoint after ``rotation``: signed by both of its keys.

        Raises:
            LedgerError: see :meth:`open_checkpoint`; or one of the two has not signed.
        """
        for key in (rotation.old, rotation.new):
            note.open_checkpoint(data, key, verify)
        return self.open_checkpoint(data, verify)


def rotation_of(record: dict[str, object]) -> Rotation | None:
    """The Rotation that a decoded Record states, or None where it is of another typ.

    Raises:
        LedgerError: its keys are no keys.
    """
    keys, index = record.get("keys"), record.get("n")
    if record.get("typ") != "ledger.rotated" or not isinstance(keys, dict) or not isinstance(index, int):
        return None
    return Rotation(index, note.parse_vkey(str(keys.get("old"))), note.parse_vkey(str(keys.get("new"))))
