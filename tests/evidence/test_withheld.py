"""Packages that hold Records back: completeness is still proven, and nothing is guessed about what is not shown."""

import csv
import io
from pathlib import Path

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import Files, pack, resigned, unpack
from tests.evidence.world import BOT, ORIGIN, World

from holdfast.errors import EvidenceError
from holdfast.evidence.build import Built, Wanted, build
from holdfast.evidence.files.withheld import FILE, Selection, parse_selection
from holdfast.evidence.verify import Exit, Verification, verify


def table(files: Files, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"reports/{name}.csv"].decode(), newline="")))


def sentence(result: Verification, step_id: str) -> str:
    return next(step.sentence for step in result.steps if step.id == step_id)


def built(day: Day, out: Path, *, withhold: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Built:
    return build(day.world.folder, out, wanted=Wanted(selection=parse_selection(withhold, only)))


def test_a_package_of_one_caller_verifies_and_shows_that_caller_alone(day: Day, tmp_path: Path) -> None:
    made = built(day, tmp_path / "tom.zip", only=("caller=00u91tom",))
    files = unpack(tmp_path / "tom.zip")
    result = verify(tmp_path / "tom.zip", day.trust)
    assert result.exit == Exit.VERIFIED, result.headline
    assert made.withheld_count == files[FILE].count(b"\n") > 0
    assert f"{made.withheld_count} of them withheld" in result.headline
    assert {row["sub"] for row in table(files, "03-identity")} == {"00u91tom"}
    assert {row["sub"] for row in table(files, "04-access-decisions")} == {"00u91tom"}
    for name in ("V7", "V8", "V9", "V11"):
        assert f"{made.withheld_count} Records are withheld" in sentence(result, name), name


def test_what_the_ledger_says_about_itself_is_never_withheld(day: Day, tmp_path: Path) -> None:
    built(day, tmp_path / "none.zip", withhold=("0-67",))
    types = {row["type"] for row in table(unpack(tmp_path / "none.zip"), "02-population")}
    assert types == {"ledger.genesis", "ledger.start", "ledger.stop", "ledger.heartbeat", "rules.loaded"}
    assert verify(tmp_path / "none.zip", day.trust).exit == Exit.VERIFIED


def test_a_call_whose_reply_is_withheld_is_not_called_unanswered(world: World, tmp_path: Path) -> None:
    index = world.read(BOT)
    world.ledger.close()
    selection = Selection(((index + 1, index + 1),))
    build(world.folder, tmp_path / "cut.zip", wanted=Wanted(selection=selection))
    files = unpack(tmp_path / "cut.zip")
    assert [row["ended"] for row in table(files, "04-access-decisions")] == ["not shown"]
    assert table(files, "07-exceptions") == []
    result = verify(tmp_path / "cut.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline
    assert "the replies of 1 calls may be among the withheld Records" in sentence(result, "V8")


def test_a_call_whose_approval_is_withheld_is_not_called_unapproved(world: World, tmp_path: Path) -> None:
    held = world.hold(BOT, 0)
    approval = held.decide("approve", "")
    held.go()
    world.ledger.close()
    build(world.folder, tmp_path / "cut.zip", wanted=Wanted(selection=Selection(((approval, approval),))))
    result = verify(tmp_path / "cut.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline
    assert "the approvals of 1 calls may be among the withheld Records" in sentence(result, "V11")


def test_a_leaf_that_is_not_the_record_s_is_found(day: Day, tmp_path: Path) -> None:
    built(day, tmp_path / "tom.zip", only=("caller=00u91tom",))
    files = unpack(tmp_path / "tom.zip")
    first, rest = files[FILE].split(b"\n", 1)
    other = first[:-2] + (b"A=" if first[-2:-1] != b"A" else b"E=")
    forged = resigned(files | {FILE: other + b"\n" + rest}, day.world.keys.ledger, ORIGIN)
    result = verify(pack(forged, tmp_path / "forged.zip"), day.trust)
    assert result.headline.startswith("V4"), result.headline


def test_a_withheld_record_that_is_left_out_is_found(day: Day, tmp_path: Path) -> None:
    built(day, tmp_path / "tom.zip", only=("caller=00u91tom",))
    files = unpack(tmp_path / "tom.zip")
    forged = resigned(files | {FILE: files[FILE].split(b"\n", 1)[1]}, day.world.keys.ledger, ORIGIN)
    result = verify(pack(forged, tmp_path / "forged.zip"), day.trust)
    assert result.headline.startswith("V4: ledger/entries-000000000000.jsonl.gz"), result.headline


@pytest.mark.parametrize("text", ["9-3", "x", "", "-1", "1-2-3", "01-2"])
def test_a_range_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(EvidenceError, match="--withhold"):
        parse_selection([text], [])


@pytest.mark.parametrize("text", ["server", "server=", "tool=x"])
def test_a_choice_of_neither_server_nor_caller_is_refused(text: str) -> None:
    with pytest.raises(EvidenceError, match="--only"):
        parse_selection([], [text])
