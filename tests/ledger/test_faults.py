import asyncio
import contextlib
import datetime as dt
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.ledgers import (
    FailsAt,
    call,
    disk_fault,
    faulty,
    fill,
    heartbeat,
    keys_in,
    open_ledger,
    tamper,
    used_call,
)

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints
from holdfast.ledger.draft import Receipt
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify

CHILD = """
import asyncio, os, sys
from pathlib import Path
from holdfast.clock import SystemClock
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger

async def appends(ledger):
    body = {"call": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "dec": {"effect": "allow"},
            "rpc": {"method": "tools/call", "dir": "to_server", "kind": "request"}}
    while True:
        receipt = (await ledger.append(Draft("call", body, {"req": Payload("text/plain", b"masked")})))[0]
        os.write(1, f"{receipt.index} {receipt.leaf_hex}\\n".encode())

async def main():
    directory = Path(sys.argv[1])
    ledger = Ledger.open(directory, open_keys(directory, origin=None), SystemClock(), build={"version": "1"})
    await asyncio.gather(*(appends(ledger) for _ in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged_count", [1, 40, 333])
def test_no_acknowledged_record_is_lost_when_the_process_is_killed(tmp_path: Path, acknowledged_count: int) -> None:
    keys_in(tmp_path)
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acknowledged_count)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines(keepends=True)
        process.stdout.close()
        process.wait()
        acknowledged = dict(line.decode().split() for line in lines if line.endswith(b"\n"))
        assert len(acknowledged) >= acknowledged_count
        ledger = open_ledger(tmp_path)
        assert not ledger.previous.clean
        ledger.append_blocking(heartbeat())
        ledger.close()
        with open_reader(tmp_path) as reader:
            for index, leaf_hex in acknowledged.items():
                assert reader.leaves(int(index), int(index) + 1)[0].hex() == leaf_hex
        assert verify(tmp_path).unsigned == 0


FAULTS = {
    "the payload commit fails": ("COMMIT", "SQLITE_IOERR_FSYNC", 0),
    "the ledger commit fails": ("COMMIT", "SQLITE_IOERR_FSYNC", 1),
    "the insert finds the disk full": ("INSERT INTO entries", "SQLITE_FULL", 0),
    "the database is locked": ("BEGIN IMMEDIATE", "SQLITE_BUSY", 0),
    "the second transaction cannot begin": ("BEGIN IMMEDIATE", "SQLITE_BUSY", 1),
    "a use cannot be written": ("SAVEPOINT", "SQLITE_IOERR_WRITE", 0),
}


@pytest.mark.parametrize(("verb", "name", "after"), FAULTS.values(), ids=FAULTS)
async def test_a_fault_fails_all_that_wait_and_all_that_come_and_a_new_start_goes_on(
    tmp_path: Path, verb: str, name: str, after: int
) -> None:
    fault = FailsAt(verb, name, after)
    ledger = open_ledger(tmp_path, connection_class=faulty(fault))
    kept = (await ledger.append(call("kept")))[0]
    fault.armed = True
    waiting = [ledger.append(call()), ledger.append(used_call()), ledger.append(heartbeat())]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(outcome, LedgerError) and name in str(outcome) for outcome in outcomes)
    fault.armed = False
    assert not ledger.healthy()
    with pytest.raises(LedgerError, match="open it again"):
        await ledger.append(heartbeat())
    ledger.close()
    verify(tmp_path)
    ledger = open_ledger(tmp_path)
    assert (await ledger.append(used_call()))[0].index == kept.index + 1
    ledger.close()
    assert verify(tmp_path).unsigned == 0


async def test_a_commit_whose_answer_was_lost_is_not_acknowledged_and_does_no_harm(tmp_path: Path) -> None:
    class LosesAnswers(sqlite3.Connection):
        loses = False

        def execute(self, sql: str, /, *parameters: Any) -> sqlite3.Cursor:
            cursor = super().execute(sql, *parameters)
            if self.loses and sql == "COMMIT":
                raise disk_fault("SQLITE_IOERR")
            return cursor

    ledger = open_ledger(tmp_path, connection_class=LosesAnswers)
    LosesAnswers.loses = True
    with pytest.raises(LedgerError):
        await ledger.append(heartbeat())
    ledger.close()
    LosesAnswers.loses = False
    ledger = open_ledger(tmp_path)
    assert ledger.previous.size == 2
    ledger.close()
    verify(tmp_path)


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[type[sqlite3.Connection]]:
    """A file system of one megabyte where mounting is permitted; else databases that may not grow."""
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(directory)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        try:
            yield sqlite3.Connection
        finally:
            subprocess.run(["umount", str(directory)], check=True)
        return

    class MayNotGrow(sqlite3.Connection):
        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            self.execute("PRAGMA max_page_count = 100")

    yield MayNotGrow


async def append_until_it_fails(ledger: Ledger, receipts: list[Receipt]) -> None:
    while True:
        receipts += await ledger.append(call("x" * 20_000))


async def test_a_full_disk_refuses_every_append_and_loses_none_before_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as connection_class:
        directory = tmp_path / "small"
        ledger = open_ledger(directory, connection_class=connection_class)
        receipts: list[Receipt] = []
        with pytest.raises(LedgerError, match=r"SQLITE_(FULL|IOERR)"):
            await append_until_it_fails(ledger, receipts)
        assert not ledger.healthy()
        ledger.close()
        assert receipts
        # More room, as an operator would make it; the folder is moved, since the small disk stays small.
        roomy = shutil.copytree(directory, tmp_path / "roomy")
    ledger = open_ledger(roomy)
    ledger.append_blocking(heartbeat())
    ledger.close()
    with open_reader(roomy) as reader:
        for receipt in receipts:
            assert reader.leaves(receipt.index, receipt.index + 1)[0].hex() == receipt.leaf_hex
    verify(roomy)


def test_a_clock_that_goes_back_is_recorded_as_it_was_and_counted(tmp_path: Path) -> None:
    clock = SetClock(at=dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    ledger = open_ledger(tmp_path, clock)
    clock.advance(60)
    ledger.append_blocking(heartbeat())
    clock.at = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    receipt = ledger.append_blocking(heartbeat())[0]
    assert receipt.at == clock.at
    ledger.close()
    assert verify(tmp_path).clock_steps == 1
    open_ledger(tmp_path, SetClock()).close()
    assert verify(tmp_path).clock_steps == 1


@pytest.mark.parametrize("cut", [1, 5, 30, 60, 100, 150])
def test_a_checkpoint_that_a_crash_cut_short_is_completed(tmp_path: Path, cut: int) -> None:
    fill(tmp_path, 6)
    path = tmp_path / "checkpoints.log"
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    tamper(tmp_path, "DELETE FROM checkpoints WHERE size = 6")
    verify(tmp_path)
    open_ledger(tmp_path).close()
    assert path.read_bytes() == data
    assert verify(tmp_path).signed_size == 6


def test_a_checkpoint_that_only_the_file_has_is_added_to_the_table(tmp_path: Path) -> None:
    fill(tmp_path, 6)
    tamper(tmp_path, "DELETE FROM checkpoints WHERE size = 6")
    verify(tmp_path)
    open_ledger(tmp_path).close()
    assert verify(tmp_path).checkpoints == 3


def test_records_after_the_last_checkpoint_are_signed_at_the_next_start(tmp_path: Path) -> None:
    fault = FailsAt("INSERT INTO checkpoints")
    ledger = open_ledger(tmp_path, connection_class=faulty(fault))
    ledger.append_blocking(heartbeat())
    fault.armed = True
    ledger.close()
    ledger = open_ledger(tmp_path)
    assert ledger.previous.size == 2
    ledger.close()
    assert verify(tmp_path).unsigned == 0


@pytest.mark.parametrize("kept", [0, 10, 40])
def test_a_checkpoint_of_which_a_power_cut_left_zeros_is_written_again(tmp_path: Path, kept: int) -> None:
    ledger = open_ledger(tmp_path)
    ledger.append_blocking(heartbeat())
    ledger.close()
    log = tmp_path / "checkpoints.log"
    whole = log.read_bytes()
    last = list(checkpoints.read_notes(log))[-1]
    start = whole.rindex(last)
    log.write_bytes(whole[: start + kept] + bytes(len(whole) - start - kept))
    tamper(tmp_path, "DELETE FROM checkpoints WHERE size = 2")
    ledger = open_ledger(tmp_path)
    ledger.append_blocking(heartbeat(1))
    ledger.close()
    assert verify(tmp_path).unsigned == 0
    # Appended, never rewritten: the zeros are still there.
    assert log.read_bytes().startswith(whole[: start + kept] + bytes(8))
