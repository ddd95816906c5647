"""`witness.db` in the data folder: every cosignature and time stamp, kept before anything claims it.

What is in it was verified before it was written; whoever reads it for evidence verifies it again. It may be lost
without harm to the ledger: then nobody outside vouches for the time before.
"""

import dataclasses
import datetime as dt
import sqlite3
import threading
from pathlib import Path
from typing import Final, Self

from holdfast.clock import utc_parse, utc_text
from holdfast.witness import sqlite

FILE: Final = "witness.db"
APPLICATION_ID: Final = 0x48464F31  # "HFO1": outside
_SQL: Final = (
    (
        "CREATE TABLE cosignatures (id INTEGER PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0), "
        "root TEXT NOT NULL, name TEXT NOT NULL, vkey TEXT NOT NULL, line BLOB NOT NULL, cosigned_at TEXT NOT NULL, "
        "received_at TEXT NOT NULL) STRICT"
    ),
    "CREATE INDEX cosignatures_by_size ON cosignatures (size)",
    "CREATE INDEX cosignatures_by_vkey ON cosignatures (vkey)",
    *sqlite.only_grows("cosignatures"),
    (
        "CREATE TABLE timestamps (id INTEGER PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0), root TEXT NOT NULL, "
        "name TEXT NOT NULL, token BLOB NOT NULL, stamped_at TEXT NOT NULL, received_at TEXT NOT NULL) STRICT"
    ),
    "CREATE INDEX timestamps_by_name ON timestamps (name)",
    *sqlite.only_grows("timestamps"),
    (
        "CREATE TABLE conflicts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, vkey TEXT NOT NULL, reason TEXT NOT NULL, "
        "received_at TEXT NOT NULL) STRICT"
    ),
    *sqlite.only_grows("conflicts"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's signature line over the checkpoint of ``size``: its name in the rules, its vkey, and its time."""

    size: int
    root_hex: str
    name: str
    vkey: str
    line: bytes
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Stamp:
    """An authority's answer (a DER TimeStampResp) over the signed checkpoint of ``size``, and the time it states."""

    size: int
    root_hex: str
    name: str
    token: bytes
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Last:
    """Up to where somebody has vouched, and when we heard it, by our own clock."""

    size: int
    root_hex: str
    received_at: dt.datetime


class Outside:
    """What those outside have said. A context manager, or call :meth:`close`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: Final = connection
        self._lock: Final = threading.Lock()  # several witnesses answer at once, each on a thread of its own

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def cosignatures(self, size: int) -> list[bytes]:
        """The signature lines over the checkpoint of ``size``: of each witness the first one, in order of its key.

        The first says most: from its time on, the checkpoint could not be replaced.
        """
        with self._lock, sqlite.faults_named(FILE):
            rows = self._connection.execute(
                "SELECT line FROM cosignatures WHERE id IN (SELECT min(id) FROM cosignatures WHERE size = ? "
                "GROUP BY vkey) ORDER BY vkey",
                (size,),
            ).fetchall()
        return [line for (line,) in rows]

    def cosigned_sizes(self) -> list[int]:
        """The sizes of the checkpoints that anybody has cosigned, ascending."""
        with self._lock, sqlite.faults_named(FILE):
            rows = self._connection.execute("SELECT DISTINCT size FROM cosignatures ORDER BY size").fetchall()
        return [size for (size,) in rows]

    def timestamps(self) -> list[Stamp]:
        """Every time stamp, oldest first."""
        with self._lock, sqlite.faults_named(FILE):
            rows = self._connection.execute(
                "SELECT size, root, name, token, stamped_at FROM timestamps ORDER BY id"
            ).fetchall()
            return [Stamp(size, root, name, token, utc_parse(at)) for size, root, name, token, at in rows]

    def last_cosigned(self, vkey: str) -> Last | None:
        """Up to where the witness with this key has vouched."""
        return self._last(
            "SELECT size, root, received_at FROM cosignatures WHERE vkey = ? ORDER BY id DESC LIMIT 1", vkey
        )

    def last_stamped(self, name: str) -> Last | None:
        """Up to where the authority with this name in the rules has vouched."""
        return self._last(
            "SELECT size, root, received_at FROM timestamps WHERE name = ? ORDER BY id DESC LIMIT 1", name
        )

    def _last(self, sql: str, key: str) -> Last | None:
        with self._lock, sqlite.faults_named(FILE):
            row = self._connection.execute(sql, (key,)).fetchone()
            return Last(row[0], row[1], utc_parse(row[2])) if row else None

    def add_cosignature(self, one: Cosignature, received_at: dt.datetime) -> None:
        """Keep a cosignature that was verified; durable when this returns.

        Raises:
            LedgerError: it cannot be written.
        """
        row = (one.size, one.root_hex, one.name, one.vkey, one.line, utc_text(one.at), utc_text(received_at))
        with self._lock, sqlite.faults_named(FILE):
            self._connection.execute(
                "INSERT INTO cosignatures (size, root, name, vkey, line, cosigned_at, received_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def add_timestamp(self, one: Stamp, received_at: dt.datetime) -> None:
        """Keep a time stamp that was verified; durable when this returns.

        Raises:
            LedgerError: it cannot be written.
        """
        row = (one.size, one.root_hex, one.name, one.token, utc_text(one.at), utc_text(received_at))
        with self._lock, sqlite.faults_named(FILE):
            self._connection.execute(
                "INSERT INTO timestamps (size, root, name, token, stamped_at, received_at) VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )

    def add_conflict(self, name: str, vkey: str, reason: str, received_at: dt.datetime) -> None:
        """Keep that a witness saw another history, until it vouches again.

        Raises:
            LedgerError: it cannot be written.
        """
        with self._lock, sqlite.faults_named(FILE):
            self._connection.execute(
                "INSERT INTO conflicts (name, vkey, reason, received_at) VALUES (?, ?, ?, ?)",
                (name, vkey, reason, utc_text(received_at)),
            )

    def conflict_of(self, vkey: str) -> str | None:
        """What a witness said about another history that it saw; None where it has vouched since, or never said so."""
        with self._lock, sqlite.faults_named(FILE):
            row = self._connection.execute(
                "SELECT reason FROM conflicts WHERE vkey = ?1 AND received_at >= (SELECT coalesce(max(received_at), "
                "'') FROM cosignatures WHERE vkey = ?1) ORDER BY id DESC LIMIT 1",
                (vkey,),
            ).fetchone()
        return str(row[0]) if row else None


def open_outside(data: Path, *, read_only: bool = True) -> Outside:
    """What those outside have said about the ledger in ``data``; nothing, where there is no `witness.db` to read.

    Raises:
        LedgerError: the file is there and cannot be used.
    """
    path = data / FILE
    with sqlite.faults_named(f"{path}"):
        if not read_only:
            return Outside(sqlite.open_writable(path, APPLICATION_ID, _SQL))
        if path.is_file():
            return Outside(sqlite.open_readable(path, APPLICATION_ID, _SQL))
        return Outside(sqlite.empty(_SQL))
