"""Whole packages of real ledgers: erased payloads, changes of keys, exports, samples, what outsiders say."""

import csv
import dataclasses
import hashlib
import io
import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.evidence.forge import Files, pack, payload_lines, resigned, unpack
from tests.evidence.world import BOT, MAYA, ORIGIN, World, beat

from holdfast.evidence.build import Wanted, build
from holdfast.evidence.commands.main import main
from holdfast.evidence.making.period import Period, parse_time
from holdfast.evidence.proofs import samples
from holdfast.evidence.verify import Exit, Verification, verify
from holdfast.jsontext import JsonObject
from holdfast.ledger import note
from holdfast.ledger.reader import open_reader

UNTIL_NINE = Period(None, parse_time("2026-11-20T08:59:00Z"))


def sentence(result: Verification, step_id: str) -> str:
    return next(step.sentence for step in result.steps if step.id == step_id)


def table(files: Files, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"reports/{name}.csv"].decode(), newline="")))


def commitment_of(world: World, index: int) -> str:
    with open_reader(world.folder) as reader:
        return str(json.loads(reader.record(index))["req"]["c"])


def erase(world: World, index: int) -> str:
    commitment = commitment_of(world, index)
    operator: JsonObject = {"uid": 1000, "name": "dpo"}
    world.ledger.erase_blocking([commitment], basis="request", reason="ticket DPO-7", operator=operator)
    return commitment


ENGINE: JsonObject = {
    "scan": "none",
    "versions": {"presidio-analyzer": "2.2.366", "phonenumbers": "9.0.43", "spacy": "3.8.18"},
    "model": {"name": "en_names", "version": "1.2.3"},
}
SAID = "none: phonenumbers 9.0.43, presidio-analyzer 2.2.366, spacy 3.8.18, model en_names 1.2.3"


def test_a_package_says_with_which_engine_masking_finds(world: World, tmp_path: Path) -> None:
    world.load_rules(engine=ENGINE)
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    files = unpack(tmp_path / "out.zip")
    scope = [row["value"] for row in table(files, "01-scope") if row["item"] == "engine that masking finds with"]
    assert scope == [SAID]
    assert any(SAID in data.decode("utf-8", "replace") for name, data in files.items() if name.endswith("README.html"))
    assert verify(tmp_path / "out.zip", [world.keys.verifier]).exit == Exit.VERIFIED


def test_a_package_of_records_without_an_engine_verifies_and_names_none(world: World, tmp_path: Path) -> None:
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    assert not [row for row in table(unpack(tmp_path / "out.zip"), "01-scope") if "masking finds" in row["item"]]
    assert verify(tmp_path / "out.zip", [world.keys.verifier]).exit == Exit.VERIFIED


def test_an_erased_payload_is_named_with_who_when_and_why(world: World, tmp_path: Path) -> None:
    index = world.read(MAYA)
    commitment = erase(world, index)
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    files = unpack(tmp_path / "out.zip")
    (row,) = (row for row in table(files, "10-log-access") if row["kind"] == "erasure")
    assert (row["what"], row["by"], row["basis"], row["reason"], row["concerns_records"]) == (
        commitment, "uid 1000 (dpo)", "request", "ticket DPO-7", str(index),
    )  # fmt: skip
    erased = json.loads(payload_lines(files)[0])
    assert erased == {"c": commitment, "erased": int(row["index"])}
    result = verify(tmp_path / "out.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline
    assert "1 were erased, as Records say" in sentence(result, "V9")


def test_an_erasure_after_the_range_comes_along_with_its_proof(world: World, tmp_path: Path) -> None:
    index = world.read(MAYA)
    world.ledger.publish_blocking()
    beat(world, 120)
    erase(world, index)
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip", period=UNTIL_NINE)
    files = unpack(tmp_path / "out.zip")
    (name,) = (name for name in files if name.startswith("ledger/later/") and name.endswith(".json"))
    result = verify(tmp_path / "out.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline
    assert "(1 after the range)" in sentence(result, "V9")
    without = {key: data for key, data in files.items() if not key.startswith("ledger/later/")}
    broken = pack(resigned(without, world.keys.ledger, ORIGIN), tmp_path / "broken.zip")
    assert "does not erase it" in sentence(verify(broken, [world.keys.verifier]), "V9")
    proof = name.replace(".json", ".tlog-proof")
    forged = files | {proof: files[proof].replace(b"index ", b"index 1", 1)}
    broken = pack(resigned(forged, world.keys.ledger, ORIGIN), tmp_path / "forged.zip")
    assert verify(broken, [world.keys.verifier]).headline.startswith(f"V9: {name}")


@pytest.mark.parametrize("when", ["before the range ends", "after the range"])
def test_a_package_across_a_rotation_verifies_with_the_old_key_and_with_the_new(
    world: World, tmp_path: Path, when: str
) -> None:
    old = world.ledger.verifier()
    world.read(MAYA)
    world.ledger.publish_blocking()
    if when == "after the range":
        beat(world, 120)
    new = world.ledger.rotate_blocking(overlap_s=0, reason="yearly", operator={"uid": 1000})
    world.read(BOT)
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip", period=UNTIL_NINE if when == "after the range" else None)
    for key in (old, new):
        result = verify(tmp_path / "out.zip", [key])
        assert result.exit == Exit.VERIFIED, result.headline
    stranger = Ed25519PrivateKey.from_private_bytes(b"8" * 32).public_key().public_bytes_raw()
    result = verify(tmp_path / "out.zip", [note.VerifierKey(ORIGIN, stranger)])
    assert result.exit == Exit.TAMPERED
    assert "has never signed" in result.headline
    if when == "before the range ends":
        kinds = {row["kind"] for row in table(unpack(tmp_path / "out.zip"), "10-log-access")}
        assert "key rotation" in kinds
        keys = [row for row in table(unpack(tmp_path / "out.zip"), "08-changes") if row["kind"] == "ledger key"]
        assert [(row["digest"], row["previous_digest"]) for row in keys] == [(new.to_text(), old.to_text())]


def test_an_export_is_recorded_before_the_package_has_its_name(world: World, tmp_path: Path) -> None:
    world.read(MAYA)
    world.ledger.close()
    out = tmp_path / "out.zip"
    arguments = ["build", "--data", str(world.folder), "--out", str(out), "--reason", "audit 2026"]
    assert main(arguments) == 0
    with open_reader(world.folder) as reader:
        entry = json.loads(reader.record(reader.size() - 1))
    assert entry["typ"] == "evidence.exported"
    assert entry["reason"] == "audit 2026"
    assert entry["export"]["digest"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert entry["export"]["bytes"] == out.stat().st_size
    assert entry["export"]["size"] == entry["n"]
    assert main(["build", "--data", str(world.folder), "--out", str(tmp_path / "next.zip")]) == 0
    (row,) = (row for row in table(unpack(tmp_path / "next.zip"), "10-log-access") if row["kind"] == "export")
    assert entry["export"]["digest"] in row["what"]


def test_an_export_that_cannot_be_recorded_leaves_no_package(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The ledger is open in this process, and no gateway answers on its socket.
    assert main(["build", "--data", str(world.folder), "--out", str(tmp_path / "out.zip")]) == Exit.UNVERIFIABLE
    world.ledger.close()
    assert "ledger" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_export_from_a_copy_is_not_recorded_and_says_so(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.read(MAYA)
    world.ledger.close()
    shutil.copytree(world.folder, tmp_path / "copy")
    before = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir() if path.is_file()}
    arguments = ["build", "--data", str(tmp_path / "copy"), "--out", str(tmp_path / "out.zip"), "--unrecorded"]
    assert main(arguments) == 0
    assert "NOT recorded" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir() if path.name in before} == before
    assert verify(tmp_path / "out.zip", [world.keys.verifier]).exit == Exit.VERIFIED


def test_the_same_range_gives_the_same_bytes_whatever_came_after_it(world: World, tmp_path: Path) -> None:
    world.read(MAYA)
    world.ledger.publish_blocking()
    beat(world, 120)
    world.ledger.close()
    wanted = Wanted(UNTIL_NINE, ("", "2026-11-20T08:59:00Z"), sample_count=3, nonce="n")
    build(world.folder, tmp_path / "one.zip", wanted=wanted, record=True)
    build(world.folder, tmp_path / "two.zip", wanted=wanted, record=True)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_samples_other_than_those_that_the_nonce_draws_are_found(world: World, tmp_path: Path) -> None:
    for _ in range(6):
        world.read(MAYA)
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip", wanted=Wanted(sample_count=3, nonce="dice"))
    files = unpack(tmp_path / "out.zip")
    assert "3 samples of 15 Records" in sentence(verify(tmp_path / "out.zip", [world.keys.verifier]), "V13")
    selection = samples.parse_selection(files[samples.SELECTION_FILE])
    first, *rest = selection.chosen
    other = next(index for index in range(15) if index not in selection.chosen)
    forged = files | {samples.SELECTION_FILE: dataclasses.replace(selection, chosen=(other, *rest)).as_json()}
    assert first != other
    broken = pack(resigned(forged, world.keys.ledger, ORIGIN), tmp_path / "forged.zip")
    result = verify(broken, [world.keys.verifier])
    assert result.exit == Exit.TAMPERED
    assert sentence(result, "V13") == "samples/selection.json: the seed draws other samples than these"
