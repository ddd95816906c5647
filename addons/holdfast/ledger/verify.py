"""Verifying a ledger folder: returns what was verified, or names the first thing that is wrong.

1. Both databases have exactly the tables and triggers of this version.
2. Every checkpoint in `checkpoints.log` is signed by the key that its size asks for, as the `ledger.rotated` Records
   say, the first one after each of them by the key before it too; and each is larger than the one before. The table of
   checkpoints says the same.
3. Every Record, in order: it is there, its leaf is its hash, its bytes are one spelling of a Record of this schema, it
   says its own index and this ledger's origin, and its clock fits the Record before.
4. Every payload it commits to is there and opens the commitment, or a later Record, which a signature covers, says that
   it was erased; every Approval was used once.
5. The tree over the leaves has the root of every checkpoint at its size; stored tiles are the tree's.
6. Checkpoints that the verifier brought along lie on the same tree.

Without a key from outside, a folder that was replaced as a whole verifies too; so does one that was rolled back to an
older state, unless the verifier brings a later checkpoint.
"""

import dataclasses
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints, note, record, schema, tree
from holdfast.ledger.checks import RecordCheck, TileCheck
from holdfast.ledger.keyring import KeyRing
from holdfast.ledger.opening import ring_in
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.schema import KEYS_DIR
from holdfast.ledger.signatures import verify_signature
from holdfast.ledger.tiles import TILE_WIDTH


class Unverifiable(LedgerError):  # noqa: N818 -- not a fault of the ledger: something the verifier needs is missing
    """Nothing can be said about the ledger: a file, or the key to check it with, is missing or cannot be read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """What was verified. ``unsigned`` Records follow the last checkpoint; ``clock_steps`` count time going back.

    ``payloads`` open their commitments, ``erased`` are gone as a Record says; ``unerased`` a Record says are gone, and
    they are there. ``rotations`` counts changes of the key; ``vkey`` is the one that signs now, whichever one the
    verifier brought.
    """

    origin: str
    size: int
    root_hex: str
    checkpoints: int
    signed_size: int
    payloads: int
    erased: int
    unerased: int
    objects: int
    starts: int
    clock_steps: int
    rotations: int
    vkey: str

    @property
    def unsigned(self) -> int:
        """How many Records no signature covers yet."""
        return self.size - self.signed_size


def verify(directory: Path, vkey: str | None = None, known: Sequence[bytes] = ()) -> Verified:
    """Verify the ledger in ``directory``.

    Args:
        directory: the data folder; the gateway may go on writing to it.
        vkey: a public key of the ledger as the verifier got it, the present one or an earlier one; None takes
            `keys/ledger.vkey` from the folder itself.
        known: signed checkpoints that the verifier kept from earlier.

    Raises:
        Unverifiable: a file or the key is missing or cannot be read.
        LedgerError: something was changed; the message says what and where.
    """
    key = _key(directory, vkey)
    try:
        reader = open_reader(directory)
    except LedgerError as error:
        raise Unverifiable(str(error)) from None
    with reader:
        try:
            return _Verification(reader, key).run(known)
        except sqlite3.DatabaseError as error:
            raise LedgerError(f"a database is damaged: SQLite says {schema.error_name(error)}") from None
        except UnicodeDecodeError:
            raise LedgerError("a database is damaged: a text in it is not UTF-8") from None


def _key(directory: Path, vkey: str | None) -> note.VerifierKey:
    try:
        text = (directory / KEYS_DIR / "ledger.vkey").read_text("utf-8") if vkey is None else vkey
        return note.parse_vkey(text.removesuffix("\n"))
    except (OSError, ValueError):
        raise Unverifiable(f"{directory / KEYS_DIR / 'ledger.vkey'} cannot be read; pass the ledger's vkey") from None
    except LedgerError as error:
        raise Unverifiable(f"the ledger's vkey: {error}") from None


class _Verification:
    def __init__(self, reader: Reader, key: note.VerifierKey) -> None:
        self._reader: Final = reader
        self._key: Final = key
        self._records: Final = RecordCheck(reader, key.name)

    def run(self, known: Sequence[bytes]) -> Verified:
        schema.check_schema(self._reader.ledger, schema.LEDGER_APPLICATION_ID, schema.LEDGER_FILE)
        schema.check_schema(self._reader.payloads_db, schema.PAYLOAD_APPLICATION_ID, schema.PAYLOAD_FILE)
        # A running gateway adds to the file first and to the table after it, so the table is read on both sides.
        listed = self._listed()
        notes = list(self._reader.checkpoints())
        # Of all Records there are now: no checkpoint in ``notes`` comes after a rotation that is not among them.
        ring = ring_in(self._reader.ledger, self._key)
        signed = _signed(ring, notes)
        self._check_rest(signed)
        texts = [(checkpoint.size, data.decode()) for checkpoint, data in zip(signed, notes, strict=True)]
        self._check_listed(listed, texts)
        brought = [_open(ring, data, "a checkpoint you brought") for data in known]
        size = self._reader.size()
        signed_size = signed[-1].size if signed else 0
        if not signed and size:
            raise LedgerError(f"{checkpoints.FILE} holds no checkpoint, but ledger.db holds {size} Records")
        for checkpoint in (*signed[-1:], *brought):
            if checkpoint.size > size:
                raise LedgerError(f"ledger.db holds {size} Records, but a checkpoint was signed for {checkpoint.size}")
        frontier = self._check_tree(size, sorted([*signed, *brought], key=lambda item: item.size))
        frontier, signed_size = self._follow(frontier, signed_size)
        size = frontier.size
        self._records.payloads.finish(signed_size)
        self._records.check_uses(size)
        return Verified(
            origin=self._key.name,
            size=size,
            root_hex=frontier.root().hex(),
            checkpoints=len(signed),
            signed_size=signed_size,
            payloads=self._records.payloads.count,
            erased=self._records.payloads.erased,
            unerased=self._records.payloads.unerased,
            objects=self._check_objects(),
            starts=len(self._records.boots),
            clock_steps=self._records.clock_steps,
            rotations=len(ring.rotations),
            vkey=ring.last.to_text(),
        )

    def _check_listed(self, listed: Sequence[tuple[int, str]], texts: Sequence[tuple[int, str]]) -> None:
        for rows in (listed, self._listed()[: len(texts)]):
            for index, (row, text) in enumerate(zip(rows, texts, strict=False)):
                if row != text:
                    raise LedgerError(f"checkpoint {index} of ledger.db is not that of {checkpoints.FILE}")
        if len(listed) > len(texts):
            raise LedgerError(f"ledger.db has {len(listed)} checkpoints, but {checkpoints.FILE} has {len(texts)}")
        if len(self._listed()) < len(texts) - 1:
            raise LedgerError(f"ledger.db lacks checkpoints that {checkpoints.FILE} has")

    def _listed(self) -> list[tuple[int, str]]:
        return self._reader.ledger.execute("SELECT size, note FROM checkpoints ORDER BY size").fetchall()

    def _check_rest(self, signed: Sequence[note.Checkpoint]) -> None:
        rest = checkpoints.read_tail(self._reader.directory / checkpoints.FILE).rest
        first = f"{self._key.name}\n".encode()
        size = self._reader.size()
        if not (first.startswith(rest[: len(first)]) and (not signed or signed[-1].size < size or not rest)):
            raise LedgerError(f"{checkpoints.FILE} ends in bytes that are no checkpoint of this ledger")

    def _check_tree(self, size: int, signed: Sequence[note.Checkpoint]) -> tree.Frontier:
        try:
            return self._grow_tree(size, signed)
        except LedgerError:
            self._records.payloads.flush()  # what is wrong with a Record before is named first
            raise

    def _follow(self, frontier: tree.Frontier, signed_size: int) -> tuple[tree.Frontier, int]:
        """Go on with what a running gateway has signed since, while payloads are missing that it may have erased."""
        while self._records.payloads.is_unexplained(signed_size):
            notes = list(self._reader.checkpoints())
            head = _open(
                ring_in(self._reader.ledger, self._key), notes[-1], f"the last checkpoint of {checkpoints.FILE}"
            )
            if head.size <= signed_size:
                break
            if head.size > frontier.size:
                frontier = frontier.grown(list(self._records.leaves(frontier.size, head.size)))
                _check_root(head, frontier)
            else:
                _check_root(head, self._reader.frontier(head.size))
            signed_size = head.size
        return frontier, signed_size

    def _grow_tree(self, size: int, signed: Sequence[note.Checkpoint]) -> tree.Frontier:
        frontier, tiles = tree.Frontier(), TileCheck(self._reader)
        waiting = list(reversed(signed))
        leaves: list[bytes] = []
        for leaf in self._records.leaves(0, size):
            while waiting and waiting[-1].size == frontier.size + len(leaves):
                frontier, leaves = frontier.grown(leaves), []
                _check_root(waiting.pop(), frontier)
            leaves.append(leaf)
            if len(leaves) == TILE_WIDTH:
                frontier, leaves = frontier.grown(leaves), []
            tiles.add(leaf)
        frontier = frontier.grown(leaves)
        while waiting:
            _check_root(waiting.pop(), frontier)
        tiles.finish()
        return frontier

    def _check_objects(self) -> int:
        count = 0
        for sha256, data in self._reader.ledger.execute("SELECT sha256, bytes FROM objects"):
            if not isinstance(data, bytes) or record.object_digest(data) != sha256:
                raise LedgerError(f"object {count} of ledger.db does not match its digest")
            count += 1
        return count


def _signed(ring: KeyRing, notes: Sequence[bytes]) -> list[note.Checkpoint]:
    signed: list[note.Checkpoint] = []
    for index, data in enumerate(notes):
        what = f"checkpoint {index} of {checkpoints.FILE}"
        signed.append(_open(ring, data, what))
        before = signed[-2].size if index else 0
        if index and signed[-1].size <= before:
            raise LedgerError(f"{what} is not larger than the one before")
        _check_handover(ring, data, before, signed[-1].size, what)
    return signed


def _open(ring: KeyRing, data: bytes, what: str) -> note.Checkpoint:
    try:
        return ring.open_checkpoint(data, verify_signature)
    except LedgerError as error:
        raise LedgerError(f"{what}: {error}") from None


def _check_handover(ring: KeyRing, data: bytes, before: int, size: int, what: str) -> None:
    try:
        for rotation in ring.handed_over(before, size):
            ring.open_handover(data, rotation, verify_signature)
    except LedgerError as error:
        raise LedgerError(f"{what}: {error}") from None


def _check_root(checkpoint: note.Checkpoint, frontier: tree.Frontier) -> None:
    if checkpoint.size != frontier.size or checkpoint.root != frontier.root():
        raise LedgerError(f"the checkpoint of size {checkpoint.size} is not that of the Records in ledger.db")
