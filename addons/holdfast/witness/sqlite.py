"""How the databases of this package are opened: durable, or for reading alone."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import schema

BUSY_TIMEOUT_MS: Final = 5000  # another process may be writing its one row


def open_writable(path: Path, application_id: int, statements: Sequence[str]) -> sqlite3.Connection:
    """A connection whose commits are durable; ``statements`` make the tables of a new file.

    Raises:
        LedgerError: not a database of that kind.
        sqlite3.Error: it cannot be opened or written.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for setting in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "trusted_schema = OFF",
            "recursive_triggers = ON",  # so that INSERT OR REPLACE meets the triggers against DELETE
        ):
            connection.execute(f"PRAGMA {setting}")
        _make(connection, application_id, statements)
        _check(connection, application_id, path, statements)
    except BaseException:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection, application_id: int, statements: Sequence[str]) -> None:
    with transaction(connection):
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return
        for statement in (*statements, f"PRAGMA application_id = {application_id}"):
            connection.execute(statement)


def open_readable(path: Path, application_id: int, statements: Sequence[str]) -> sqlite3.Connection:
    """A connection that cannot write; ``statements`` are those that made the file.

    Raises:
        LedgerError: not a database of that kind.
        sqlite3.Error: it cannot be read.
    """
    connection = schema.open_readable(path)
    try:
        _check(connection, application_id, path, statements)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing; nobody else writes in between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def faults_named(what: str) -> Iterator[None]:
    """SQLite's errors as ours, without the text of a statement.

    Raises:
        LedgerError: ``what`` cannot be used.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"{what} cannot be used: SQLite says {schema.error_name(error)}") from None
    except OSError as error:
        raise LedgerError(f"{what} cannot be used: {error.strerror}") from None
    except ValueError:  # a time that is none, a text that is not UTF-8
        raise LedgerError(f"{what} holds what was not written here: look who changed it") from None


def _check(connection: sqlite3.Connection, application_id: int, path: Path, statements: Sequence[str]) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    if found != application_id:
        raise LedgerError(f"{path.name} is not a database of this kind")
    with closing(empty(statements)) as pattern:
        # Triggers hold only while they are there: a table that a tool has rebuilt comes without them.
        if _objects(connection) != _objects(pattern):
            raise LedgerError(f"{path.name}: its tables or triggers were changed: restore it from a backup")


def _objects(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    return connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()


def only_grows(table: str, key: str = "id") -> tuple[str, ...]:
    """The triggers of a table whose rows are never changed or removed; ``key``: columns that tell its rows apart."""
    same = " AND ".join(f"{column} = NEW.{column}" for column in key.split(", "))
    return (
        *(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: no row is changed or removed'); END"
            for verb in ("UPDATE", "DELETE")
        ),
        # INSERT OR REPLACE meets the trigger against DELETE only on connections that ask for it.
        (
            f"CREATE TRIGGER {table}_guard BEFORE INSERT ON {table} "  # noqa: S608 -- names of our own
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{table}: no row is changed or removed'); END"
        ),
    )


def empty(statements: Sequence[str]) -> sqlite3.Connection:
    """A database in memory with the same tables and nothing in them."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    for statement in statements:
        connection.execute(statement)
    return connection
