"""One group of appends as one transaction: the hot path, in plain SQL. Runs on the writer's thread only.

Order: payloads are committed to `payload.db` first, then Records to `ledger.db`. The two files do not commit together;
a payload without a Record harms nobody, a Record without its payload would be a hole.
"""

import dataclasses
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self, assert_never

from holdfast.clock import Clock
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import note, record, schema, tree
from holdfast.ledger.draft import Draft, Receipt
from holdfast.ledger.keeping.pending import Emptying
from holdfast.ledger.shape import INTEGER_MAX
from holdfast.ledger.tiles import TileTree

ID_RANDOM_BYTES: Final = 10
ROWS_MAX: Final = 64  # rows of one INSERT
_INSERT_ENTRIES: Final = {
    1 << power: f"INSERT INTO entries VALUES {', '.join(['(?, ?, ?)'] * (1 << power))}"  # noqa: S608 -- no value in it
    for power in range(ROWS_MAX.bit_length())
}

type Entropy = Callable[[int], bytes]


@dataclasses.dataclass(slots=True)
class Append:
    """Drafts that become Records together or not at all, with their checked bodies."""

    drafts: tuple[Draft, ...]
    bodies: tuple[JsonObject, ...]
    bytes: int


@dataclasses.dataclass(frozen=True, slots=True)
class PutObject:
    """Bytes to keep under their SHA-256."""

    sha256: str
    media: str
    data: bytes

    @property
    def bytes(self) -> int:
        """What this weighs in a group."""
        return len(self.data)


type Work = Append | PutObject
type Outcome = tuple[Receipt, ...] | str | note.VerifierKey | LedgerError


@dataclasses.dataclass(slots=True)
class _Growth:
    """What the running transaction has added so far."""

    size: int
    rows: list[tuple[int, bytes, bytes]]  # index, entry, leaf


class Store:
    """The two databases, open for writing, and the tree over what is committed."""

    def __init__(
        self,
        ledger: sqlite3.Connection,
        payload: sqlite3.Connection,
        emptying: Emptying,
        origin: str,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.ledger: Final = ledger
        self.payload: Final = payload
        self.emptying: Final = emptying
        self.tree = TileTree()
        self._origin: Final = origin
        self._clock: Final = clock
        self._entropy: Final = entropy
        self._boot = _uuid4(entropy(16))
        self._mono_from_ns = 0

    @classmethod
    def open(
        cls,
        directory: Path,
        origin: str,
        clock: Clock,
        entropy: Entropy,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> Self:
        """Open both databases, or make them.

        Raises:
            LedgerError: one is missing beside the other, or not as it should be.
            sqlite3.Error: a file cannot be used.
        """
        ledger_path, payload_path = directory / schema.LEDGER_FILE, directory / schema.PAYLOAD_FILE
        # payload.db is made first, so this is never the trace of a start that was interrupted.
        if ledger_path.exists() and not payload_path.exists():
            raise LedgerError(f"{schema.PAYLOAD_FILE} is missing beside {schema.LEDGER_FILE}: restore it from a backup")
        payload = schema.open_writable(payload_path, schema.PAYLOAD_APPLICATION_ID, connection_class)
        try:
            ledger = schema.open_writable(ledger_path, schema.LEDGER_APPLICATION_ID, connection_class)
        except BaseException:
            payload.close()
            raise
        return cls(ledger, payload, Emptying(directory, connection_class), origin, clock, entropy)

    def write(self, group: Sequence[Work]) -> list[Outcome]:
        """Make a group durable. One outcome for each, in order; a LedgerError there concerns that one alone.

        Raises:
            Exception: nothing of the group may be acknowledged.
        """
        appends = [work for work in group if isinstance(work, Append)]
        self._write_payloads(appends)
        growth = _Growth(self.tree.size, [])
        self.ledger.execute("BEGIN IMMEDIATE")
        outcomes = [self._write_one(work, growth) for work in group]
        self._insert_entries(growth.rows)
        grown, full = self.tree.grown([leaf for _, _, leaf in growth.rows])
        for tile in full:
            if tile.level:
                self.ledger.execute("INSERT INTO tiles VALUES (?, ?, ?)", (tile.level, tile.index, tile.hashes))
        self.ledger.execute("COMMIT")
        # From here on the Records are durable (WAL, synchronous=FULL), and only now does the tree know of them.
        self.tree = grown
        return outcomes

    def _write_payloads(self, appends: Sequence[Append]) -> None:
        rows = []
        for append in appends:
            for draft, body in zip(append.drafts, append.bodies, strict=True):
                for name, payload in draft.payloads.items():
                    key = self._entropy(record.COMMITMENT_KEY_BYTES)
                    commitment = record.commit(key, payload.content_type, payload.data)
                    rows.append((commitment, key, payload.content_type, payload.data))
                    member = body[name]
                    assert isinstance(member, dict)
                    body[name] = member | {"c": commitment}
        if rows:
            self.payload.execute("BEGIN IMMEDIATE")
            self.payload.executemany("INSERT INTO payloads VALUES (?, ?, ?, ?)", rows)
            self.payload.execute("COMMIT")

    def _write_one(self, work: Work, growth: _Growth) -> Outcome:
        match work:
            case Append():
                return self._append(work, growth)
            case PutObject():
                return self._put(work)
            case _:
                assert_never(work)

    def _append(self, append: Append, growth: _Growth) -> Outcome:
        entries: list[tuple[int, bytes, bytes]] = []
        receipts: list[Receipt] = []
        try:
            for draft, body in zip(append.drafts, append.bodies, strict=True):
                receipt, entry = self._encode(growth.size + len(entries), draft.typ, body)
                entries.append((receipt.index, entry, bytes.fromhex(receipt.leaf_hex)))
                receipts.append(receipt)
        except LedgerError as error:
            return error
        uses = [(d.use, r.index) for d, r in zip(append.drafts, receipts, strict=True) if d.use is not None]
        # Only a use can be refused by itself; everything else that fails here is a fault, and fails the group.
        if uses and not self._consume([(use.approval_id, use.use_no, index) for use, index in uses]):
            return LedgerError("the approval has been used before")
        growth.size += len(entries)
        growth.rows.extend(entries)
        return tuple(receipts)

    def _insert_entries(self, rows: Sequence[tuple[int, bytes, bytes]]) -> None:
        # Every statement gives up the interpreter's lock and queues for it again behind a busy event loop, so few
        # statements with many rows; powers of two, so that there are few texts to prepare.
        start = 0
        while start < len(rows):
            count = min(ROWS_MAX, 1 << (len(rows) - start).bit_length() - 1)
            values = [value for row in rows[start : start + count] for value in row]
            self.ledger.execute(_INSERT_ENTRIES[count], values)
            start += count

    def _consume(self, uses: Sequence[tuple[str, int, int]]) -> bool:
        self.ledger.execute("SAVEPOINT append")
        try:
            self.ledger.executemany("INSERT INTO approvals_used VALUES (?, ?, ?)", uses)
        except sqlite3.IntegrityError:
            self.ledger.execute("ROLLBACK TO append")
            return False
        finally:
            if self.ledger.in_transaction:
                self.ledger.execute("RELEASE append")
        return True

    def _encode(self, index: int, typ: str, body: JsonObject) -> tuple[Receipt, bytes]:
        at = self._clock.now_at()
        mono_ns = self._mono_ns()
        random = self._entropy(record.SALT_BYTES + ID_RANDOM_BYTES)
        stamp = record.Stamp(
            log=self._origin,
            index=index,
            at=at,
            mono_ns=mono_ns,
            boot=self._boot,
            salt=random[: record.SALT_BYTES],
            id_random=random[record.SALT_BYTES :],
        )
        record_id, entry = record.encode(stamp, typ, body)
        return Receipt(index, record_id, tree.leaf_hash(entry).hex(), at), entry

    def _mono_ns(self) -> int:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._mono_from_ns > INTEGER_MAX:
            # 104 days after the machine was started: count from here on, in a boot of its own.
            self._boot, self._mono_from_ns = _uuid4(self._entropy(16)), now_ns
        return now_ns - self._mono_from_ns

    def _put(self, work: PutObject) -> str:
        if self.ledger.execute("SELECT 1 FROM objects WHERE sha256 = ?", (work.sha256,)).fetchone() is None:
            self.ledger.execute("INSERT INTO objects VALUES (?, ?, ?)", (work.sha256, work.media, work.data))
        return work.sha256

    def holds_payload(self, commitment: str) -> bool:
        """Whether the payload is there, and was not erased."""
        query = "SELECT 1 FROM payloads WHERE c = ? AND ct <> ''"
        return self.payload.execute(query, (commitment,)).fetchone() is not None

    def move_wal(self) -> None:
        """Move what the write-ahead logs hold into the databases, as far as no reader is in the way."""
        self.emptying.retry()
        self.payload.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        self.ledger.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def close(self) -> None:
        """Close both databases; what is not committed is gone."""
        self.ledger.close()
        self.payload.close()


def _uuid4(random: bytes) -> str:
    bits = int.from_bytes(random, "big") & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
