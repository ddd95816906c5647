import asyncio
import json
import multiprocessing
from collections.abc import Sequence
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from tests.ledger.ledgers import (
    ORIGIN,
    bare_call,
    call,
    call_body,
    heartbeat,
    keys_in,
    open_ledger,
    used_call,
)

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import note, record, tree
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.reader import open_reader
from holdfast.ledger.store import Outcome, Work
from holdfast.ledger.verify import verify


def test_a_new_ledger_begins_with_its_genesis(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    assert (ledger.previous.size, ledger.previous.clean, ledger.previous.last_at) == (0, True, None)
    ledger.close()
    with open_reader(tmp_path) as reader:
        value = record.decode(reader.record(0))
        assert (value["typ"], value["gw"], value["log"]) == ("ledger.genesis", {"version": "0.0.1"}, ORIGIN)
        assert reader.size() == 1


async def test_append_returns_where_each_record_stands(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    first, second = await ledger.append(call("one"), heartbeat())
    assert (first.index, second.index) == (1, 2)
    with open_reader(tmp_path) as reader:
        entry = reader.record(1)
        assert tree.leaf_hash(entry).hex() == first.leaf_hex
        assert record.decode(entry)["id"] == first.id
    ledger.close()


async def test_a_record_commits_to_its_payload_which_can_be_read_back(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    receipt = (await ledger.append(call("<CREDIT_CARD>")))[0]
    ledger.close()
    with open_reader(tmp_path) as reader:
        value = record.decode(reader.record(receipt.index))
        ((name, member),) = record.commitments_in(value)
        assert (name, member["bytes"], member["ct"]) == ("req", 13, "application/json")
        commitment = member["c"]
        assert isinstance(commitment, str)
        found = reader.payload(commitment)
        assert found is not None
        content_type, key, data = found
        assert data == b"<CREDIT_CARD>"
        assert record.commit(key, content_type, data) == commitment
        assert reader.payload("hmac-sha256:" + "0" * 64) is None


async def test_a_status_beside_a_payload_is_kept(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    body: JsonObject = {"call": call_body()["call"], "ref": [0], "out": {"ok": True}, "res": {"http": 200}}
    receipt = (await ledger.append(Draft("reply", body, {"res": Payload("text/event-stream", b"data")})))[0]
    ledger.close()
    with open_reader(tmp_path) as reader:
        assert json.loads(reader.record(receipt.index))["res"]["http"] == 200
    assert body["res"] == {"http": 200}


async def test_the_same_draft_twice_makes_two_different_leaves(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    draft = call("same")
    first, second = await asyncio.gather(ledger.append(draft), ledger.append(draft))
    assert first[0].leaf_hex != second[0].leaf_hex
    ledger.close()
    assert verify(tmp_path).payloads == 2


async def test_many_appends_at_once_stand_in_one_unbroken_row(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    receipts = await asyncio.gather(*(ledger.append(call(str(number))) for number in range(700)))
    assert sorted(receipt.index for (receipt,) in receipts) == list(range(1, 701))
    ledger.close()
    assert verify(tmp_path).size == 701


async def test_an_approval_is_used_once_however_many_try_at_the_same_time(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    tries = [ledger.append(used_call()) for _ in range(20)] + [ledger.append(heartbeat()) for _ in range(20)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, LedgerError)]
    assert len(refused) == 19
    assert "used before" in str(refused[0])
    with pytest.raises(LedgerError, match="used before"):
        await ledger.append(used_call())
    assert (await ledger.append(used_call(use_no=1)))[0].index == 22
    ledger.close()
    assert verify(tmp_path).size == 23


async def test_an_approval_stays_used_after_a_restart(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    await ledger.append(used_call())
    ledger.close()
    ledger = open_ledger(tmp_path)
    with pytest.raises(LedgerError, match="used before"):
        await ledger.append(used_call())
    ledger.close()


async def test_drafts_of_one_append_stand_together_or_not_at_all(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with pytest.raises(LedgerError, match="used before"):
        await ledger.append(heartbeat(), used_call(), used_call())
    with pytest.raises(LedgerError, match="at most 16384"):
        await ledger.append(used_call(), bare_call(who={"iss": "i", "sub": "s", "groups": ["g" * 2000] * 10}))
    assert (await ledger.append(used_call()))[0].index == 1
    ledger.close()
    assert verify(tmp_path).size == 2


async def test_objects_are_kept_once_by_their_digest(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    digest = await ledger.put_object("application/yaml", b"version: 1\n")
    assert await ledger.put_object("application/yaml", b"version: 1\n") == digest
    ledger.close()
    with open_reader(tmp_path) as reader:
        assert reader.object(digest) == ("application/yaml", b"version: 1\n")
        assert reader.object("0" * 64) is None


async def test_the_head_is_signed_and_covers_everything_once_asked_for(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    await ledger.append(call(), call())
    head = await ledger.publish()
    key = keys_in(tmp_path).verifier
    assert note.open_checkpoint(head.note.encode(), key) == note.Checkpoint(ORIGIN, 3, head.root)
    assert ledger.head() == head
    ledger.close()


async def test_a_checkpoint_follows_within_a_second(tmp_path: Path) -> None:
    clock = SetClock()
    ledger = open_ledger(tmp_path, clock)
    for _ in range(5):
        clock.advance(1)
        receipt = (await ledger.append(heartbeat()))[0]
        # The writer looks at the clock after it has answered: what was answered a second ago is covered.
        assert ledger.head().size >= receipt.index - 1
    ledger.close()


async def test_closing_signs_what_is_left_and_refuses_what_comes_later(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    await ledger.append(heartbeat())
    ledger.close()
    ledger.close()
    assert not ledger.healthy()
    assert verify(tmp_path).unsigned == 0
    with pytest.raises(LedgerError, match="closed"):
        await ledger.append(heartbeat())


async def test_a_start_learns_whether_the_last_stop_was_clean(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    await ledger.append(Draft("ledger.stop", {}))
    root = (await ledger.publish()).root
    ledger.close()
    ledger = open_ledger(tmp_path)
    assert (ledger.previous.size, ledger.previous.clean, ledger.previous.root_hex) == (2, True, root.hex())
    await ledger.append(heartbeat())
    ledger.close()
    ledger = open_ledger(tmp_path)
    assert (ledger.previous.size, ledger.previous.clean) == (3, False)
    ledger.close()


def hold_open(directory: Path, is_open: Event, may_close: Event) -> None:
    ledger = open_ledger(directory)
    is_open.set()
    may_close.wait(30)
    ledger.close()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    keys_in(tmp_path)
    context = multiprocessing.get_context("spawn")
    is_open, may_close = context.Event(), context.Event()
    other = context.Process(target=hold_open, args=(tmp_path, is_open, may_close))
    other.start()
    assert is_open.wait(30)
    with pytest.raises(LedgerError, match="one ledger has one writer"):
        open_ledger(tmp_path)
    may_close.set()
    other.join(30)
    ledger = open_ledger(tmp_path)
    with pytest.raises(LedgerError, match="one ledger has one writer"):
        open_ledger(tmp_path)
    ledger.close()


async def test_appends_that_come_together_share_commits(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    groups: list[int] = []
    write = ledger._store.write

    def counted(group: Sequence[Work]) -> list[Outcome]:
        groups.append(len(group))
        return write(group)

    ledger._store.write = counted  # type: ignore[method-assign] # the real one is called
    await asyncio.gather(*(ledger.append(call(f"masked {number}")) for number in range(64)))
    assert sum(groups) == 64
    assert len(groups) < 16
    ledger.close()


async def test_one_caller_at_a_time_does_not_wait_for_others(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    await ledger.append(call())
    assert ledger._writer._alone_count > 0
    ledger.close()
