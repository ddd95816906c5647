"""What a witness remembers: the logs it watches, the last checkpoint of each that it cosigned, and what contradicts it.

`state.db`: a log's state never goes back to a smaller tree, nor to another tree of the same size; its triggers refuse
that whatever the code above them does.
"""

import dataclasses
import datetime as dt
import sqlite3
from pathlib import Path
from typing import Final, Self

from holdfast.clock import utc_parse, utc_text
from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.witness import protocol, sqlite

FILE: Final = "state.db"
APPLICATION_ID: Final = 0x48465731  # "HFW1"
EVIDENCE_MAX: Final = 1000  # for each log and kind: whoever holds its key could fill the disk
_SQL: Final = (
    (
        "CREATE TABLE logs (origin TEXT NOT NULL, vkey TEXT NOT NULL, added_at TEXT NOT NULL, "
        "PRIMARY KEY (origin, vkey)) STRICT, WITHOUT ROWID"
    ),
    *sqlite.only_grows("logs", "origin, vkey"),
    (
        "CREATE TABLE state (origin TEXT PRIMARY KEY, origin_hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL "
        "CHECK (size >= 0), root BLOB NOT NULL CHECK (length(root) = 32), checkpoint BLOB NOT NULL, "
        "cosignature BLOB NOT NULL, cosigned_at TEXT NOT NULL) STRICT"
    ),
    (
        "CREATE TRIGGER state_forward BEFORE UPDATE ON state WHEN NEW.origin IS NOT OLD.origin "
        "OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root IS NOT OLD.root) "
        "BEGIN SELECT RAISE(ABORT, 'state: a witness does not go back'); END"
    ),
    sqlite.only_grows("state")[1],
    (
        # INSERT OR REPLACE is neither UPDATE nor, on most connections, DELETE.
        "CREATE TRIGGER state_guard BEFORE INSERT ON state WHEN EXISTS (SELECT 1 FROM state WHERE "
        "(origin = NEW.origin AND (NEW.size < size OR (NEW.size = size AND NEW.root IS NOT root))) "
        "OR (origin_hash = NEW.origin_hash AND origin IS NOT NEW.origin)) "
        "BEGIN SELECT RAISE(ABORT, 'state: a witness does not go back'); END"
    ),
    (
        "CREATE TABLE evidence (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, "
        "cosigned BLOB NOT NULL, submitted BLOB NOT NULL, at TEXT NOT NULL, UNIQUE (origin, submitted)) STRICT"
    ),
    *sqlite.only_grows("evidence"),
    "CREATE INDEX evidence_by_kind ON evidence (origin, kind)",
)


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """The last checkpoint of a log that the witness cosigned: a note of the log's lines, and the witness's line."""

    size: int
    root: bytes
    checkpoint: bytes
    cosignature: bytes
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """A checkpoint, signed by its log, that the witness refused to cosign beside the one it had cosigned.

    ``kind``: `fork`, two trees of one size, which proves by itself that the log's key signed two histories; or
    `unproven`, a tree that was not shown to continue the cosigned one.
    """

    origin: str
    kind: str
    cosigned: bytes
    submitted: bytes
    at: dt.datetime


class Store:
    """The witness's database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection: Final = connection

    @classmethod
    def open(cls, folder: Path) -> Self:
        """For writing; made if it is new.

        Raises:
            LedgerError: it cannot be used.
        """
        with sqlite.faults_named(f"{folder / FILE}"):
            return cls(sqlite.open_writable(folder / FILE, APPLICATION_ID, _SQL))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """For reading alone.

        Raises:
            LedgerError: there is none, or it cannot be used.
        """
        if not (folder / FILE).is_file():
            raise LedgerError(f"{folder / FILE} is missing; begin with `add-log`")
        with sqlite.faults_named(f"{folder / FILE}"):
            return cls(sqlite.open_readable(folder / FILE, APPLICATION_ID, _SQL))

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def add_log(self, origin: str, key: note.VerifierKey, at: dt.datetime) -> bool:
        """Watch a log, or take a further key of it. False: that key was known already."""
        row = (origin, key.to_text(), utc_text(at))
        with sqlite.transaction(self.connection):
            known = key in self.keys_of(origin)
            if not known:
                self.connection.execute("INSERT INTO logs VALUES (?, ?, ?)", row)
        return not known

    def origins(self) -> tuple[str, ...]:
        """The logs that are watched."""
        rows = self.connection.execute("SELECT DISTINCT origin FROM logs ORDER BY origin")
        return tuple(origin for (origin,) in rows)

    def keys_of(self, origin: str) -> tuple[note.VerifierKey, ...]:
        """The keys that count for a log; none where it is not watched."""
        rows = self.connection.execute("SELECT vkey FROM logs WHERE origin = ? ORDER BY added_at, vkey", (origin,))
        return tuple(note.parse_vkey(vkey) for (vkey,) in rows)

    def state_of(self, origin: str) -> State | None:
        """What was cosigned last; None where nothing was."""
        return self._state("origin", origin)

    def state_at(self, origin_hash_hex: str) -> State | None:
        """The same, by the hash of the origin."""
        return self._state("origin_hash", origin_hash_hex)

    def _state(self, column: str, value: str) -> State | None:
        row = self.connection.execute(
            f"SELECT size, root, checkpoint, cosignature, cosigned_at FROM state WHERE {column} = ?",  # noqa: S608 -- one of two words above
            (value,),
        ).fetchone()
        if row is None:
            return None
        size, root, checkpoint, line, at = row
        return State(size, root, checkpoint, line, utc_parse(at))

    def put_state(self, origin: str, state: State) -> None:
        """Remember what is cosigned now. Part of a transaction of the caller's."""
        self.connection.execute(
            "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size, "
            "root = excluded.root, checkpoint = excluded.checkpoint, cosignature = excluded.cosignature, "
            "cosigned_at = excluded.cosigned_at",
            (
                origin,
                protocol.origin_hash_hex(origin),
                state.size,
                state.root,
                state.checkpoint,
                state.cosignature,
                utc_text(state.at),
            ),
        )

    def keep_evidence(self, evidence: Evidence) -> None:
        """Keep a contradiction, once. Part of a transaction of the caller's."""
        # Counted by kind, so that a log that may not show a fork cannot leave no room for it.
        known = self.connection.execute(
            "SELECT (SELECT count(*) FROM evidence WHERE origin = ?1 AND kind = ?2), "
            "EXISTS (SELECT 1 FROM evidence WHERE origin = ?1 AND submitted = ?3)",
            (evidence.origin, evidence.kind, evidence.submitted),
        ).fetchone()
        if known[1] or known[0] >= EVIDENCE_MAX:
            return
        self.connection.execute(
            "INSERT INTO evidence (origin, kind, cosigned, submitted, at) VALUES (?, ?, ?, ?, ?)",
            (evidence.origin, evidence.kind, evidence.cosigned, evidence.submitted, utc_text(evidence.at)),
        )

    def evidence(self) -> tuple[Evidence, ...]:
        """Every contradiction, oldest first."""
        rows = self.connection.execute("SELECT origin, kind, cosigned, submitted, at FROM evidence ORDER BY id")
        return tuple(
            Evidence(origin, kind, cosigned, submitted, utc_parse(at)) for origin, kind, cosigned, submitted, at in rows
        )
