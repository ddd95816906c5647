"""Reading a ledger: Records, payloads, objects, checkpoints, proofs. Never writes; the gateway may go on meanwhile."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints, schema, tree
from holdfast.ledger.nodes import StoredNodes

_CHUNK_COUNT: Final = 1000  # a read that is not finished keeps the writer from shortening its write-ahead log


class Reader:
    """A ledger folder, open for reading. For one thread; a context manager, or call :meth:`close`."""

    def __init__(self, directory: Path, ledger: sqlite3.Connection, payload: sqlite3.Connection) -> None:
        self.directory: Final = directory
        self.ledger: Final = ledger
        self.payloads_db: Final = payload
        self._nodes: Final = StoredNodes(ledger)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the databases."""
        self.ledger.close()
        self.payloads_db.close()

    def size(self) -> int:
        """How many Records there are now; those after the last checkpoint are not signed yet."""
        size: int = self.ledger.execute("SELECT coalesce(max(seq) + 1, 0) FROM entries").fetchone()[0]
        return size

    def records(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of the Records from ``start`` to before ``end`` (None: the last one there is now)."""
        for index, entry, _ in self.rows(start, end):
            yield index, entry

    def rows(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes, bytes]]:
        """Index, bytes and stored leaf hash of the Records from ``start`` to before ``end``.

        Raises:
            LedgerError: one is not stored as bytes.
        """
        stop = self.size() if end is None else end
        while start < stop:
            rows = self.ledger.execute(
                "SELECT seq, entry, leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?",
                (start, stop, _CHUNK_COUNT),
            ).fetchall()
            if not rows:
                return
            # A column's type is in the file too, and can be edited like the rest of it.
            for index, entry, leaf in rows:
                if not isinstance(entry, bytes) or not isinstance(leaf, bytes):
                    raise LedgerError(f"record {index}: is not stored as bytes")
            yield from rows
            start = rows[-1][0] + 1

    def record(self, index: int) -> bytes:
        """The bytes of one Record.

        Raises:
            LedgerError: there is none at ``index``.
        """
        row = self.ledger.execute("SELECT entry FROM entries WHERE seq = ?", (index,)).fetchone()
        if row is None:
            raise LedgerError(f"there is no record {index}")
        entry: bytes = row[0]
        return entry

    def payload(self, commitment: str) -> tuple[str, bytes, bytes] | None:
        """Content type, commitment key and masked bytes behind a commitment; None where it was erased.

        Raises:
            LedgerError: it is damaged.
        """
        row = self.payloads_db.execute("SELECT ct, key, data FROM payloads WHERE c = ?", (commitment,)).fetchone()
        if row is None or row == schema.EMPTIED:
            return None
        content_type, key, data = row
        if not (isinstance(content_type, str) and isinstance(key, bytes) and isinstance(data, bytes)):
            raise LedgerError("a payload is not stored as text and bytes")
        return content_type, key, data

    def holds_payload(self, commitment: str) -> bool:
        """Whether the payload is there, and was not erased."""
        query = "SELECT 1 FROM payloads WHERE c = ? AND ct <> ''"
        return self.payloads_db.execute(query, (commitment,)).fetchone() is not None

    def was_emptied(self, commitment: str) -> bool:
        """Whether the place of an erased payload is there."""
        row = self.payloads_db.execute("SELECT ct FROM payloads WHERE c = ?", (commitment,)).fetchone()
        return row is not None and not row[0]

    def object(self, sha256: str) -> tuple[str, bytes] | None:
        """Media type and bytes of the object with this digest in hex, or None."""
        row: tuple[str, bytes] | None = self.ledger.execute(
            "SELECT media, bytes FROM objects WHERE sha256 = ?", (sha256,)
        ).fetchone()
        return row

    def checkpoints(self) -> Iterator[bytes]:
        """Every signed checkpoint, in order, as `checkpoints.log` has it; no signature is checked here."""
        return checkpoints.read_notes(self.directory / checkpoints.FILE)

    def last_checkpoint(self) -> bytes | None:
        """The newest signed checkpoint; None in a folder that never had one.

        Raises:
            LedgerError: the file does not end in a checkpoint.
        """
        return checkpoints.read_tail(self.directory / checkpoints.FILE).last

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The stored leaf hashes from ``start`` to before ``end``.

        Raises:
            LedgerError: one is missing.
        """
        return self._nodes.leaves(start, end)

    def frontier(self, size: int) -> tree.Frontier:
        """The tree at ``size``: its peaks are the range proof of the Records from ``size`` on.

        Raises:
            LedgerError: there are fewer Records.
        """
        return tree.frontier_at(size, self._nodes)

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The proof that Record ``index`` is in the tree of ``size`` Records.

        Raises:
            LedgerError: there is no such Record or tree.
        """
        return tree.inclusion_proof(index, size, self._nodes)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the tree of ``new`` Records begins with the tree of ``old`` Records.

        Raises:
            LedgerError: there is no such tree.
        """
        return tree.consistency_proof(old, new, self._nodes)


def open_reader(directory: Path) -> Reader:
    """The ledger in ``directory`` for reading.

    Raises:
        LedgerError: there is none, or it cannot be read.
    """
    ledger = _connect(directory / schema.LEDGER_FILE)
    try:
        payload = _connect(directory / schema.PAYLOAD_FILE)
    except LedgerError:
        ledger.close()
        raise
    return Reader(directory, ledger, payload)


def _connect(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise LedgerError(f"{path} is missing")
    try:
        return schema.open_readable(path)
    except sqlite3.Error as error:
        raise LedgerError(f"{path} cannot be read: SQLite says {schema.error_name(error)}") from None
