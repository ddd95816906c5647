"""The start-up comparison: what the database, its checkpoints and `checkpoints.log` say must be one history.

1. `ledger.db` holds ``size`` Records without a gap; the tree over them comes from full tiles and the leaf column.
2. `checkpoints.log` ends in a note signed by the key that its size asks for, whose size the database has and whose root
   the tree has. The first one after a rotation is signed by both keys. `keys/` lists the rotations of the Records.
3. The table of checkpoints says the same; it may lack the last note, which is appended to the file first.
4. The Records after the last checkpoint, which the next signature will cover, hash to their leaves.

What fails here stops the start: an append would build on a history that someone has changed. What full tiles cover is
compared with the Records themselves by `verify`, which takes longer than a start may.
"""

import dataclasses
import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Final

from holdfast.clock import utc_parse
from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints, keyring, note, tree
from holdfast.ledger.keyring import KeyRing
from holdfast.ledger.nodes import StoredNodes
from holdfast.ledger.running import backwards, gateway_stopped
from holdfast.ledger.signatures import verify_signature
from holdfast.ledger.tiles import TileTree

_RESTORE: Final = "restore the data folder from a backup, or go on in a new epoch with `scripts/ledger.py recover`"


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """A signed checkpoint: size, root (32 bytes) and the note's text."""

    size: int
    root: bytes
    note: str


@dataclasses.dataclass(frozen=True, slots=True)
class Previous:
    """The ledger as it was when it was opened: what a `ledger.start` Record reports.

    ``clean``: the gateway had recorded its `ledger.stop`, or there was none. ``last_at``: time of the last Record.
    """

    size: int
    root_hex: str
    clean: bool
    last_at: dt.datetime | None


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """The outcome: the tree, the last checkpoint (None in a new ledger) and what a crash left to complete.

    ``rest`` is a note cut short at the end of the file; ``unlisted`` whether the table lacks the last note.
    """

    tree: TileTree
    head: Head | None
    rest: bytes
    unlisted: bool
    previous: Previous


def compare(connection: sqlite3.Connection, log_path: Path, ring: KeyRing) -> Opened:
    """Compare everything that says what the ledger is. ``ring``: the ledger's keys, as `keys/` lists them.

    Raises:
        LedgerError: two of them differ; says which.
    """
    size = _size(connection)
    tail = checkpoints.read_tail(log_path)
    row = connection.execute("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
    nodes = StoredNodes(connection)
    if tail.last is None:
        _check_unsigned(size, row)
        head = None
    else:
        head = _check_head(tail.last, ring, size, nodes)
        _check_rotations(connection, ring, head)
    tiles = TileTree.restore(size, nodes)
    _check_recent(connection, head.size if head else 0, size)
    unlisted = head is not None and _is_unlisted(row, head)
    return Opened(tiles, head, tail.rest, unlisted, _previous(connection, ring.origin, size, tiles.root()))


def ring_in(connection: sqlite3.Connection, key: note.VerifierKey) -> KeyRing:
    """The ledger's keys as its Records state them, for whoever trusts ``key``. Takes about a second for a million.

    Raises:
        LedgerError: the rotations are no chain, or ``key`` is none of its keys.
    """
    rows = connection.execute("SELECT seq, entry FROM entries WHERE instr(entry, ?) ORDER BY seq", (keyring.MARK,))
    found = [keyring.rotation_at(seq, entry) for seq, entry in rows]
    return KeyRing.of([rotation for rotation in found if rotation is not None], key)


def _size(connection: sqlite3.Connection) -> int:
    size: int = connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM entries").fetchone()[0]
    return size


def _check_unsigned(size: int, row: tuple[int, str] | None) -> None:
    # The checkpoint of size 0 is signed before the first Record, so only a ledger without Records has none.
    if size or row is not None:
        raise LedgerError(f"{checkpoints.FILE} is missing or empty, but ledger.db holds {size} Records: {_RESTORE}")


def _check_head(data: bytes, ring: KeyRing, size: int, nodes: StoredNodes) -> Head:
    try:
        checkpoint = ring.open_checkpoint(data, verify_signature)
        _check_signers(data, ring)
    except LedgerError as error:
        raise LedgerError(f"the last checkpoint of {checkpoints.FILE}: {error}") from None
    if checkpoint.size > size:
        raise LedgerError(
            f"ledger.db holds {size} Records, but {checkpoints.FILE} has a checkpoint of {checkpoint.size}: "
            f"the database was cut short or replaced; {_RESTORE}"
        )
    if tree.frontier_at(checkpoint.size, nodes).root() != checkpoint.root:
        raise LedgerError(
            f"the first {checkpoint.size} Records of ledger.db are not those of the last checkpoint of "
            f"{checkpoints.FILE}: the database was changed or replaced; {_RESTORE}"
        )
    return Head(checkpoint.size, checkpoint.root, data.decode())


def _check_signers(data: bytes, ring: KeyRing) -> None:
    # Within the overlap the old key alone would open the note: keys/ may be a backup from before the rotation.
    known = {key.key_id for key in ring.keys}
    for signature in note.parse_note(data).signatures:
        if signature.name == ring.origin and signature.key_id not in known:
            raise LedgerError(
                f"signed by a key of the ledger, {signature.key_id.hex()}, that keys/ does not hold: "
                "restore keys/ from a backup made after the rotation"
            )


def _check_rotations(connection: sqlite3.Connection, ring: KeyRing, head: Head) -> None:
    for rotation in ring.rotations:
        row = connection.execute("SELECT entry FROM entries WHERE seq = ?", (rotation.index,)).fetchone()
        if row is None or keyring.rotation_at(rotation.index, row[0]) != rotation:
            raise LedgerError(f"record {rotation.index} is not the rotation that keys/ lists: {_RESTORE}")
    before = connection.execute("SELECT max(size) FROM checkpoints WHERE size < ?", (head.size,)).fetchone()[0] or 0
    for rotation in ring.handed_over(before, head.size):
        ring.open_handover(head.note.encode(), rotation, verify_signature)


def _is_unlisted(row: tuple[int, str] | None, head: Head) -> bool:
    if row is None:
        if head.size:
            raise LedgerError(f"ledger.db has no checkpoints, but {checkpoints.FILE} has: {_RESTORE}")
        return True
    if row[0] > head.size:
        raise LedgerError(f"ledger.db has a checkpoint of {row[0]} that {checkpoints.FILE} lacks: {_RESTORE}")
    if row[0] == head.size and row[1] != head.note:
        raise LedgerError(f"ledger.db and {checkpoints.FILE} have different checkpoints of {head.size}: {_RESTORE}")
    return row[0] < head.size


def _check_recent(connection: sqlite3.Connection, start: int, end: int) -> None:
    rows = connection.execute("SELECT seq, entry, leaf FROM entries WHERE seq >= ? ORDER BY seq", (start,))
    for expected, (seq, entry, leaf) in enumerate(rows, start):
        if seq != expected:
            raise LedgerError(f"record {expected} is missing")
        if tree.leaf_hash(entry) != leaf:
            raise LedgerError(f"record {seq}: leaf hash does not match")
        if seq >= end:
            raise LedgerError("ledger.db grows while it is opened")


def _previous(connection: sqlite3.Connection, origin: str, size: int, root: bytes) -> Previous:
    if not size:
        return Previous(0, root.hex(), clean=True, last_at=None)

    def read(index: int) -> bytes:
        entry: bytes = connection.execute("SELECT entry FROM entries WHERE seq = ?", (index,)).fetchone()[0]
        return entry

    if json.loads(read(0)).get("log") != origin:
        raise LedgerError("ledger.db is of another origin than the keys")
    last_at = utc_parse(json.loads(read(size - 1))["ts"])
    return Previous(size, root.hex(), clean=gateway_stopped(backwards(read, size)), last_at=last_at)
