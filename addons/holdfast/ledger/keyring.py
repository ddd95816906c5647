"""The keys of one ledger in the order in which they signed. FORMAT.md section 4; standard library only.

A `ledger.rotated` Record at index ``i`` hands over: every checkpoint of size ``i + 1`` or more is signed by the new
key, every smaller one by the old. The first checkpoint after the Record is signed by both, so whoever trusts either key
can follow to the other: forwards because the old key signed a tree that holds the Record, backwards because the Record
names the old key.
"""

import bisect
import dataclasses
import datetime as dt
import json
from collections.abc import Iterable
from typing import Final, Self

from holdfast.clock import utc_parse
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import ed25519, note

ROTATIONS_MAX: Final = 1000  # a key a day for years
TYP: Final = "ledger.rotated"
MARK: Final = f'"typ":"{TYP}"'.encode()  # a quote within a text is escaped, so no text can hold this


@dataclasses.dataclass(frozen=True, slots=True)
class Rotation:
    """A change of keys: the index of its `ledger.rotated` Record, and both keys.

    ``until_at``: until when the old key signs beside the new one; None where it signs the handover alone.
    """

    index: int
    old: note.VerifierKey
    new: note.VerifierKey
    until_at: dt.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class KeyRing:
    """A first key and the Rotations after it, oldest first. All keys carry the ledger's origin as their name."""

    first: note.VerifierKey
    rotations: tuple[Rotation, ...] = ()

    def __post_init__(self) -> None:
        if len(self.rotations) > ROTATIONS_MAX:
            raise LedgerError(f"a ledger changes its key at most {ROTATIONS_MAX} times")
        last, last_index, seen = self.first, 0, {self.first.key_id}
        for rotation in self.rotations:
            if rotation.old != last:
                raise LedgerError(f"record {rotation.index}: hands over from a key that did not sign before it")
            if rotation.new.name != self.first.name:
                raise LedgerError(f"record {rotation.index}: hands over to a key of another ledger")
            # Whoever stole a retired key must not come back with it; and two keys of one id could not be told apart.
            if rotation.new.key_id in seen:
                raise LedgerError(f"record {rotation.index}: hands over to a key that has signed before")
            # Record 0 is the genesis. Between two rotations lies a checkpoint, and so a Record.
            if rotation.index <= last_index:
                raise LedgerError(f"record {rotation.index}: rotations are out of order")
            last, last_index = rotation.new, rotation.index
            seen.add(last.key_id)

    @classmethod
    def of(cls, rotations: Iterable[Rotation], key: note.VerifierKey) -> Self:
        """The ring that the rotations make, if ``key`` is one of its keys; a ring of ``key`` alone without rotations.

        Raises:
            LedgerError: the rotations are no chain, or ``key`` has never signed this ledger.
        """
        chain = tuple(rotations)
        ring = cls(chain[0].old if chain else key, chain)
        if key not in ring.keys:
            raise LedgerError(f"the key {key.key_id.hex()} of {key.name} has never signed this ledger, {ring.origin}")
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
        count = bisect.bisect_left(self.rotations, size, key=lambda rotation: rotation.index)
        return self.rotations[count - 1].new if count else self.first

    def handed_over(self, before: int, size: int) -> tuple[Rotation, ...]:
        """The rotations whose handover is the checkpoint of ``size``, if the one before it is of size ``before``.

        Raises:
            LedgerError: there is more than one: FORMAT.md asks for a checkpoint between two rotations.
        """
        found = tuple(rotation for rotation in self.rotations if before <= rotation.index < size)
        if len(found) > 1:
            raise LedgerError(f"record {found[1].index}: no checkpoint was signed since the rotation before it")
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
        return self._open(data, verify)[0]

    def open_handover(self, data: bytes, rotation: Rotation, verify: note.Verify = ed25519.verify) -> note.Checkpoint:
        """The first checkpoint after ``rotation``: signed by both of its keys.

        Raises:
            LedgerError: see :meth:`open_checkpoint`; or it is not of a size between this rotation and the next, or one
                of the two has not signed.
        """
        checkpoint, signers = self._open(data, verify)
        if checkpoint.size <= rotation.index or self.key_at(checkpoint.size) != rotation.new:
            raise LedgerError(f"the checkpoint of {checkpoint.size} is not the handover of record {rotation.index}")
        if rotation.old.key_id not in signers:
            raise LedgerError(
                f"the first checkpoint after the rotation in record {rotation.index} lacks the old key's signature"
            )
        return checkpoint

    def _open(self, data: bytes, verify: note.Verify) -> tuple[note.Checkpoint, set[bytes]]:
        opened = note.open_note(data, self.keys, verify)
        checkpoint = note.parse_checkpoint(opened.text)
        if checkpoint.origin != self.origin:
            raise LedgerError("a checkpoint is of another log")
        # Every signature of a key of the ring has held; what is left is whether the right one is among them.
        signers = {signature.key_id for signature in opened.signatures if signature.name == self.origin}
        if self.key_at(checkpoint.size).key_id not in signers:
            raise LedgerError(
                f"the key {self.key_at(checkpoint.size).key_id.hex()}, which signs at size {checkpoint.size}, has not"
            )
        return checkpoint, signers


def rotation_of(record: JsonObject) -> Rotation | None:
    """The Rotation that a decoded Record states, or None where it is of another typ.

    Raises:
        LedgerError: its keys are no keys, or its time is none.
    """
    keys, index = record.get("keys"), record.get("n")
    if record.get("typ") != TYP or not isinstance(keys, dict) or not isinstance(index, int):
        return None
    try:
        until_at = utc_parse(str(keys["until"])) if "until" in keys else None
    except ValueError:
        raise LedgerError(f"record {index}: until is no time") from None
    old, new = (note.parse_vkey(str(keys.get(name))) for name in ("old", "new"))
    return Rotation(index, old, new, until_at)


def rotations_in(records: Iterable[tuple[int, bytes]]) -> tuple[Rotation, ...]:
    """The Rotations among ``records`` (index and bytes, in order): fast enough for every Record of a large ledger.

    Raises:
        LedgerError: a `ledger.rotated` Record is not one; names it.
    """
    found = []
    for index, entry in records:
        if MARK not in entry:
            continue
        rotation = rotation_at(index, entry)
        if rotation is not None:
            found.append(rotation)
    return tuple(found)


def rotation_at(index: int, entry: bytes) -> Rotation | None:
    """The Rotation that the Record with these bytes states at ``index``, or None where it states none.

    Raises:
        LedgerError: it says another index, or cannot be read.
    """
    try:
        value = json.loads(entry)
        rotation = rotation_of(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError):
        raise LedgerError(f"record {index}: is not JSON") from None
    except LedgerError as error:
        raise LedgerError(f"record {index}: {error}") from None
    if rotation is not None and rotation.index != index:
        raise LedgerError(f"record {index}: says another index; Records were moved")
    return rotation
