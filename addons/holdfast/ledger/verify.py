"""Verifying a ledger folder: returns what was verified, or names the first thing that is wrong.

1. Both databases have exactly the tables and triggers of this version.
2. Every checkpoint in `checkpoints.log` is signed by the ledger's key, and each is larger than the one before; the
   table of checkpoints says the same.
3. Every Record, in order: it is there, its leaf is its hash, its bytes are one spelling of a Record of this schema, it
   says its own index and this ledger's origin, and its clock fits the Record before.
4. Every payload it commits to is there and opens the commitment; every Approval was used once.
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
from holdfast.ledger.keys import KEYS_DIR, verify_signature
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.tiles import TILE_WIDTH


class Unverifiable(LedgerError):  # noqa: N818 -- not a fault of the ledger: something the verifier needs is missing
    """Nothing can be said about the ledger: a file, or the key to check it with, is missing or cannot be read."""


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """What was verified. ``unsigned`` Records follow the last checkpoint; ``clock_steps`` count time going back."""

    origin: str
    size: int
    root_hex: str
    checkpoints: int
    signed_size: int
    payloads: int
    objects: int
    starts: int
    clock_steps: int

    @property
    def unsigned(self) -> int:
        """How many Records no signature covers yet."""
        return self.size - self.signed_size


def verify(directory: Path, vkey: str | None = None, known: Sequence[bytes] = ()) -> Verified:
    """Verify the ledger in ``directory``.

    Args:
        directory: the data folder; the gateway may go on writing to it.
        vkey: the ledger's public key as the verifier got it; None takes `keys/ledger.vkey` from the folder itself.
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
        signed = self._signed()
        brought = [self._open(data, "a checkpoint you brought") for data in known]
        size = self._reader.size()
        signed_size = signed[-1].size if signed else 0
        if not signed and size:
            raise LedgerError(f"{checkpoints.FILE} holds no checkpoint, but ledger.db holds {size} Records")
        for checkpoint in (*signed[-1:], *brought):
            if checkpoint.size > size:
                raise LedgerError(f"ledger.db holds {size} Records, but a checkpoint was signed for {checkpoint.size}")
        root = self._check_tree(size, sorted([*signed, *brought], key=lambda item: item.size))
        self._records.check_uses(size)
        return Verified(
            origin=self._key.name,
            size=size,
            root_hex=root.hex(),
            checkpoints=len(signed),
            signed_size=signed_size,
            payloads=self._records.payloads,
            objects=self._check_objects(),
            starts=len(self._records.boots),
            clock_steps=self._records.clock_steps,
        )

    def _open(self, data: bytes, what: str) -> note.Checkpoint:
        try:
            return note.open_checkpoint(data, self._key, verify_signature)
        except LedgerError as error:
            raise LedgerError(f"{what}: {error}") from None

    def _signed(self) -> list[note.Checkpoint]:
        listed = self._listed()
        notes = list(self._reader.checkpoints())
        signed: list[note.Checkpoint] = []
        for index, data in enumerate(notes):
            signed.append(self._open(data, f"checkpoint {index} of {checkpoints.FILE}"))
            if index and signed[-1].size <= signed[-2].size:
                raise LedgerError(f"checkpoint {index} of {checkpoints.FILE} is not larger than the one before")
        self._check_rest(signed)
        # A running gateway adds to the file first and to the table after it, so the table is read on both sides.
        texts = [(checkpoint.size, data.decode()) for checkpoint, data in zip(signed, notes, strict=True)]
        for rows in (listed, self._listed()[: len(texts)]):
            for index, (row, text) in enumerate(zip(rows, texts, strict=False)):
                if row != text:
                    raise LedgerError(f"checkpoint {index} of ledger.db is not that of {checkpoints.FILE}")
        if len(listed) > len(texts):
            raise LedgerError(f"ledger.db has {len(listed)} checkpoints, but {checkpoints.FILE} has {len(texts)}")
        if len(self._listed()) < len(texts) - 1:
            raise LedgerError(f"ledger.db lacks checkpoints that {checkpoints.FILE} has")
        return signed

    def _listed(self) -> list[tuple[int, str]]:
        return self._reader.ledger.execute("SELECT size, note FROM checkpoints ORDER BY size").fetchall()

    def _check_rest(self, signed: Sequence[note.Checkpoint]) -> None:
        rest = checkpoints.read_tail(self._reader.directory / checkpoints.FILE).rest
        first = f"{self._key.name}\n".encode()
        size = self._reader.size()
        if not (first.startswith(rest[: len(first)]) and (not signed or signed[-1].size < size or not rest)):
            raise LedgerError(f"{checkpoints.FILE} ends in bytes that are no checkpoint of this ledger")

    def _check_tree(self, size: int, signed: Sequence[note.Checkpoint]) -> bytes:
        frontier, tiles = tree.Frontier(), TileCheck(self._reader)
        waiting = list(reversed(signed))
        leaves: list[bytes] = []
        for leaf in self._records.leaves(size):
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
        return frontier.root()

    def _check_objects(self) -> int:
        count = 0
        for sha256, data in self._reader.ledger.execute("SELECT sha256, bytes FROM objects"):
            if not isinstance(data, bytes) or record.object_digest(data) != sha256:
                raise LedgerError(f"object {count} of ledger.db does not match its digest")
            count += 1
        return count


def _check_root(checkpoint: note.Checkpoint, frontier: tree.Frontier) -> None:
    if checkpoint.size != frontier.size or checkpoint.root != frontier.root():
        raise LedgerError(f"the checkpoint of size {checkpoint.size} is not that of the Records in ledger.db")
