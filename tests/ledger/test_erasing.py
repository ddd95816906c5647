import asyncio
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger.crashing_erase import secrets_of, traces
from tests.ledger.erasures import NEVER, erase, payloads_of, records
from tests.ledger.ledgers import (
    bare_call,
    call,
    call_body,
    open_ledger,
)

from holdfast.errors import LedgerError
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.keeping import pending
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify


def test_an_erasure_is_recorded_first_and_says_what_by_whom_and_why(folder: Path, ledger: Ledger) -> None:
    wanted = payloads_of(folder)[:2]
    indices = erase(ledger, *wanted, before="2026-01-01T00:00:00.000000Z", retention="a" * 64)
    assert indices == [16]
    last = records(folder)[16]
    assert (last["typ"], last["erased"], last["basis"], last["reason"]) == (
        "payload.erased",
        wanted,
        "request",
        "asked for",
    )
    assert (last["operator"], last["retention"]) == ({"uid": 7, "name": "ann"}, "a" * 64)
    assert ledger.head().size == 17  # signed before the payload went


def test_what_is_erased_is_in_no_file_of_the_data_folder_while_the_ledger_is_open_and_after(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    # Short ones share a page, long ones have pages of their own.
    for size in (40, 900, 5000, 70_000):
        ledger.append_blocking(call("first " + "x" * size + str(size)), call("second " + "y" * size + str(size)))
    known = secrets_of(tmp_path)
    gone = list(known)[::2]
    assert "payload.db" in traces(tmp_path, [known[gone[0]]]) or "payload.db-wal" in traces(tmp_path, [known[gone[0]]])
    erase(ledger, *gone)
    assert traces(tmp_path, [known[commitment] for commitment in gone]) == []
    assert (tmp_path / "payload.db-wal").stat().st_size == 0
    ledger.close()
    assert traces(tmp_path, [known[commitment] for commitment in gone]) == []
    assert secrets_of(tmp_path) == {commitment: known[commitment] for commitment in known if commitment not in gone}


def test_no_trace_is_left_where_many_small_payloads_are_erased_in_any_order(tmp_path: Path) -> None:
    # With DELETE, SQLite merges pages that run empty and leaves copies of their neighbours behind.
    chosen = random.Random(1)
    ledger = open_ledger(tmp_path)
    for _ in range(30):
        sizes = [chosen.randint(30, 1200) for _ in range(50)]
        ledger.append_blocking(*(call(chosen.randbytes(size).hex()[:size]) for size in sizes))
    known = secrets_of(tmp_path)
    order = list(known)
    chosen.shuffle(order)
    for start in range(0, 1000, 100):
        erase(ledger, *order[start : start + 100])
    assert traces(tmp_path, [known[commitment] for commitment in order[:1000]]) == []
    ledger.close()
    verified = verify(tmp_path)
    assert (verified.payloads, verified.erased, verified.unerased) == (500, 1000, 0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_erasing_any_payloads_leaves_every_checkpoint_valid_and_every_other_payload_openable(
    template: Path, tmp_path: Path, data: st.DataObject
) -> None:
    folder = shutil.copytree(template, tmp_path / "copy", dirs_exist_ok=True)
    known = secrets_of(folder)
    gone = data.draw(st.lists(st.sampled_from(list(known)), min_size=1, unique=True))
    parts = data.draw(st.integers(1, len(gone)))
    with open_reader(template) as reader:
        notes = list(reader.checkpoints())
    ledger = open_ledger(folder)
    for part in range(parts):
        if gone[part::parts]:
            erase(ledger, *gone[part::parts])
    ledger.close()
    verified = verify(folder, known=notes)
    assert (verified.erased, verified.payloads) == (len(gone), len(known) - len(gone))
    assert secrets_of(folder) == {commitment: known[commitment] for commitment in known if commitment not in gone}
    shutil.rmtree(folder)


def test_many_payloads_take_several_records_of_128(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for start in range(0, 1100, 100):
        ledger.append_blocking(*(call(f"masked {start + place}") for place in range(100)))
    assert len(erase(ledger, *payloads_of(tmp_path))) == 9
    ledger.close()
    assert [len(one["erased"]) for one in records(tmp_path) if one["typ"] == "payload.erased"] == [128] * 8 + [76]
    assert verify(tmp_path).erased == 1100


@pytest.mark.parametrize(
    ("choose", "more", "message"),
    [
        (lambda known: [NEVER], {}, "is of no payload in this ledger; nothing was erased"),
        (lambda known: [known[0], NEVER], {}, "is of no payload in this ledger"),
        (lambda known: [known[0], known[0]], {}, "named twice"),
        (lambda known: [], {}, "1 to 16384 payloads"),
        (lambda known: ["nonsense"], {}, "commitment 1: expected `hmac-sha256:`"),
        (lambda known: known[:1], {"reason": "x" * 501}, "1 to 500 characters"),
        (lambda known: known[:1], {"reason": ""}, "1 to 500 characters"),
        (lambda known: known[:1], {"basis": "a whim"}, "basis"),
        (lambda known: known[:1], {"before": "soon"}, "before"),
    ],
)
def test_what_cannot_be_erased_is_refused_and_nothing_is_recorded(
    folder: Path, ledger: Ledger, choose: Any, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(LedgerError, match=message):
        erase(ledger, *choose(payloads_of(folder)), **more)
    assert len(records(folder)) == 16
    assert not (folder / pending.FILE).exists()
    assert ledger.healthy()


def test_what_was_erased_is_not_erased_again(folder: Path, ledger: Ledger) -> None:
    first, second = payloads_of(folder)[:2]
    erase(ledger, first)
    with pytest.raises(LedgerError, match=f"{first} was erased before; nothing was erased"):
        erase(ledger, second, first)
    assert second in payloads_of(folder)


def test_a_payload_that_no_record_commits_to_is_not_erased(folder: Path, ledger: Ledger) -> None:
    # It is there where an append was refused after its payload had been committed.
    with sqlite3.connect(folder / "payload.db") as connection:
        connection.execute("INSERT INTO payloads VALUES (?, zeroblob(32), 'text/plain', x'01')", (NEVER,))
    connection.close()
    with pytest.raises(LedgerError, match=f"no Record commits to {NEVER}"):
        erase(ledger, NEVER)


async def test_of_two_that_erase_the_same_payload_one_is_refused(folder: Path, ledger: Ledger) -> None:
    wanted = payloads_of(folder)[0]
    both = (asyncio.to_thread(erase, ledger, wanted), asyncio.to_thread(erase, ledger, wanted))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {list, LedgerError}
    assert [one["erased"] for one in records(folder)[16:]] == [[wanted]]


async def test_appends_go_on_while_payloads_are_erased(folder: Path, ledger: Ledger) -> None:
    async def append() -> None:
        for number in range(40):
            await ledger.append(call(f"meanwhile {number}"), bare_call())

    async def erase_one_by_one() -> None:
        for commitment in payloads_of(folder):
            await asyncio.to_thread(erase, ledger, commitment)

    await asyncio.gather(append(), append(), erase_one_by_one())
    ledger.close()
    verified = verify(folder)
    assert (verified.erased, verified.payloads, verified.size) == (12, 80, 16 + 160 + 12)


def test_only_an_erasure_writes_that_a_payload_is_erased(ledger: Ledger) -> None:
    body: Any = {"erased": [NEVER], "basis": "request", "reason": "a trick"}
    with pytest.raises(LedgerError, match="written by an erasure"):
        ledger.append_blocking(Draft("payload.erased", body))


def test_payloads_of_a_text_type_keep_their_place_once_emptied(folder: Path, ledger: Ledger) -> None:
    receipt = ledger.append_blocking(Draft("call", call_body(), {"req": Payload("text/plain", b"")}))[0]
    commitment = str(records(folder)[receipt.index]["req"]["c"])
    with open_reader(folder) as reader:
        assert reader.payload(commitment) is not None  # an empty payload is not one that was erased
    erase(ledger, commitment)
    with open_reader(folder) as reader:
        assert reader.payload(commitment) is None
        assert reader.was_emptied(commitment)
