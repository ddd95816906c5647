"""Lies in packages that the ledger's own key signed, and packages made to break the verifier."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import Files, lines, pack, resigned, unpack
from tests.evidence.world import BOT, MAYA, ORIGIN, World, beat

from holdfast.errors import EvidenceError
from holdfast.evidence.build import Wanted, build
from holdfast.evidence.files import shelf
from holdfast.evidence.files.payloads import parse_line
from holdfast.evidence.files.withheld import Selection
from holdfast.evidence.making.period import Period, parse_time
from holdfast.evidence.verify import Exit, Verification, verify
from holdfast.jsontext import canonical, digest_hex
from holdfast.ledger import note
from holdfast.ledger.draft import Draft

COMMITMENT = "hmac-sha256:" + "0" * 64


def outcome(result: Verification, step_id: str) -> tuple[str, str]:
    return next((step.result, step.sentence) for step in result.steps if step.id == step_id)


def audited(files: Files, change: Callable[[Any], None]) -> Files:
    """The same with another AuditInfo.json."""
    body = json.loads(files["AuditInfo.json"])
    change(body)
    return files | {"AuditInfo.json": canonical(body) + b"\n"}


def forged(day: Day, tmp_path: Path, files: Files) -> Verification:
    return verify(pack(resigned(files, day.world.keys.ledger, ORIGIN), tmp_path / "forged.zip"), day.trust)


@pytest.mark.parametrize("size", [10**12, 2**63 - 1, 2**63, 10**30, 10**390])
def test_a_size_that_is_claimed_takes_no_memory(day: Day, tmp_path: Path, size: int) -> None:
    def claim(body: Any) -> None:
        body["end"]["size"] = body["records"]["count"] = size

    files = audited(unpack(day.package), claim)
    assert verify(pack(files, tmp_path / "huge.zip"), day.trust).exit == Exit.TAMPERED


@pytest.mark.parametrize("line", [b"[" + b"{}," * 2_000_000 + b"0]", b"{" + b'"":"",' * 1_000_000 + b'"":""}'])
def test_a_line_of_payloads_that_is_none_takes_little_memory(line: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(EvidenceError, match="not the one of this Record"):
            parse_line(line, COMMITMENT, 1)
        assert tracemalloc.get_traced_memory()[1] < len(line)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("first", [1, 1024])
def test_records_in_a_file_that_no_step_reads_are_found(day: Day, tmp_path: Path, first: int) -> None:
    files = unpack(day.package)
    name = shelf.file_name(first)
    result = forged(day, tmp_path, files | {name: shelf.pack(lines(files)[:3])})
    assert outcome(result, "V4") == ("fail", f"{name}: Records that are not of the range, or withheld")


@pytest.mark.parametrize("name", ["ledger/consistency/1-2.txt", "ledger/later/000000000099.tlog-proof"])
def test_a_proof_of_nothing_is_found(day: Day, tmp_path: Path, name: str) -> None:
    result = forged(day, tmp_path, unpack(day.package) | {name: b"AAAA\n"})
    assert outcome(result, "V9") == ("fail", f"{name}: proves nothing about this package")


def test_reports_that_claim_another_version_are_not_verified(day: Day, tmp_path: Path) -> None:
    files = audited(unpack(day.package), lambda body: body.update(built_with="99.0"))
    result = forged(day, tmp_path, files | {"README.html": b"all is well"})
    assert result.exit == Exit.UNVERIFIABLE
    assert "made with Holdfast 99.0" in result.headline


def test_rules_that_were_never_in_force_are_found(day: Day, tmp_path: Path) -> None:
    files = unpack(day.package)
    rules = {"access.yaml": json.loads(files["AuditInfo.json"])["rules"][day.world.rules]["access.yaml"]}
    files = audited(files, lambda body: body["rules"].update({digest_hex(dict(rules)): rules}))
    result = forged(day, tmp_path, files)
    assert outcome(result, "V10")[1].startswith("AuditInfo.json: no Record names rule set")


def test_records_that_are_withheld_without_a_word_are_found(day: Day, tmp_path: Path) -> None:
    wanted = Wanted(selection=Selection(((9, 12),)))
    build(day.world.folder, tmp_path / "cut.zip", wanted=wanted)
    files = audited(unpack(tmp_path / "cut.zip"), lambda body: body["asked"].update(selection=["withhold 9-10"]))
    result = forged(day, tmp_path, files)
    assert outcome(result, "V7") == (
        "fail",
        "ledger/withheld.txt: record 11 is withheld, and AuditInfo.json does not say so",
    )


def test_replies_that_are_missing_cannot_hide_behind_one_withheld_record(world: World, tmp_path: Path) -> None:
    calls = [world.call(world.base(MAYA, "get_customer"), {}) for _ in range(3)]
    hidden = [world.refuse("unauthenticated", "no token") for _ in range(2)]
    world.reopen(60)
    world.start(clean=False)
    world.read(BOT)
    world.ledger.close()
    wanted = Wanted(selection=Selection(((hidden[0], hidden[1]),)))
    build(world.folder, tmp_path / "cut.zip", wanted=wanted)
    result = verify(tmp_path / "cut.zip", [world.keys.verifier])
    assert outcome(result, "V8") == (
        "fail",
        f"record {calls[0]}: this call and 2 after it lack more ends than are withheld",
    )


def test_approvals_that_are_missing_cannot_hide_behind_one_withheld_record(world: World, tmp_path: Path) -> None:
    held = [world.hold(BOT, number) for number in range(2)]
    hidden = world.refuse("unauthenticated", "no token")
    held[0].go()
    second = held[1].go()
    world.ledger.close()
    build(world.folder, tmp_path / "cut.zip", wanted=Wanted(selection=Selection(((hidden, hidden),))))
    result = verify(tmp_path / "cut.zip", [world.keys.verifier])
    assert outcome(result, "V11") == ("fail", f"record {second}: went out with 0 approvals of 1")


def test_a_reply_to_no_call_is_found(world: World, tmp_path: Path) -> None:
    index = world.put(Draft("reply", {"call": world.uuid(), "ref": [], "out": {"ok": True}}))
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    result = verify(tmp_path / "out.zip", [world.keys.verifier])
    assert outcome(result, "V8") == ("fail", f"record {index}: ends a call that is not in the ledger")


def test_a_retired_key_signs_nothing_past_its_rotation(world: World, tmp_path: Path) -> None:
    """The thief of an old key goes on from the rotation, and leaves out what proves it."""
    old, thief = world.ledger.verifier(), world.keys.ledger
    world.ledger.rotate_blocking(overlap_s=0, reason="stolen", operator={"uid": 1000})
    world.ledger.close()
    build(world.folder, tmp_path / "out.zip")
    files = {n: data for n, data in unpack(tmp_path / "out.zip").items() if not n.startswith("ledger/rotations/")}
    files = audited(files, lambda body: body.update(key_id=old.key_id.hex()))
    text = note.parse_note(files["ledger/checkpoint.end"]).text
    files |= {"ledger/checkpoint.end": note.sign_note(text, old, thief.sign).to_text().encode()}
    result = verify(pack(resigned(files, thief, ORIGIN), tmp_path / "forged.zip"), [old])
    assert outcome(result, "V2")[0] == "pass"
    assert "changes the ledger's key, and ledger/rotations/ does not say so" in outcome(result, "V7")[1]


def test_a_history_that_a_rotation_does_not_extend_is_found_by_the_new_key(tmp_path: Path) -> None:
    """The thief of an old key rewrites what came before the rotation; whoever has the new key sees it."""
    until = Period(None, parse_time("2026-11-20T08:58:30Z"))
    worlds = [World(tmp_path / name) for name in ("true", "false")]
    for world, person in zip(worlds, (MAYA, BOT), strict=True):
        world.start()
        world.load_rules()
        world.read(person)
        world.ledger.publish_blocking()
    true, false = worlds
    false.ledger.close()
    thief, old = true.keys.ledger, true.ledger.verifier()
    beat(true, 180)
    new = true.ledger.rotate_blocking(overlap_s=0, reason="stolen", operator={"uid": 1000})
    true.ledger.close()
    build(true.folder, tmp_path / "true.zip", period=until)
    assert verify(tmp_path / "true.zip", [new]).exit == Exit.VERIFIED
    build(false.folder, tmp_path / "false.zip", period=until)
    kept = {n: d for n, d in unpack(tmp_path / "true.zip").items() if n.startswith(("ledger/rot", "ledger/cons"))}
    files = audited(unpack(tmp_path / "false.zip") | kept, lambda body: body.update(key_id=old.key_id.hex()))
    text = note.parse_note(files["ledger/checkpoint.end"]).text
    files |= {"ledger/checkpoint.end": note.sign_note(text, old, thief.sign).to_text().encode()}
    result = verify(pack(resigned(files, thief, ORIGIN), tmp_path / "forged.zip"), [new])
    assert outcome(result, "V4")[0] == "pass"
    assert "does not lead to both roots" in outcome(result, "V2")[1]
