"""A temporary database for what a Story keeps of each Record: on disk, private to the process, gone when closed."""

import sqlite3
import weakref
from collections.abc import Iterator
from typing import Any, Final, Self

ROWS_MAX: Final = 1000  # rows that wait before they are written together
_CACHE_KIB: Final = 32 * 1024  # pages in memory; the rest is on disk
_READ_COUNT: Final = 500  # rows fetched at once

# What is asked for by column has a column of its own; the rest of a fact is in its body, see codec.py.
_TABLES: Final = {
    "population": "idx INTEGER PRIMARY KEY, at TEXT, body BLOB",
    "calls": "idx INTEGER PRIMARY KEY, iss TEXT, sub TEXT, way TEXT, at TEXT, is_ours INT, kind TEXT, call TEXT, "
    "body BLOB",
    "replies": "call INTEGER PRIMARY KEY, idx INT, outcome TEXT, body BLOB",
    "loose": "idx INTEGER PRIMARY KEY, call TEXT, outcome TEXT, what TEXT, party BLOB, body BLOB",
    "refused": "idx INTEGER PRIMARY KEY, iss TEXT, sub TEXT, way TEXT, at TEXT, is_ours INT, body BLOB",
    "holds": "id TEXT PRIMARY KEY, idx INT, outcome TEXT, closed INT, body BLOB",
    "masked": "idx INTEGER PRIMARY KEY, body BLOB",
    "rules": "idx INTEGER PRIMARY KEY, body BLOB",
    "changes": "place INTEGER PRIMARY KEY, idx INT, body BLOB",
    "accesses": "place INTEGER PRIMARY KEY, idx INT, c TEXT, body BLOB",
    "gaps": "place INTEGER PRIMARY KEY, idx INT, kind TEXT, body BLOB",
    "absent": "c TEXT PRIMARY KEY, idx INT, member TEXT",
    "shown": "c TEXT PRIMARY KEY, ct TEXT, key BLOB, data BLOB",
}


class Notebook:
    """Tables that are written once, in the order of the ledger, and read often. A context manager."""

    def __init__(self) -> None:
        # An empty name is SQLite's word for a private temporary file: https://sqlite.org/inmemorydb.html
        self._db: Final = sqlite3.connect("", isolation_level=None)
        # A Story is read for as long as anybody holds it, and then its database goes with it.
        self._end: Final = weakref.finalize(self, self._db.close)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._db.execute(f"PRAGMA {setting}")
        for name, columns in _TABLES.items():
            self._db.execute(f"CREATE TABLE {name} ({columns})")
        self._db.execute("BEGIN")
        self._waiting: Final[dict[str, list[tuple[Any, ...]]]] = {}
        self._inserts: Final = {
            name: f"INSERT OR REPLACE INTO {name} VALUES ({', '.join('?' * len(columns.split(',')))})"  # noqa: S608 -- our names
            for name, columns in _TABLES.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self._end()

    def put(self, table: str, *values: Any) -> None:
        """A row for ``table``; one with the same key is replaced. Written by :meth:`flush` at the latest."""
        rows = self._waiting.setdefault(table, [])
        rows.append(values)
        if len(rows) >= ROWS_MAX:
            self._db.executemany(self._inserts[table], rows)
            rows.clear()

    def flush(self) -> None:
        """Write what waits."""
        for table, rows in self._waiting.items():
            self._db.executemany(self._inserts[table], rows)
            rows.clear()

    def run(self, sql: str, *values: Any) -> None:
        """A statement that gives no rows."""
        self._db.execute(sql, values)

    def each(self, sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, a few at a time."""
        cursor = self._db.execute(sql, values)
        while rows := cursor.fetchmany(_READ_COUNT):
            yield from rows

    def one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row of a query; None where there is none."""
        row: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
        return row
