import shutil
from pathlib import Path

import pytest
from tests.ledger.crashing import drive
from tests.ledger.ledgers import FailsAt, faulty, fill, heartbeat, keys_in, open_ledger, tamper
from tests.ledger.rotations import DAY_S, ids, last, rotate, signers

from holdfast.clock import SetClock
from holdfast.errors import LedgerError, SettingsError
from holdfast.ledger import checkpoints
from holdfast.ledger.keys import open_keys
from holdfast.ledger.verify import verify


def test_a_key_that_cannot_be_written_is_no_fault_of_the_ledger(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    (tmp_path / "keys" / "next.pem.new").mkdir()  # in the way of the new key
    with pytest.raises(LedgerError, match="the old one goes on signing"):
        ledger.rotate_blocking(overlap_s=0, reason="due", operator=None)
    assert ledger.healthy()
    (tmp_path / "keys" / "next.pem.new").rmdir()
    ledger.rotate_blocking(overlap_s=0, reason="due", operator=None)
    ledger.close()
    assert verify(tmp_path).rotations == 1


@pytest.mark.parametrize(("kind", "overlap_s"), [("lose", DAY_S), ("error", 0)])
def test_a_rotation_that_a_fault_ends_anywhere_is_completed_or_never_was(
    tmp_path: Path, kind: str, overlap_s: int
) -> None:
    fill(tmp_path / "template", 6)
    outcomes = drive(tmp_path, kind, f"rotate-{overlap_s}")
    assert [one for one in outcomes if one["wrong"]] == []
    assert len(outcomes) > 25
    assert outcomes[-1]["ended"] == 0
    told = [any(line.startswith("rotated") for line in one["told"]) for one in outcomes]
    assert not told[0]
    assert told[-1]


@pytest.mark.parametrize("cut", [1, 2, 60, 110, 120, 200, 260])
def test_a_handover_that_a_crash_cut_short_is_completed_with_both_keys_though_the_time_is_over(
    tmp_path: Path, cut: int
) -> None:
    fill(tmp_path, 6)
    old, clock = keys_in(tmp_path).verifier, SetClock()
    new = rotate(tmp_path, 60, clock)
    path = tmp_path / checkpoints.FILE
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    tamper(tmp_path, "DELETE FROM checkpoints WHERE size = 7")
    clock.advance(DAY_S)
    open_ledger(tmp_path, clock).close()
    assert path.read_bytes() == data
    assert signers(last(tmp_path)) == ids(new, old)
    assert verify(tmp_path, old.to_text()).signed_size == 7


@pytest.mark.parametrize("cut", [1, 50, 110, 120])
def test_a_later_checkpoint_that_was_begun_with_both_keys_is_completed_with_both(tmp_path: Path, cut: int) -> None:
    old, clock = keys_in(tmp_path).verifier, SetClock()
    ledger = open_ledger(tmp_path, clock)
    new = ledger.rotate_blocking(overlap_s=60, reason="due", operator=None)
    ledger.append_blocking(heartbeat())
    ledger.close()
    path = tmp_path / checkpoints.FILE
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    tamper(tmp_path, "DELETE FROM checkpoints WHERE size = 3")
    clock.advance(DAY_S)
    open_ledger(tmp_path, clock).close()
    assert path.read_bytes() == data
    assert signers(last(tmp_path)) == ids(new, old)


def test_keys_from_before_the_rotation_cannot_go_on_with_the_ledger(tmp_path: Path) -> None:
    fill(tmp_path, 6)
    backup = shutil.copytree(tmp_path / "keys", tmp_path / "backup")
    rotate(tmp_path)
    shutil.rmtree(tmp_path / "keys")
    shutil.move(backup, tmp_path / "keys")
    with pytest.raises(LedgerError, match=r"hands over to a key that .* does not hold: restore keys/"):
        open_ledger(tmp_path)
    tamper(tmp_path, "INSERT INTO entries SELECT 7, entry, leaf FROM entries WHERE seq = 3")
    with pytest.raises(LedgerError, match=r"signed by a key of the ledger, .*, that keys/ does not hold"):
        open_ledger(tmp_path)


def test_a_start_compares_the_rotations_of_keys_with_those_of_the_records(tmp_path: Path) -> None:
    rotate(tmp_path)
    ledger = open_ledger(tmp_path)
    ledger.append_blocking(heartbeat())
    ledger.close()
    tamper(tmp_path, "UPDATE entries SET entry = (SELECT entry FROM entries WHERE seq = 2) WHERE seq = 1")
    with pytest.raises(LedgerError, match="record 1 is not the rotation that keys/ lists"):
        open_ledger(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [("rotations.jsonl", b"{}\n"), ("rotations.jsonl", b""), ("rotations.jsonl", b"\xff"), ("ledger.pem", None)],
)
def test_keys_that_do_not_fit_together_are_refused(tmp_path: Path, name: str, data: bytes | None) -> None:
    rotate(tmp_path)
    open_keys(tmp_path / "other", origin=None)
    path = tmp_path / "keys" / name
    path.write_bytes((tmp_path / "other" / "keys" / name).read_bytes() if data is None else data)
    with pytest.raises(SettingsError, match=r"rotations\.jsonl|hands over"):
        open_keys(tmp_path, origin=None)


def test_a_fault_after_the_record_stops_the_ledger_and_the_next_start_hands_over(tmp_path: Path) -> None:
    fault = FailsAt("INSERT INTO checkpoints")
    ledger = open_ledger(tmp_path, connection_class=faulty(fault))
    fault.armed = True
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.rotate_blocking(overlap_s=0, reason="due", operator=None)
    assert not ledger.healthy()
    ledger.close()
    open_ledger(tmp_path).close()
    assert verify(tmp_path).rotations == 1


def test_no_handover_is_signed_without_the_old_key(tmp_path: Path) -> None:
    fault = FailsAt("INSERT INTO checkpoints")
    ledger = open_ledger(tmp_path, connection_class=faulty(fault))
    fault.armed = True
    with pytest.raises(LedgerError):
        ledger.rotate_blocking(overlap_s=0, reason="due", operator=None)
    ledger.close()
    # What the fault left is the handover in the file alone; without it, one is owed.
    path = tmp_path / checkpoints.FILE
    first = checkpoints.split(path.read_bytes())[0][0]
    path.write_bytes(first + b"\n")
    (old,) = (tmp_path / "keys" / "old").glob("*.pem")
    old.rename(tmp_path / "aside")
    with pytest.raises(LedgerError, match=r"old/.*\.pem is missing, and must sign the checkpoint after record 1"):
        open_ledger(tmp_path)
    (tmp_path / "aside").rename(old)
    open_ledger(tmp_path).close()
    assert verify(tmp_path).rotations == 1
