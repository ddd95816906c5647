import asyncio
import concurrent.futures
import logging
import threading
from pathlib import Path

import pytest
from tests.ledger.ledgers import (
    FailsAt,
    call,
    call_body,
    faulty,
    heartbeat,
    keys_in,
    open_ledger,
)

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.verify import verify


async def test_the_loop_goes_on_while_the_disk_is_slow(tmp_path: Path) -> None:
    may_commit, is_committing = threading.Event(), threading.Event()
    may_commit.set()

    def slow_disk(sql: str) -> None:
        if sql == "COMMIT":
            is_committing.set()
            may_commit.wait(30)

    ledger = open_ledger(tmp_path, connection_class=faulty(slow_disk))
    may_commit.clear()
    is_committing.clear()
    waiting = asyncio.ensure_future(ledger.append(heartbeat()))
    await asyncio.to_thread(is_committing.wait, 30)
    rounds = 0
    for _ in range(100):
        await asyncio.sleep(0)
        rounds += 1
    assert rounds == 100
    assert not waiting.done()
    may_commit.set()
    assert (await waiting)[0].index == 1
    ledger.close()


async def test_a_caller_that_gives_up_disturbs_nobody(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    waiting = asyncio.ensure_future(ledger.append(heartbeat()))
    await asyncio.sleep(0)
    waiting.cancel()
    assert (await ledger.append(heartbeat()))[0].index in {1, 2}
    assert waiting.cancelled()
    ledger.close()
    verify(tmp_path)


def test_appends_come_from_several_loops_and_threads(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)

    def one_loop(_: int) -> int:
        return asyncio.run(ledger.append(heartbeat()))[0].index

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        indexes = [*pool.map(one_loop, range(8)), ledger.append_blocking(heartbeat())[0].index]
    assert sorted(indexes) == list(range(1, 10))
    ledger.close()


async def test_an_append_answers_after_the_commit_and_not_before(tmp_path: Path) -> None:
    seen: list[str] = []
    ledger = open_ledger(tmp_path, connection_class=faulty(seen.append))
    seen.clear()
    await ledger.append(call())
    commits = [index for index, sql in enumerate(seen) if sql == "COMMIT"]
    assert len(commits) == 2  # payload.db, then ledger.db
    assert seen.index("INSERT INTO entries VALUES (?, ?, ?)") > commits[0]
    ledger.close()


async def test_one_group_is_one_commit(tmp_path: Path) -> None:
    seen: list[str] = []
    ledger = open_ledger(tmp_path, connection_class=faulty(seen.append))
    seen.clear()
    await asyncio.gather(*(ledger.append(heartbeat()) for _ in range(200)))
    assert seen.count("COMMIT") <= 20
    ledger.close()


async def test_a_ledger_that_is_far_behind_refuses_rather_than_keeps_waiting(tmp_path: Path) -> None:
    may_commit = threading.Event()
    may_commit.set()

    def slow_disk(sql: str) -> None:
        if sql == "COMMIT":
            may_commit.wait(120)

    ledger = open_ledger(tmp_path, connection_class=faulty(slow_disk))
    may_commit.clear()
    big = Draft("call", call_body(), {"req": Payload("a/b", bytes(15 * 1024 * 1024))})
    waiting = [asyncio.ensure_future(ledger.append(big)) for _ in range(11)]
    await asyncio.sleep(0)
    with pytest.raises(LedgerError, match="behind"):
        await ledger.append(big)
    may_commit.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) >= 8
    ledger.close()


async def test_no_secret_and_no_content_shows_in_a_repr(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    for text in (repr(keys), repr(call("tell-tale", who={"iss": "i", "sub": "tell-tale"}))):
        assert "tell-tale" not in text
        assert repr(keys.masking) not in text


async def test_a_fault_is_logged_without_what_was_being_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fault = FailsAt("COMMIT")
    ledger = open_ledger(tmp_path, connection_class=faulty(fault))
    fault.armed = True
    with caplog.at_level(logging.DEBUG), pytest.raises(LedgerError, match="SQLITE_IOERR_FSYNC") as caught:
        await ledger.append(call("tell-tale"))
    ledger.close()
    assert "cannot be written" in caplog.text
    assert "tell-tale" not in caplog.text + str(caught.value)


def test_a_machine_that_has_run_for_longer_than_an_integer_counts_nanoseconds_goes_on(tmp_path: Path) -> None:
    clock = SetClock(ns=2**53 - 2)
    ledger = open_ledger(tmp_path, clock)
    clock.advance(1)
    ledger.append_blocking(heartbeat())
    clock.advance(105 * 24 * 3600)
    ledger.append_blocking(heartbeat())
    ledger.close()
    assert (verify(tmp_path).size, verify(tmp_path).starts) == (3, 3)
