"""A forger with the files, and, where a test gives it, the ledger's key: a ledger rewritten so that nothing in it jars.

The forger knows every format. What it writes has canonical Records with the right indices, matching leaves, tiles, uses
of approvals and triggers. Without the key it must leave the signed checkpoints as they are; with it, it signs its own.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast import jsontext
from holdfast.ledger import checkpoints, note, schema
from holdfast.ledger.draft import use_in
from holdfast.ledger.keys import Keys
from holdfast.ledger.reader import open_reader
from holdfast.ledger.tiles import TILE_WIDTH, TileTree
from holdfast.ledger.tree import leaf_hash, root_of

SIZE = 64
EVERY = 8  # a checkpoint after so many Records

type Records = list[dict[str, Any]]


def records_of(data: Path) -> Records:
    with open_reader(data) as reader:
        return [json.loads(entry) for _, entry in reader.records()]


def renumbered(records: Records, order: Sequence[int]) -> Records:
    """The Records of these old indices (-1: the Record is new), in this order, calling themselves by their new ones."""
    place = {old: new for new, old in enumerate(order)}
    for new, record in enumerate(records):
        record["n"] = new
        if "ref" in record:
            record["ref"] = [place[old] for old in record["ref"] if place.get(old, new) < new]
    return records


def modified(records: Records, at: int) -> Records:
    records[at]["who"]["sub"] = "mallory"
    return records


def deleted(records: Records, at: int) -> Records:
    del records[at]
    return renumbered(records, [old for old in range(SIZE) if old != at])


def inserted(records: Records, at: int) -> Records:
    records.insert(at, {**records[at], "who": {**records[at]["who"], "sub": "mallory"}})
    return renumbered(records, [*range(at), -1, *range(at, SIZE)])


def reordered(records: Records, at: int) -> Records:
    # The clock of a process never goes back, so the forger swaps the stories and leaves the times where they are.
    for name in ("who", "dec", "call", "req"):
        records[at][name], records[at + 1][name] = records[at + 1][name], records[at][name]
    return records


def truncated(records: Records, at: int) -> Records:
    return records[:at]


def rewrite(source: Path, target: Path, records: Records, keys: Keys | None) -> Path:
    """A copy of the folder ``source`` whose ledger holds ``records``; with ``keys``, newly signed throughout."""
    shutil.copytree(source, target)
    (target / schema.LEDGER_FILE).unlink()
    for leftover in target.glob(f"{schema.LEDGER_FILE}-*"):
        leftover.unlink()
    entries = [jsontext.canonical(record) for record in records]
    leaves = [leaf_hash(entry) for entry in entries]
    with open_reader(source) as reader:
        notes = list(reader.checkpoints())
        signed_at = [row[0] for row in reader.ledger.execute("SELECT signed_at FROM checkpoints ORDER BY size")]
        objects = reader.ledger.execute("SELECT * FROM objects").fetchall()
    if keys is not None:
        notes = [_signed(keys, leaves[:size]) for size in (*range(0, len(leaves), EVERY), len(leaves))]
    connection = schema.open_writable(target / schema.LEDGER_FILE, schema.LEDGER_APPLICATION_ID)
    rows = [(index, entry, leaf) for index, (entry, leaf) in enumerate(zip(entries, leaves, strict=True))]
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
    _add_tiles(connection, leaves)
    times = signed_at + signed_at[-1:] * len(notes)
    listed = [(_size(data), data.decode(), at) for data, at in zip(notes, times, strict=False)]
    connection.executemany("INSERT INTO checkpoints VALUES (?, ?, ?)", listed)
    uses = [(use, record["n"]) for record in records if (use := use_in(record["typ"], record)) is not None]
    used = [(use.approval_id, use.use_no, index) for use, index in uses]
    connection.executemany("INSERT INTO approvals_used VALUES (?, ?, ?)", used)
    connection.executemany("INSERT INTO objects VALUES (?, ?, ?)", objects)
    connection.close()
    (target / checkpoints.FILE).write_bytes(b"".join(data + b"\n" for data in notes))
    return target


def _add_tiles(connection: Any, leaves: list[bytes]) -> None:
    tree = TileTree()
    for start in range(0, len(leaves) - len(leaves) % TILE_WIDTH, TILE_WIDTH):
        tree, full = tree.grown(leaves[start : start + TILE_WIDTH])
        rows = [(tile.level, tile.index, tile.hashes) for tile in full if tile.level]
        connection.executemany("INSERT INTO tiles VALUES (?, ?, ?)", rows)


def _signed(keys: Keys, leaves: list[bytes]) -> bytes:
    checkpoint = note.Checkpoint(keys.origin, len(leaves), root_of(leaves))
    return note.sign_note(checkpoint.to_text(), keys.verifier, keys.ledger.sign).to_text().encode()


def _size(data: bytes) -> int:
    return note.parse_checkpoint(note.parse_note(data).text).size
