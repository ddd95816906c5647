import datetime as dt
import json
import shutil
import threading
from pathlib import Path

import pytest
from tests.ledger.crashing import KEYS
from tests.ledger.ledgers import call, fill, heartbeat, keys_in, open_ledger, tamper
from tests.ledger.rotations import OPERATOR, files, ids, last, rotate, signers

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints, note
from holdfast.ledger.draft import Receipt
from holdfast.ledger.keeping.rotating import OVERLAP_S_MAX
from holdfast.ledger.keyring import KeyRing, rotations_in
from holdfast.ledger.keys import open_keys
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify


def test_a_rotation_is_a_record_that_names_both_keys_and_who_asked(tmp_path: Path) -> None:
    old = keys_in(tmp_path).verifier
    clock = SetClock(at=dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    new = rotate(tmp_path, 3600, clock)
    with open_reader(tmp_path) as reader:
        record = json.loads(reader.record(1))
    assert record["typ"] == "ledger.rotated"
    assert record["keys"] == {"old": old.to_text(), "new": new.to_text(), "until": "2026-05-01T01:00:00.000000Z"}
    assert (record["reason"], record["operator"]) == ("due", OPERATOR)


def test_the_new_key_signs_from_then_on_and_the_old_one_beside_it_until_its_time_is_over(tmp_path: Path) -> None:
    old, clock = keys_in(tmp_path).verifier, SetClock()
    ledger = open_ledger(tmp_path, clock)
    new = ledger.rotate_blocking(overlap_s=3600, reason="due", operator=None)
    assert signers(ledger.head().note.encode()) == ids(new, old)
    clock.advance(3599)
    ledger.append_blocking(heartbeat())
    assert signers(ledger.publish_blocking().note.encode()) == ids(new, old)
    assert f"old/{old.key_id.hex()}.pem" in files(tmp_path)
    clock.advance(1)
    ledger.append_blocking(heartbeat())
    assert signers(ledger.publish_blocking().note.encode()) == ids(new)
    assert files(tmp_path) == KEYS | {"rotations.jsonl", f"old/{old.key_id.hex()}.vkey"}
    ledger.close()
    assert verify(tmp_path).rotations == 1


def test_a_start_after_the_overlap_removes_the_old_private_key(tmp_path: Path) -> None:
    clock = SetClock()
    rotate(tmp_path, 60, clock)
    assert any(name.endswith(".pem") for name in files(tmp_path) if name.startswith("old/"))
    clock.advance(61)
    open_ledger(tmp_path, clock).close()
    assert not any(name.endswith(".pem") for name in files(tmp_path) if name.startswith("old/"))


def test_the_handover_carries_both_signatures_even_without_an_overlap(tmp_path: Path) -> None:
    old = keys_in(tmp_path).verifier
    new = rotate(tmp_path, 0)
    assert signers(last(tmp_path)) == ids(new, old)
    assert files(tmp_path) == KEYS | {"rotations.jsonl", f"old/{old.key_id.hex()}.vkey"}


def test_two_rotations_in_a_row_have_two_handovers_and_every_key_keeps_its_time(tmp_path: Path) -> None:
    first, clock = keys_in(tmp_path).verifier, SetClock()
    second = rotate(tmp_path, 7200, clock)
    third = rotate(tmp_path, 3600, clock)
    assert signers(last(tmp_path)) == ids(third, second, first)
    clock.advance(3600)
    ledger = open_ledger(tmp_path, clock)
    ledger.append_blocking(heartbeat())
    assert signers(ledger.publish_blocking().note.encode()) == ids(third, first)
    ledger.close()
    for key in (first, second, third):
        assert verify(tmp_path, key.to_text()).vkey == third.to_text()


def test_keys_after_a_rotation_are_the_same_for_whoever_opens_them(tmp_path: Path) -> None:
    before = keys_in(tmp_path)
    ledger = open_ledger(tmp_path)
    new = ledger.rotate_blocking(overlap_s=60, reason="due", operator=None)
    assert ledger.keys.ring == open_keys(tmp_path, origin=None).ring
    ledger.close()
    after = keys_in(tmp_path)
    assert after.ring.keys == (before.verifier, new)
    assert (after.masking, after.request, after.origin) == (before.masking, before.request, before.origin)
    folder = tmp_path / "keys"
    assert (folder / "ledger.vkey").read_text() == new.to_text() + "\n"
    assert (folder / "old" / f"{before.verifier.key_id.hex()}.vkey").read_text() == before.verifier.to_text() + "\n"
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*")} == {0o600, 0o700}


def test_appends_from_threads_go_on_while_keys_change_under_them(tmp_path: Path) -> None:
    fill(tmp_path, 4)
    first = keys_in(tmp_path).verifier
    ledger = open_ledger(tmp_path)
    receipts: list[Receipt] = []
    stop = threading.Event()

    def append() -> None:
        while not stop.is_set():
            receipts.extend(ledger.append_blocking(call("under load")))

    threads = [threading.Thread(target=append) for _ in range(6)]
    for thread in threads:
        thread.start()
    keys = [ledger.rotate_blocking(overlap_s=60 * (number % 2), reason="due", operator=None) for number in range(5)]
    stop.set()
    for thread in threads:
        thread.join()
    ledger.close()
    assert len({receipt.index for receipt in receipts}) == len(receipts) > 5
    with open_reader(tmp_path) as reader:
        for receipt in receipts:
            assert reader.leaves(receipt.index, receipt.index + 1)[0].hex() == receipt.leaf_hex
    for key in (first, *keys):
        assert verify(tmp_path, key.to_text()).rotations == 5


@pytest.mark.parametrize(
    ("overlap_s", "reason"), [(-1, "due"), (OVERLAP_S_MAX + 1, "due"), (60, "x" * 3000), (60, "\ud800")]
)
def test_a_rotation_that_cannot_be_recorded_changes_nothing(tmp_path: Path, overlap_s: int, reason: str) -> None:
    old = keys_in(tmp_path).verifier
    ledger = open_ledger(tmp_path)
    with pytest.raises(LedgerError):
        ledger.rotate_blocking(overlap_s=overlap_s, reason=reason, operator=None)
    ledger.append_blocking(heartbeat())
    assert signers(ledger.publish_blocking().note.encode()) == ids(old)
    ledger.close()
    open_ledger(tmp_path).close()
    assert files(tmp_path) == KEYS
    assert verify(tmp_path).rotations == 0


def test_a_handover_that_the_old_key_did_not_sign_does_not_verify(tmp_path: Path) -> None:
    fill(tmp_path, 6)
    rotate(tmp_path, 0)
    path = tmp_path / checkpoints.FILE
    lines = path.read_bytes().decode().split("\n")
    text = "\n".join([*lines[:-3], "", ""])  # without the last signature
    path.write_text(text)
    tamper(tmp_path, f"UPDATE checkpoints SET note = '{checkpoints.read_tail(path).last.decode()}' WHERE size = 7")  # type: ignore[union-attr]
    with pytest.raises(LedgerError, match="lacks the old key's signature"):
        verify(tmp_path)
    with pytest.raises(LedgerError, match="lacks the old key's signature"):
        open_ledger(tmp_path)


def test_a_stolen_old_key_signs_nothing_past_the_handover_that_verifies(tmp_path: Path) -> None:
    fill(tmp_path, 6)
    thief = keys_in(tmp_path)
    new = rotate(tmp_path, 0)
    ledger = open_ledger(tmp_path)
    ledger.append_blocking(heartbeat())
    ledger.close()
    genuine = last(tmp_path)
    checkpoint = note.parse_checkpoint(note.parse_note(genuine).text)
    signed = note.sign_note(checkpoint.to_text(), thief.verifier, thief.ledger.sign).to_text()
    path = tmp_path / checkpoints.FILE
    path.write_bytes(path.read_bytes().replace(genuine, signed.encode()))
    tamper(tmp_path, f"UPDATE checkpoints SET note = '{signed}' WHERE size = 8")
    for vkey in (thief.verifier, new):
        with pytest.raises(LedgerError, match=f"the key {new.key_id.hex()}, which signs at size 8, has not"):
            verify(tmp_path, vkey.to_text())


def test_a_fork_that_a_stolen_old_key_signs_is_refused_by_whoever_has_the_new_key_or_a_later_checkpoint(
    tmp_path: Path,
) -> None:
    fill(tmp_path, 6)
    fork = shutil.copytree(tmp_path, tmp_path.with_name("fork"))
    old, new = keys_in(tmp_path).verifier, rotate(tmp_path, 0)
    known = last(tmp_path)
    # The thief goes on as if there had been no rotation, and hands over to a key of their own.
    ledger = open_ledger(fork)
    ledger.append_blocking(heartbeat(), heartbeat(), heartbeat())
    mine = ledger.rotate_blocking(overlap_s=0, reason="mine", operator=None)
    ledger.close()
    assert verify(fork, old.to_text()).vkey == mine.to_text()  # the old key alone cannot tell the two apart
    with pytest.raises(LedgerError, match="has never signed this ledger"):
        verify(fork, new.to_text())
    with pytest.raises(LedgerError, match="the checkpoint of size 7 is not that of the Records"):
        verify(fork, old.to_text(), [known])


def test_the_ring_of_the_records_is_that_of_keys(tmp_path: Path) -> None:
    rotate(tmp_path)
    rotate(tmp_path, 0)
    with open_reader(tmp_path) as reader:
        ring = KeyRing.of(rotations_in(reader.records()), keys_in(tmp_path).verifier)
    assert ring == keys_in(tmp_path).ring
