import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ledger.ledgers import fill, heartbeat, keys_in, open_ledger

from holdfast.errors import LedgerError
from holdfast.ledger import handover, tlogproof
from holdfast.ledger.handover import Handover
from holdfast.ledger.keyring import KeyRing
from holdfast.ledger.reader import open_reader


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rotated")
    fill(directory, 9)
    for _ in range(3):
        ledger = open_ledger(directory)
        # Without an overlap, since a change in the line of a signature that nobody needs is ignored.
        ledger.rotate_blocking(overlap_s=0, reason="due", operator=None)
        ledger.append_blocking(heartbeat(), heartbeat())
        ledger.close()
    return directory


@pytest.fixture(scope="module")
def ring(rotated: Path) -> KeyRing:
    return keys_in(rotated).ring


@pytest.fixture(scope="module")
def given(rotated: Path, ring: KeyRing) -> tuple[Handover, ...]:
    with open_reader(rotated) as reader:
        return tuple(handover.proofs(reader, ring))


@pytest.fixture
def files(given: tuple[Handover, ...]) -> dict[str, bytes]:
    return {name: data for one in given for name, data in one.files().items()}


def test_every_key_leads_to_every_other_without_the_records_between(given: tuple[Handover, ...], ring: KeyRing) -> None:
    assert [one.index for one in given] == [rotation.index for rotation in ring.rotations] == [9, 12, 15]
    for key in ring.keys:
        assert handover.ring_from(given, key) == ring


def test_a_ledger_that_kept_its_key_has_nothing_to_hand_over(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    key = keys_in(tmp_path).verifier
    with open_reader(tmp_path) as reader:
        assert list(handover.proofs(reader, keys_in(tmp_path).ring)) == []
    assert handover.ring_from((), key) == KeyRing(key)


def test_a_package_carries_two_files_for_each_rotation(files: dict[str, bytes], ring: KeyRing) -> None:
    assert set(files) == {f"{index:012d}{end}" for index in (9, 12, 15) for end in (".json", ".tlog-proof")}
    assert handover.ring_from_files(files, ring.first) == ring
    assert handover.ring_from_files(files, ring.last) == ring


def test_an_unknown_key_follows_nowhere(given: tuple[Handover, ...], tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="has never signed"):
        handover.ring_from(given, keys_in(tmp_path).verifier)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_changed_byte_in_any_file_breaks_the_chain(files: dict[str, bytes], ring: KeyRing) -> None:
    for name, data in files.items():
        for at in range(0, len(data), 17):
            with pytest.raises(LedgerError):
                handover.ring_from_files({**files, name: flipped(data, at)}, ring.last)


def without(*names: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {name: data for name, data in files.items() if name not in names}


def swapped(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, "000000000009.tlog-proof": files["000000000012.tlog-proof"]}


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "a rotation left out": (without("000000000012.json", "000000000012.tlog-proof"), "did not sign before it"),
    "the proof left out": (without("000000000012.tlog-proof"), "its Record and the proof"),
    "the Record left out": (without("000000000012.json"), "its Record and the proof"),
    "a foreign file": (lambda files: {**files, "README": b""}, "not a file of a rotation"),
    "another proof": (swapped, "of another Record"),
    "another spelling": (
        lambda files: (
            without("000000000009.json", "000000000009.tlog-proof")(files)
            | {f"0000000000009{end}": files[f"000000000009{end}"] for end in (".json", ".tlog-proof")}
        ),
        "of another Record",
    ),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_files_that_are_not_the_whole_chain_are_refused(
    files: dict[str, bytes], ring: KeyRing, change: Callable[[dict[str, bytes]], dict[str, bytes]], message: str
) -> None:
    with pytest.raises(LedgerError, match=message):
        handover.ring_from_files(change(files), ring.first)


def test_a_later_checkpoint_is_no_handover_of_an_earlier_rotation(rotated: Path, ring: KeyRing) -> None:
    with open_reader(rotated) as reader:
        given = list(handover.proofs(reader, ring))
        later = given[1].proof.checkpoint
        path = reader.inclusion(9, 13)
        given[0] = dataclasses.replace(given[0], proof=tlogproof.Proof(9, path, later))
    with pytest.raises(LedgerError, match=r"record 9: .* is not the handover"):
        handover.ring_from(given, ring.first)


def test_a_record_that_is_no_rotation_is_none(rotated: Path, given: tuple[Handover, ...], ring: KeyRing) -> None:
    with open_reader(rotated) as reader:
        wrong = Handover(reader.record(3), given[0].proof)
    with pytest.raises(LedgerError, match="record 9: is not the rotation"):
        handover.ring_from((wrong, *given[1:]), ring.first)
