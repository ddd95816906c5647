"""The two databases: tables, triggers, how they are opened, and whether a file still has exactly that schema.

`ledger.db` only grows: its triggers refuse UPDATE, DELETE and every INSERT that is not the next one, which also stops
``INSERT OR REPLACE``. They guard against accidents; against an attacker there is the Merkle tree. Masked payloads are
in `payload.db`, where a row can be emptied: its place stays, so that SQLite never moves what is in the rows beside it.
"""

import os
import sqlite3
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger.record import RECORD_BYTES_MAX

LEDGER_FILE: Final = "ledger.db"
PAYLOAD_FILE: Final = "payload.db"
KEYS_DIR: Final = "keys"
USER_VERSION: Final = 1
LEDGER_APPLICATION_ID: Final = 0x48464C31  # "HFL1", so that `file` and a reader tell the two apart
PAYLOAD_APPLICATION_ID: Final = 0x48465031  # "HFP1"
EMPTIED: Final = ("", b"\0" * 32, b"")  # ct, key and data of a payload that was erased; a content type is never empty
BUSY_TIMEOUT_MS: Final = 2000  # only a reader that takes a checkpoint lock can be in the way
_ALLOWED: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_INSERT,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_FUNCTION,
    }
)


def _no_change(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: no Record is changed or removed'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _insert_guard(table: str, condition: str, message: str) -> str:
    return (
        f"CREATE TRIGGER {table}_guard BEFORE INSERT ON {table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{table}: {message}'); END"
    )


_LEDGER_SQL: Final = (
    (
        "CREATE TABLE entries (seq INTEGER PRIMARY KEY CHECK (seq >= 0), "
        f"entry BLOB NOT NULL CHECK (length(entry) BETWEEN 1 AND {RECORD_BYTES_MAX}), "
        "leaf BLOB NOT NULL CHECK (length(leaf) = 32)) STRICT"
    ),
    _insert_guard(
        "entries", "NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM entries)", "a Record only follows the last"
    ),
    *_no_change("entries"),
    (
        "CREATE TABLE tiles (level INTEGER NOT NULL CHECK (level >= 1), idx INTEGER NOT NULL CHECK (idx >= 0), "
        "hashes BLOB NOT NULL CHECK (length(hashes) = 8192), PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID"
    ),
    _insert_guard(
        "tiles",
        "NEW.idx IS NOT (SELECT coalesce(max(idx) + 1, 0) FROM tiles WHERE level = NEW.level)",
        "a tile only follows the last of its level",
    ),
    *_no_change("tiles"),
    (
        "CREATE TABLE checkpoints (size INTEGER PRIMARY KEY CHECK (size >= 0), note TEXT NOT NULL, "
        "signed_at TEXT NOT NULL) STRICT"
    ),
    _insert_guard(
        "checkpoints",
        "NEW.size IS NULL OR NEW.size <= (SELECT max(size) FROM checkpoints)",
        "a checkpoint is larger than the last",
    ),
    *_no_change("checkpoints"),
    (
        "CREATE TABLE approvals_used (approval_id TEXT NOT NULL, use_no INTEGER NOT NULL, seq INTEGER NOT NULL, "
        "PRIMARY KEY (approval_id, use_no)) STRICT, WITHOUT ROWID"
    ),
    _insert_guard(
        "approvals_used",
        "EXISTS (SELECT 1 FROM approvals_used WHERE approval_id = NEW.approval_id AND use_no = NEW.use_no)",
        "this use was made before",
    ),
    *_no_change("approvals_used"),
    (
        "CREATE TABLE objects (sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64), media TEXT NOT NULL, "
        "bytes BLOB NOT NULL) STRICT, WITHOUT ROWID"
    ),
    _insert_guard("objects", "EXISTS (SELECT 1 FROM objects WHERE sha256 = NEW.sha256)", "kept already"),
    *_no_change("objects"),
)

_PAYLOAD_SQL: Final = (
    (
        "CREATE TABLE payloads (c TEXT PRIMARY KEY CHECK (length(c) = 76), key BLOB NOT NULL CHECK (length(key) = 32), "
        "ct TEXT NOT NULL, data BLOB NOT NULL) STRICT"
    ),
    _insert_guard("payloads", "EXISTS (SELECT 1 FROM payloads WHERE c = NEW.c)", "kept already"),
    (
        "CREATE TRIGGER payloads_no_update BEFORE UPDATE ON payloads "
        "WHEN NEW.rowid IS NOT OLD.rowid OR NEW.c IS NOT OLD.c OR NEW.key IS NOT zeroblob(32) OR NEW.ct IS NOT '' "
        "OR NEW.data IS NOT x'' BEGIN SELECT RAISE(ABORT, 'payloads: a payload is only ever emptied'); END"
    ),
    _no_change("payloads")[1],  # DELETE: rows that stay where they are leave no copies behind in other pages
)

_SQL: Final = {LEDGER_APPLICATION_ID: _LEDGER_SQL, PAYLOAD_APPLICATION_ID: _PAYLOAD_SQL}


def _create(connection: sqlite3.Connection, application_id: int) -> None:
    # Late: a verifier, which makes its pattern in memory, has the standard library only.
    import sqlite_utils  # noqa: PLC0415

    with sqlite_utils.Database(connection).atomic():
        _execute(connection, application_id)


def _execute(connection: sqlite3.Connection, application_id: int) -> None:
    for statement in _SQL[application_id]:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {application_id}")
    connection.execute(f"PRAGMA user_version = {USER_VERSION}")


def _objects(connection: sqlite3.Connection) -> list[tuple[str, str, str, str]]:
    return connection.execute(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name"
    ).fetchall()


def check_schema(connection: sqlite3.Connection, application_id: int, name: str) -> None:
    """Refuse a database whose tables, indexes or triggers are not exactly those of this version.

    Raises:
        LedgerError: names the first object that is missing, changed or foreign.
    """
    found_id = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if found_id != application_id or version != USER_VERSION:
        raise LedgerError(f"{name} is not a Holdfast database of version {USER_VERSION}")
    pattern = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _execute(pattern, application_id)
        expected = {row[:2]: row for row in _objects(pattern)}
    finally:
        pattern.close()
    found = {row[:2]: row for row in _objects(connection)}
    # sqlite_stat tables come of ANALYZE; nobody has a reason to run it here, so they are foreign too.
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            state = "missing" if key not in found else "changed" if key in expected else "foreign"
            raise LedgerError(f"{name}: {key[0]} {key[1]} is {state}")


def open_writable(
    path: Path, application_id: int, connection_class: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """A connection that writes durably: WAL, ``synchronous=FULL``; the schema is made if the file is new.

    Raises:
        LedgerError: not a database of ours, or its schema was changed.
        sqlite3.Error: the file cannot be opened or written.
    """
    # SQLite gives -wal and -shm the mode of the database.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=connection_class)
    try:
        _configure(connection)
        if not _objects(connection):
            _create(connection, application_id)
        check_schema(connection, application_id, path.name)
    except BaseException:
        connection.close()
        raise
    connection.set_authorizer(_authorize)
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    for setting in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "recursive_triggers = ON",
        "secure_delete = ON",
        "cell_size_check = ON",
        "temp_store = MEMORY",  # a statement's journal holds what it changes, and would lie in /tmp
        "wal_autocheckpoint = 0",  # the writer does that between groups, so that no append waits for it
    ):
        connection.execute(f"PRAGMA {setting}")
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, level) != ("wal", 2):
        raise LedgerError("the database is not in WAL mode with synchronous=FULL; is the folder on a network disk?")


def open_emptying(
    path: Path, connection_class: type[sqlite3.Connection] = sqlite3.Connection, *, busy_ms: int
) -> sqlite3.Connection:
    """A connection that can empty rows of payload.db and move its write-ahead log, and nothing else.

    ``busy_ms``: how long it waits where a reader is in the way.

    Raises:
        LedgerError: not a database of ours, or its schema was changed.
        sqlite3.Error: the file cannot be opened.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=connection_class)
    try:
        _configure(connection)
        connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
        check_schema(connection, PAYLOAD_APPLICATION_ID, path.name)
    except BaseException:
        connection.close()
        raise
    connection.set_authorizer(_authorize_emptying)
    return connection


def _authorize_emptying(
    action: int, first: str | None, second: str | None, _schema: str | None, trigger: str | None
) -> int:
    is_allowed = {
        sqlite3.SQLITE_UPDATE: first == "payloads" and second in ("key", "ct", "data"),
        sqlite3.SQLITE_READ: first == "payloads" and (second == "c" or trigger == "payloads_no_update"),
        sqlite3.SQLITE_SELECT: trigger == "payloads_no_update",
        sqlite3.SQLITE_FUNCTION: second in ("zeroblob", "raise"),
        sqlite3.SQLITE_TRANSACTION: True,
        sqlite3.SQLITE_PRAGMA: first == "wal_checkpoint",
    }
    return sqlite3.SQLITE_OK if is_allowed.get(action, False) else sqlite3.SQLITE_DENY


def _authorize(action: int, first: str | None, *_rest: str | None) -> int:
    # Our own code adds and reads, and can do nothing else, whatever a later change of it tries.
    if action in _ALLOWED or (action == sqlite3.SQLITE_PRAGMA and first == "wal_checkpoint"):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def open_readable(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; the gateway may go on writing meanwhile.

    Raises:
        sqlite3.Error: no such file, or it cannot be read.
    """
    uri = path.absolute().as_uri()
    try:
        return _read_only(f"{uri}?mode=ro")
    except sqlite3.OperationalError:
        # A folder that nobody can write has no place for -shm; without -wal the file alone is the whole database.
        if os.access(path.parent, os.W_OK) or path.with_name(path.name + "-wal").exists():
            raise
        return _read_only(f"{uri}?mode=ro&immutable=1")


def _read_only(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA schema_version").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def error_name(error: sqlite3.Error) -> str:
    """What SQLite calls the error; the error's text could quote what is in the database."""
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
