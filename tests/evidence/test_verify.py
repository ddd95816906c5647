import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.evidence.conftest import Day
from tests.evidence.forge import (
    Files,
    edited,
    lines,
    pack,
    payload_lines,
    resigned,
    unpack,
    with_lines,
    with_payload_lines,
    with_sums,
)
from tests.evidence.world import ORIGIN, World, beat

from holdfast.errors import EvidenceError
from holdfast.evidence.build import build
from holdfast.evidence.files.container import Package
from holdfast.evidence.making.period import Period, parse_time
from holdfast.evidence.verify import Exit, Verification, verify
from holdfast.ledger.note import VerifierKey

CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "changed": lambda all_: [*all_[:9], edited(all_[9], ts="2026-11-20T09:00:00.000001Z"), *all_[10:]],
    "removed": lambda all_: all_[:9] + all_[10:],
    "truncated": lambda all_: all_[:-3],
    "added": lambda all_: [*all_, edited(all_[-1], n=len(all_))],
    "inserted": lambda all_: [*all_[:9], all_[9], *all_[9:]],
    "moved": lambda all_: [*all_[:9], all_[10], all_[9], *all_[11:]],
    "renumbered": lambda all_: [
        *all_[:9],
        *(edited(line, n=index) for index, line in enumerate(all_[10:], 9)),
    ],
}


def step(result: Verification, step_id: str) -> tuple[str, str]:
    found = next(item for item in result.steps if item.id == step_id)
    return found.result, found.sentence


def test_a_package_verifies_with_the_key_from_outside(day: Day) -> None:
    result = verify(day.package, day.trust)
    assert result.exit == Exit.VERIFIED, result.headline
    assert [item.id for item in result.steps] == [f"V{number}" for number in range(1, 14)]
    assert [item.id for item in result.steps if item.result != "pass"] == ["V6"]


def test_without_a_key_a_package_is_self_consistent_at_most(day: Day) -> None:
    result = verify(day.package, None)
    assert result.exit == Exit.UNVERIFIABLE
    assert result.headline.startswith("self-consistent")


def test_a_key_of_another_ledger_verifies_nothing(day: Day) -> None:
    public = Ed25519PrivateKey.from_private_bytes(b"7" * 32).public_key().public_bytes_raw()
    same_name = verify(day.package, [VerifierKey(ORIGIN, public)])
    assert same_name.exit == Exit.TAMPERED
    assert "MANIFEST.dsse.json" in same_name.headline
    assert verify(day.package, [VerifierKey("other.example/log", public)]).exit == Exit.TAMPERED


def test_the_same_ledger_gives_the_same_bytes(day: Day, tmp_path: Path) -> None:
    build(day.world.folder, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == day.package.read_bytes()


def test_a_changed_byte_of_any_file_header_and_directory_is_found(day: Day, copy: Path) -> None:
    whole = day.package.read_bytes()
    with day.package.open("rb") as file:
        package = Package(file)
        members = [package.member(name) for name in package.names()]
    chosen = random.Random(20261122)
    places = [member.offset + chosen.randrange(member.size) for member in members if member.size]
    places += [member.offset - chosen.randrange(1, 30) for member in members]
    places += [len(whole) - chosen.randrange(1, 3000) for _ in range(20)] + [0, len(whole) - 1]
    for place in places:
        assert exit_after_change(whole, place, 1 << chosen.randrange(8), copy, day) != Exit.VERIFIED, place


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_is_found(day: Day, copy: Path, data: st.DataObject) -> None:
    whole = day.package.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    assert exit_after_change(whole, place, data.draw(st.integers(1, 255)), copy, day) != Exit.VERIFIED


def exit_after_change(whole: bytes, place: int, difference: int, copy: Path, day: Day) -> Exit:
    broken = bytearray(whole)
    broken[place] ^= difference
    copy.write_bytes(broken)
    return verify(copy, day.trust).exit


def test_every_file_that_is_changed_is_named(day: Day, tmp_path: Path) -> None:
    files = unpack(day.package)
    for name in files:
        changed = files | {name: files[name] + b" "}
        forged = changed if name.startswith("SHA256SUMS") else with_sums(changed)
        result = verify(pack(forged, tmp_path / "forged.zip"), day.trust)
        assert result.exit == Exit.TAMPERED
        assert name in result.headline, result.headline


@pytest.mark.parametrize("change", CHANGES)
def test_records_cannot_be_changed_without_the_key(day: Day, tmp_path: Path, change: str) -> None:
    forged = with_sums(with_lines(unpack(day.package), CHANGES[change]))
    result = verify(pack(forged, tmp_path / "forged.zip"), day.trust)
    assert result.exit == Exit.TAMPERED
    assert step(result, "V1")[0] == "fail"
    assert step(result, "V4")[0] == "fail"


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_signs_the_manifest_anew_still_cannot_change_records(day: Day, tmp_path: Path, change: str) -> None:
    # The manifest alone re-signed with the ledger's key: the checkpoints still hold the Records.
    files = with_lines(unpack(day.package), CHANGES[change])
    forged = resigned(files, day.world.keys.ledger, ORIGIN)
    result = verify(pack(forged, tmp_path / "forged.zip"), day.trust)
    assert result.exit == Exit.TAMPERED
    assert result.headline.startswith("V4"), result.headline


def test_a_file_that_nobody_signed_for_is_found(day: Day, tmp_path: Path) -> None:
    for name in ("extra.txt", "payloads/payloads-000000001024.jsonl.gz", "reports/02-more.csv", "objects/" + "0" * 64):
        forged = with_sums(unpack(day.package) | {name: b"hello\n"})
        result = verify(pack(forged, tmp_path / "forged.zip"), day.trust)
        assert result.headline == f"V1: {name}: not listed in the signed manifest"


@pytest.mark.parametrize(
    ("name", "step_id"),
    [
        ("reports/02-population.csv", "V12"),
        ("README.html", "V12"),
        ("reports/06-approvals.csv", "V12"),
        ("reports/06-approvals.html", "V12"),
        ("trust/approvers.json", "V10"),
    ],
)
def test_reports_that_do_not_follow_from_the_records_are_found_under_any_signature(
    day: Day, tmp_path: Path, name: str, step_id: str
) -> None:
    files = unpack(day.package)
    forged = resigned(
        files | {name: files[name].replace(b"dana", b"evil").replace(b"Dana", b"Evil")}, day.world.keys.ledger, ORIGIN
    )
    result = verify(pack(forged, tmp_path / "forged.zip"), day.trust)
    assert result.headline.startswith(f"{step_id}: {name}"), result.headline


def test_a_file_under_a_name_that_no_package_has_is_found_under_any_signature(day: Day, tmp_path: Path) -> None:
    forged = resigned(unpack(day.package) | {"notes.txt": b"hello"}, day.world.keys.ledger, ORIGIN)
    assert verify(pack(forged, tmp_path / "forged.zip"), day.trust).headline == "V1: notes.txt: no file of a package"


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line.replace(b"C-1042", b"C-9999") for line in lines],
        lambda lines: lines[1:],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [b" " + lines[0], *lines[1:]],
    ],
    ids=["changed", "missing", "one more", "moved", "another spelling"],
)
def test_payloads_that_were_not_committed_to_are_found(
    day: Day, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    files: Files = unpack(day.package)
    forged = with_payload_lines(files, change(payload_lines(files)))
    result = verify(pack(resigned(forged, day.world.keys.ledger, ORIGIN), tmp_path / "forged.zip"), day.trust)
    outcome, sentence = step(result, "V9")
    assert outcome == "fail"
    assert sentence.startswith("payloads/payloads-000000000000.jsonl.gz: "), sentence


def test_an_erasure_that_no_record_states_is_found(day: Day, tmp_path: Path) -> None:
    files = unpack(day.package)
    first, *rest = payload_lines(files)
    erased = json.dumps({"c": json.loads(first)["c"], "erased": 40}, separators=(",", ":")).encode()
    forged = resigned(with_payload_lines(files, [erased, *rest]), day.world.keys.ledger, ORIGIN)
    outcome, sentence = step(verify(pack(forged, tmp_path / "erased.zip"), day.trust), "V9")
    assert outcome == "fail"
    assert "and record 40 does not erase it" in sentence


def test_a_period_becomes_a_range_between_two_checkpoints(day: Day, tmp_path: Path) -> None:
    period = Period(parse_time("2026-11-20T09:00:00Z"), parse_time("2026-11-20T09:20:00Z"))
    built = build(day.world.folder, tmp_path / "range.zip", period=period)
    assert built.first_index > 0
    assert built.first_index + built.records_count < len(lines(unpack(day.package)))
    result = verify(tmp_path / "range.zip", day.trust)
    assert result.exit == Exit.VERIFIED, result.headline
    assert "extends it" in step(result, "V3")[1]


def test_every_range_between_checkpoints_verifies(day: Day, tmp_path: Path) -> None:
    times = ["2026-11-20T08:58:30Z", "2026-11-20T09:01:30Z", "2026-11-20T09:06:00Z", "2026-11-20T09:40:00Z"]
    for start, end in itertools.pairwise(times):
        build(day.world.folder, tmp_path / "range.zip", period=Period(parse_time(start), parse_time(end)))
        result = verify(tmp_path / "range.zip", day.trust)
        assert result.exit == Exit.VERIFIED, (start, result.headline)


def test_the_start_of_a_range_cannot_be_moved(day: Day, tmp_path: Path) -> None:
    build(day.world.folder, tmp_path / "range.zip", period=Period(parse_time("2026-11-20T09:01:30Z"), None))
    files = unpack(tmp_path / "range.zip")
    first, *rest = files["ledger/range-start.txt"].splitlines(keepends=True)
    forged = files | {"ledger/range-start.txt": b"".join([b"A" + first[1:], *rest])}
    result = verify(pack(resigned(forged, day.world.keys.ledger, ORIGIN), tmp_path / "forged.zip"), day.trust)
    assert result.headline.startswith("V3: ledger/range-start.txt"), result.headline


def test_a_fresh_checkpoint_covers_what_no_checkpoint_covered(world: World, tmp_path: Path) -> None:
    beat(world, 30)
    built = build(world.folder, tmp_path / "now.zip")
    world.ledger.close()
    assert built.records_count == 4
    assert verify(tmp_path / "now.zip", [world.keys.verifier]).exit == Exit.VERIFIED


def test_no_content_however_broken_stops_a_verifier(day: Day, tmp_path: Path) -> None:
    # Under the ledger's own signature, so that every step meets the broken file.
    files = unpack(day.package)
    chosen = random.Random(5)
    for name in sorted(files):
        if name == "MANIFEST.dsse.json":
            continue
        data = bytearray(files[name] or b"?")
        match chosen.randrange(4):
            case 0:
                data[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
            case 1:
                del data[chosen.randrange(len(data)) :]
            case 2:
                data = bytearray(b"")
            case _:
                data = bytearray(b"[" * 5000)
        if data == files[name]:
            continue
        changed = files | {name: bytes(data)}
        try:
            forged = resigned(changed, day.world.keys.ledger, ORIGIN)
        except EvidenceError:
            forged = changed
        result = verify(pack(forged, tmp_path / "broken.zip"), day.trust)
        if not name.startswith("SHA256SUMS"):
            assert result.exit != Exit.VERIFIED, name
