import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ledger.ledgers import (
    FailsAt,
    faulty,
    fill,
    keys_in,
    open_ledger,
    tamper,
)

from holdfast.errors import LedgerError, SettingsError
from holdfast.ledger import checkpoints, record
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify


def remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def change_log(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(directory: Path) -> None:
        path = directory / checkpoints.FILE
        path.write_bytes(change(path.read_bytes()))

    return apply


def run(*statements: str) -> Callable[[Path], None]:
    return lambda directory: tamper(directory, *statements)


STARTS = {
    "ledger.db removed": (remove("ledger.db"), "holds 0 Records, but checkpoints.log has a checkpoint of 12"),
    "payload.db removed": (remove("payload.db"), "payload.db is missing"),
    "checkpoints.log removed": (remove("checkpoints.log"), "checkpoints.log is missing or empty"),
    "truncated": (run("DELETE FROM entries WHERE seq >= 6"), "holds 6 Records, but checkpoints.log"),
    "leaf changed": (run("UPDATE entries SET leaf = zeroblob(32) WHERE seq = 3"), "was changed or replaced"),
    "record removed": (run("DELETE FROM entries WHERE seq = 3"), "a Record between .* is missing"),
    "newest checkpoint cut off": (
        change_log(lambda data: data[: data[:-2].rfind(b"\n\n", 0, -100)] + b"\n\n"),
        "lacks",
    ),
    "checkpoint forged": (change_log(lambda data: data[:-10] + b"AAAAAAA=\n\n"), "the last checkpoint of"),
    "garbage at the end": (change_log(lambda data: data + b"gw.example"), "repeats its last checkpoint"),
    "other garbage": (change_log(lambda data: data + b"garbage"), "no checkpoint of this ledger"),
    "all checkpoints of the table removed": (run("DELETE FROM checkpoints"), "has no checkpoints"),
    "another note in the table": (
        run("UPDATE checkpoints SET note = 'x' WHERE size = 12"),
        "different checkpoints of 12",
    ),
    "unsigned record changed": (
        run("INSERT INTO entries SELECT 12, entry, zeroblob(32) FROM entries WHERE seq = 11"),
        "record 12: leaf hash does not match",
    ),
}


@pytest.mark.parametrize(("damage", "message"), STARTS.values(), ids=STARTS)
def test_a_start_refuses_a_ledger_that_is_not_the_one_it_left(
    tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    fill(tmp_path, 12)
    damage(tmp_path)
    with pytest.raises(LedgerError, match=message):
        open_ledger(tmp_path)
    with pytest.raises(LedgerError, match=message):  # the lock was given back, and nothing was made anew
        open_ledger(tmp_path)


def test_a_ledger_of_another_key_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    shutil.rmtree(tmp_path / "keys")
    other = tmp_path / "other"
    keys_in(other)
    shutil.move(other / "keys", tmp_path / "keys")
    with pytest.raises(LedgerError, match="no known key has signed"):
        open_ledger(tmp_path)


def test_missing_keys_are_never_made_anew_beside_a_ledger(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    shutil.rmtree(tmp_path / "keys")
    with pytest.raises(SettingsError, match="restore the keys"):
        open_ledger(tmp_path)


def test_a_start_that_was_interrupted_before_the_first_record_goes_on(tmp_path: Path) -> None:
    fault = FailsAt("INSERT INTO entries", "SQLITE_FULL")
    fault.armed = True
    with pytest.raises(LedgerError, match="SQLITE_FULL"):
        open_ledger(tmp_path, connection_class=faulty(fault))
    assert verify(tmp_path).size == 0
    open_ledger(tmp_path).close()
    with open_reader(tmp_path) as reader:
        assert record.decode(reader.record(0))["typ"] == "ledger.genesis"
