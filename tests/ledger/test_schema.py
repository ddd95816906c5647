import sqlite3
from pathlib import Path

import pytest
from tests.ledger.ledgers import (
    call,
    open_ledger,
    used_call,
)

from holdfast.ledger.verify import verify


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET entry = x'7b7d' WHERE seq = 1",
        "DELETE FROM entries WHERE seq = 2",
        "INSERT OR REPLACE INTO entries SELECT 1, entry, leaf FROM entries WHERE seq = 2",
        "INSERT INTO entries SELECT 9, entry, leaf FROM entries WHERE seq = 2",
        "INSERT INTO entries SELECT NULL, entry, leaf FROM entries WHERE seq = 2",
        "INSERT INTO entries VALUES (3, x'7b7d', x'00')",
        "INSERT INTO entries VALUES (1, x'00', x'00') ON CONFLICT (seq) DO UPDATE SET entry = x'00'",
        "REPLACE INTO checkpoints SELECT size, 'forged', signed_at FROM checkpoints",
        "UPDATE checkpoints SET note = 'forged'",
        "DELETE FROM checkpoints",
        "DELETE FROM approvals_used",
        "UPDATE approvals_used SET use_no = 7",
        "REPLACE INTO approvals_used SELECT approval_id, use_no, 0 FROM approvals_used",
        "DELETE FROM objects",
        "REPLACE INTO objects SELECT sha256, 'text/plain', bytes FROM objects",
    ],
)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_the_database_refuses_what_would_change_the_past(tmp_path: Path, statement: str, recursive: str) -> None:
    ledger = open_ledger(tmp_path)
    ledger.append_blocking(call(), used_call())
    ledger.put_object_blocking("application/yaml", b"version: 1\n")
    ledger.close()
    connection = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    connection.execute(f"PRAGMA recursive_triggers = {recursive}")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
    verify(tmp_path)


@pytest.mark.parametrize(
    "statement", ["DROP TRIGGER entries_no_update", "UPDATE entries SET seq = 1", "PRAGMA writable_schema = ON"]
)
def test_the_writers_own_connection_can_only_add(tmp_path: Path, statement: str) -> None:
    ledger = open_ledger(tmp_path)
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        ledger._store.ledger.execute(statement)
    ledger.close()


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.append_blocking(call())
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    ledger.close()


def test_both_databases_are_durable_at_every_commit(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for connection in (ledger._store.ledger, ledger._store.payload):
        connection.set_authorizer(None)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert connection.execute("PRAGMA recursive_triggers").fetchone() == (1,)
    ledger.close()
