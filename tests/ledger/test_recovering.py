import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.ledger.crashing import drive
from tests.ledger.ledgers import (
    ORIGIN,
    FailsAt,
    faulty,
    fill,
    heartbeat,
    keys_in,
    open_ledger,
    tamper,
)

from holdfast.clock import SetClock
from holdfast.errors import LedgerError, SettingsError
from holdfast.jsontext import JsonObject
from holdfast.ledger import checkpoints, note
from holdfast.ledger.keeping import epochs
from holdfast.ledger.keeping.recovering import Recovered, loss, recover
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify

OPERATOR: JsonObject = {"uid": 1000, "name": "operator"}


def recovered(directory: Path, **more: bool) -> Recovered:
    return recover(directory, SetClock(), build={"version": "2"}, reason="disk lost", operator=OPERATOR, **more)


def genesis(directory: Path) -> dict[str, object]:
    with open_reader(directory) as reader:
        found: dict[str, object] = json.loads(reader.record(0))
    return found


def head(directory: Path) -> note.Checkpoint:
    last = checkpoints.read_tail(directory / checkpoints.FILE).last
    assert last is not None
    return note.parse_checkpoint(note.parse_note(last).text)


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name not in ("ledger.lock", epochs.MARKER_FILE)
    }


def remove(name: str) -> Callable[[Path], None]:
    return lambda directory: (directory / name).unlink()


def cut_log(directory: Path) -> None:
    path = directory / checkpoints.FILE
    path.write_bytes(path.read_bytes() + b"garbage")


def overwrite(directory: Path) -> None:
    (directory / "ledger.db").write_bytes(b"x" * 9000)


DAMAGES: dict[str, tuple[Callable[[Path], None], int | None, str]] = {
    "database lost": (remove("ledger.db"), 0, "ledger.db is missing"),
    "payloads lost": (remove("payload.db"), 12, "payload.db is missing"),
    "log lost": (remove("checkpoints.log"), 12, "checkpoints.log is missing or empty"),
    "rolled back": (lambda path: tamper(path, "DELETE FROM entries WHERE seq >= 7"), 7, "holds 7 Records, but"),
    "changed": (lambda path: tamper(path, "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 3"), 12, "was changed"),
    "overwritten": (overwrite, None, "SQLITE_NOTADB"),
    "other end of the log": (cut_log, 12, "no checkpoint of this ledger"),
    "signing key lost": (remove("keys/ledger.pem"), 12, "ledger.pem is missing"),
    "all keys lost": (lambda path: shutil.rmtree(path / "keys"), 12, "keys is missing"),
}


@pytest.mark.parametrize(("damage", "found", "fault"), DAMAGES.values(), ids=DAMAGES)
def test_a_ledger_that_does_not_open_goes_on_in_an_epoch_that_names_it(
    tmp_path: Path, damage: Callable[[Path], None], found: int | None, fault: str
) -> None:
    fill(tmp_path, 12)
    old, end = keys_in(tmp_path).verifier, head(tmp_path)
    damage(tmp_path)
    before = contents(tmp_path)
    outcome = recovered(tmp_path)
    assert fault in str(outcome.fault)
    assert any("masked content" in line for line in loss(outcome)) == ("payload.db" not in before)
    abandoned = {"log": ORIGIN, "size": 12, "root": end.root.hex()}
    if found is not None:
        abandoned["found"] = found
    if (outcome.kept / "keys").exists():
        abandoned["vkey"] = old.to_text()
    record = genesis(tmp_path)
    assert (record["abandoned"], record["reason"], record["operator"]) == (abandoned, "disk lost", OPERATOR)
    assert record["log"] == f"{ORIGIN}/2"
    assert {name: data for name, data in contents(outcome.kept).items() if name in before} == before
    # The gateway goes on without any other change.
    ledger = Ledger.open(tmp_path, open_keys(tmp_path, origin=None), SetClock(), build={"version": "2"})
    ledger.append_blocking(heartbeat())
    ledger.close()
    assert verify(tmp_path).size == 2
    assert keys_in_next(tmp_path) != old


def keys_in_next(directory: Path) -> note.VerifierKey:
    return open_keys(directory, origin=None).verifier


def test_masking_and_request_keys_stay_and_the_ledgers_key_does_not(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    before = keys_in(tmp_path)
    (tmp_path / "ledger.db").unlink()
    outcome = recovered(tmp_path)
    after = open_keys(tmp_path, origin=None)
    assert (after.masking, after.request) == (before.masking, before.request)
    assert after.verifier.public != before.verifier.public
    assert (outcome.origin, outcome.vkey, outcome.renewed) == (f"{ORIGIN}/2", after.verifier.to_text(), ())
    assert not any("is new" in line for line in loss(outcome))


def test_secrets_that_are_lost_too_are_made_anew_and_that_is_told(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    shutil.rmtree(tmp_path / "keys")
    outcome = recovered(tmp_path)
    assert outcome.renewed == ("masking.key", "request.key")
    assert sum("is new" in line for line in loss(outcome)) == 2
    assert any("nobody can vouch for it" in line for line in loss(outcome))


def test_a_whole_ledger_is_abandoned_only_when_that_is_said(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    before = contents(tmp_path)
    with pytest.raises(LedgerError, match="nothing to recover"):
        recovered(tmp_path)
    assert {name: data for name, data in contents(tmp_path).items() if name in before} == before
    outcome = recovered(tmp_path, even_if_whole=True)
    assert outcome.fault is None
    assert verify(outcome.kept).size == 5
    assert verify(outcome.kept, genesis(tmp_path)["abandoned"]["vkey"]).origin == ORIGIN  # type: ignore[index]


def test_what_a_crash_left_half_done_is_no_loss(tmp_path: Path) -> None:
    fault = FailsAt("INSERT INTO checkpoints")
    ledger = open_ledger(tmp_path, connection_class=faulty(fault))
    fault.armed = True
    with pytest.raises(LedgerError):
        ledger.rotate_blocking(overlap_s=0, reason="due", operator=None)
    ledger.close()
    path = tmp_path / checkpoints.FILE
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(LedgerError, match="nothing to recover"):
        recovered(tmp_path)


def test_a_ledger_that_is_open_is_not_recovered(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with pytest.raises(LedgerError, match="another process has the ledger"):
        recovered(tmp_path, even_if_whole=True)
    ledger.close()


@pytest.mark.parametrize("leave", [(), ("keys",), ("ledger.db", "payload.db", "keys")])
def test_nothing_is_begun_where_no_checkpoint_can_be_named(tmp_path: Path, leave: tuple[str, ...]) -> None:
    fill(tmp_path, 3)
    tamper(tmp_path, "DELETE FROM checkpoints")
    for path in tmp_path.iterdir():
        if path.name not in leave:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = contents(tmp_path)
    with pytest.raises(LedgerError, match="nothing that a new one could name"):
        recovered(tmp_path)
    assert {name: data for name, data in contents(tmp_path).items() if name in before} == before
    assert not (tmp_path / epochs.PENDING_FILE).exists()


def test_an_abandoned_ledger_is_read_and_verified_and_never_continued(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    kept = recovered(tmp_path, even_if_whole=True).kept
    with open_reader(kept) as reader:
        assert len(list(reader.records())) == 5
    with pytest.raises(LedgerError, match="was abandoned"):
        open_ledger(kept)
    with pytest.raises(LedgerError, match="no ledger that could go on"):
        recovered(kept, even_if_whole=True)
    assert json.loads((kept / epochs.MARKER_FILE).read_bytes())["successor"] == f"{ORIGIN}/2"


def test_epochs_are_counted_and_each_names_the_one_before(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    for number in (2, 3, 4):
        (tmp_path / "ledger.db").unlink()
        outcome = recovered(tmp_path)
        assert outcome.origin == f"{ORIGIN}/{number}"
        assert outcome.kept.name == str(number - 1)
    abandoned = genesis(tmp_path)["abandoned"]
    assert isinstance(abandoned, dict)
    assert abandoned["log"] == f"{ORIGIN}/3"
    assert sorted(path.name for path in (tmp_path / "abandoned").iterdir()) == ["1", "2", "3"]


def test_the_old_origin_as_an_option_gets_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    recovered(tmp_path, even_if_whole=True)
    with pytest.raises(SettingsError, match=f"leave the option out, or set holdfast_origin={ORIGIN}/2"):
        open_keys(tmp_path, origin=ORIGIN)
    assert open_keys(tmp_path, origin=f"{ORIGIN}/2").origin == f"{ORIGIN}/2"


def test_holds_and_outside_signatures_go_with_the_ledger_they_belong_to(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    for name in ("desk.db", "desk.db-wal", "witness.db", "erase.pending"):
        (tmp_path / name).write_bytes(name.encode())
    kept = recovered(tmp_path, even_if_whole=True).kept
    for name in ("desk.db", "desk.db-wal", "witness.db", "erase.pending"):
        assert (kept / name).read_bytes() == name.encode()
        assert not (tmp_path / name).exists()


def test_a_checkpoint_that_a_retired_key_signed_is_not_the_head_that_is_named(tmp_path: Path) -> None:
    fill(tmp_path, 4)
    thief = keys_in(tmp_path)
    ledger = open_ledger(tmp_path)
    ledger.rotate_blocking(overlap_s=0, reason="due", operator=None)
    ledger.close()
    end = head(tmp_path)
    text = note.Checkpoint(ORIGIN, 900, bytes(32)).to_text()
    with (tmp_path / checkpoints.FILE).open("ab") as file:
        file.write(checkpoints.line_of(note.sign_note(text, thief.verifier, thief.ledger.sign).to_text()))
    outcome = recovered(tmp_path)
    abandoned = outcome.genesis["abandoned"]
    assert isinstance(abandoned, dict)
    assert (abandoned["size"], abandoned["root"]) == (end.size, end.root.hex())


LOSSES = [
    ({"size": 9, "found": 4}, "holds 4 Records: 5 signed Records are lost"),
    ({"size": 9, "found": 12}, "no signature covers the last 3 of them"),
    ({"size": 9, "found": 9}, "whether they are the signed ones, `verify` says"),
    ({"size": 9}, "how many of these Records are left is not known"),
]


@pytest.mark.parametrize(("abandoned", "sentence"), LOSSES)
def test_the_loss_is_stated_in_words(abandoned: dict[str, object], sentence: str) -> None:
    body = {"log": ORIGIN, "root": "0" * 64, **abandoned}
    told = loss(Recovered(f"{ORIGIN}/2", "", Path("kept"), {"abandoned": body}, (), None))  # type: ignore[dict-item]
    assert any(sentence in line for line in told)
    assert f"{ORIGIN} has ended. Its last checkpoint covers 9 Records." in told


@pytest.mark.parametrize("kind", ["lose", "error"])
def test_a_recovery_that_a_fault_ends_anywhere_is_completed_and_loses_nothing(tmp_path: Path, kind: str) -> None:
    template = tmp_path / "template"
    fill(template, 6)
    tamper(template, "DELETE FROM entries WHERE seq >= 4")
    outcomes = drive(tmp_path, kind, "recover")
    assert [one for one in outcomes if one["wrong"]] == []
    assert len(outcomes) > 40
    assert "recovered" in outcomes[-1]["told"]
