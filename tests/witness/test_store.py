import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.witness import store

CLOCK = SetClock()


def cosigned(size: int, vkey: str = "vkey-1", line: bytes = b"line\n") -> store.Cosignature:
    return store.Cosignature(size, "ab" * 32, "audit", vkey, line, CLOCK.now_at())


def test_without_a_file_nobody_has_vouched_and_none_is_made(tmp_path: Path) -> None:
    with store.open_outside(tmp_path) as outside:
        assert outside.cosignatures(1) == []
        assert outside.cosigned_sizes() == []
        assert outside.timestamps() == []
    assert list(tmp_path.iterdir()) == []


def test_what_was_kept_is_there_for_a_reader_while_the_writer_goes_on(tmp_path: Path) -> None:
    with store.open_outside(tmp_path, read_only=False) as writer:
        writer.add_cosignature(cosigned(5, line=b"old\n"), CLOCK.now_at())
        writer.add_cosignature(cosigned(5, line=b"new\n"), CLOCK.now_at())
        writer.add_cosignature(cosigned(5, "vkey-0", b"other\n"), CLOCK.now_at())
        writer.add_cosignature(cosigned(9), CLOCK.now_at())
        stamp = store.Stamp(9, "ab" * 32, "tsa", b"token", CLOCK.now_at())
        writer.add_timestamp(stamp, CLOCK.now_at())
        with store.open_outside(tmp_path) as reader:
            assert reader.cosignatures(5) == [b"other\n", b"old\n"]  # the first of each witness
            assert reader.cosignatures(6) == []
            assert reader.cosigned_sizes() == [5, 9]
            assert reader.timestamps() == [stamp]
            assert reader.last_cosigned("vkey-1") == store.Last(9, "ab" * 32, CLOCK.now_at())
            assert reader.last_stamped("tsa") == store.Last(9, "ab" * 32, CLOCK.now_at())
            assert reader.last_cosigned("vkey-2") is None
            with pytest.raises(LedgerError, match="SQLITE_READONLY"):
                reader.add_cosignature(cosigned(10), CLOCK.now_at())


def test_a_conflict_lasts_until_the_witness_vouches_again(tmp_path: Path) -> None:
    clock = SetClock()
    with store.open_outside(tmp_path, read_only=False) as outside:
        assert outside.conflict_of("vkey-1") is None
        outside.add_cosignature(cosigned(5), clock.now_at())
        clock.advance(1)
        outside.add_conflict("audit", "vkey-1", "saw another history", clock.now_at())
        assert outside.conflict_of("vkey-1") == "saw another history"
        assert outside.conflict_of("vkey-2") is None
        clock.advance(1)
        outside.add_cosignature(cosigned(6), clock.now_at())
        assert outside.conflict_of("vkey-1") is None


def test_no_row_is_changed_or_removed(tmp_path: Path) -> None:
    with store.open_outside(tmp_path, read_only=False) as outside:
        outside.add_cosignature(cosigned(5), CLOCK.now_at())
        outside.add_timestamp(store.Stamp(9, "ab" * 32, "tsa", b"token", CLOCK.now_at()), CLOCK.now_at())
        outside.add_conflict("audit", "vkey-1", "reason", CLOCK.now_at())
    connection = sqlite3.connect(tmp_path / store.FILE, isolation_level=None)
    for table in ("cosignatures", "timestamps", "conflicts"):
        for statement in (
            f"DELETE FROM {table}",
            f"UPDATE {table} SET received_at = ''",
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="no row is changed"):
                connection.execute(statement)
    connection.close()


def test_a_table_that_a_tool_has_rebuilt_without_its_triggers_is_refused(tmp_path: Path) -> None:
    with store.open_outside(tmp_path, read_only=False) as outside:
        outside.add_conflict("audit", "vkey-1", "reason", CLOCK.now_at())
    with closing(sqlite3.connect(tmp_path / store.FILE)) as connection:
        sqlite_utils.Database(connection)["conflicts"].transform()  # type: ignore[union-attr] # a table, no view
    for read_only in (True, False):
        with pytest.raises(LedgerError, match="were changed"):
            store.open_outside(tmp_path, read_only=read_only)


def test_a_row_that_was_not_written_here_is_named_and_no_crash(tmp_path: Path) -> None:
    with store.open_outside(tmp_path, read_only=False) as outside:
        with closing(sqlite3.connect(tmp_path / store.FILE, isolation_level=None)) as connection:
            connection.execute("INSERT INTO cosignatures VALUES (1, 5, 'ab', 'audit', 'vkey-1', x'00', '', 'never')")
            connection.execute("INSERT INTO timestamps VALUES (1, 5, 'ab', 'tsa', x'00', 'never', '')")
        with pytest.raises(LedgerError, match="was not written here"):
            outside.last_cosigned("vkey-1")
        with pytest.raises(LedgerError, match="was not written here"):
            outside.timestamps()


def test_another_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / store.FILE).write_bytes(b"this is no database at all, but long enough for one" * 100)
    with pytest.raises(LedgerError):
        store.open_outside(tmp_path)
    with pytest.raises(LedgerError):
        store.open_outside(tmp_path, read_only=False)
