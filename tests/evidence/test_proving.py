import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.evidence import world as made
from tests.evidence.world import MAYA, World
from tests.repo.tree import ROOT

from holdfast.errors import EvidenceError
from holdfast.evidence import build as building
from holdfast.evidence.commands.main import main
from holdfast.evidence.files.container import Package
from holdfast.evidence.making.period import Period, parse_time
from holdfast.evidence.proofs.differing import State, changes
from holdfast.evidence.proofs.proving import PackageTree, prove_from_ledger, prove_from_package
from holdfast.evidence.verify import Exit
from holdfast.ledger import note, tlogproof, tree
from holdfast.ledger.reader import open_reader

SCRIPT = ROOT / "scripts" / "evidence.py"


class Two:
    """A ledger that went on: a package of its beginning, one of all of it, one of its end alone."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder / "data")
        self.first, self.whole, self.end = (folder / f"{name}.zip" for name in ("first", "whole", "end"))
        self.world.start()
        self.world.load_rules()
        for _ in range(20):
            self.world.read(MAYA)
        self.world.ledger.publish_blocking()
        building.build(self.world.folder, self.first)
        self.early = self._head(folder / "early.txt")
        self.world.clock.advance(7200)
        self.world.ledger.publish_blocking()
        at = self.world.clock.now_at()
        for _ in range(7):
            self.world.clock.advance(1)
            self.world.read(MAYA, "C-2000")
        self.world.ledger.close()
        building.build(self.world.folder, self.whole)
        building.build(self.world.folder, self.end, period=Period(at, None))
        self.late = self._head(folder / "late.txt")
        self.keys = [note.parse_vkey(self.world.vkey.read_text().strip())]

    def _head(self, path: Path) -> Path:
        with open_reader(self.world.folder) as reader:
            head = reader.last_checkpoint()
        assert head is not None
        path.write_bytes(head)
        return path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    return Two(tmp_path_factory.mktemp("two"))


def entries_of(folder: Path) -> list[bytes]:
    with open_reader(folder) as reader:
        return [entry for _, entry in reader.records()]


# prove


def test_every_record_of_a_package_is_proven_from_the_package_alone(two: Two) -> None:
    entries = entries_of(two.world.folder)
    for package in (two.whole, two.end):
        with package.open("rb") as file:
            packed = PackageTree(Package(file))
        first = packed.scope.start.size
        assert (first > 0) == (package == two.end)
        for index in range(first, len(entries)):
            proof = prove_from_package(package, index)
            assert tlogproof.verify(proof, tree.leaf_hash(entries[index]), two.keys).size == len(entries)


def test_ledger_and_package_give_the_same_proof(two: Two) -> None:
    with open_reader(two.world.folder) as reader:
        assert prove_from_ledger(reader, 40) == prove_from_package(two.whole, 40)


def test_a_record_that_is_not_there_or_not_signed_yet_is_not_proven(two: Two, world: World) -> None:
    with pytest.raises(EvidenceError, match="not Record 0"):
        prove_from_package(two.end, 0)
    with pytest.raises(EvidenceError, match="not Record 999"):
        prove_from_package(two.whole, 999)
    with open_reader(two.world.folder) as reader, pytest.raises(EvidenceError, match="does not exist"):
        prove_from_ledger(reader, 999)
    index = world.read(MAYA)
    with open_reader(world.folder) as reader, pytest.raises(EvidenceError, match="is newer than the last checkpoint"):
        prove_from_ledger(reader, index)
    world.ledger.close()


def test_prove_writes_a_file_that_verifies(two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "40.tlog-proof"
    for source in (["--data", str(two.world.folder)], ["--package", str(two.end)]):
        assert main(["prove", "45", *source, "--out", str(out), "--json"]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert (facts["index"], facts["origin"]) == (45, two.keys[0].name)
        proof = tlogproof.parse(out.read_bytes())
        tlogproof.verify(proof, tree.leaf_hash(entries_of(two.world.folder)[45]), two.keys)
    assert main(["prove", "999", "--package", str(two.end), "--out", str(out)]) == Exit.UNVERIFIABLE
    assert main(["prove", "1", "--data", str(tmp_path), "--out", str(out)]) == Exit.UNVERIFIABLE


@pytest.mark.parametrize(
    "arguments", [["prove"], ["prove", "1", "--out", "x"], ["prove", "-1", "--data", "d", "--out", "x"], ["diff", "a"]]
)
def test_wrong_usage_exits_with_3(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == Exit.USAGE


# diff


def diff(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, object]]:
    code = main(["diff", *map(str, arguments), "--json"])
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    assert answer["exit"] == code
    return code, answer


def test_a_package_that_goes_on_extends_the_earlier_one(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = diff(capsys, two.first, two.whole, "--trust", two.world.vkey)
    assert (code, answer["extends"], answer["changes"]) == (Exit.VERIFIED, True, [])
    with open_reader(two.world.folder) as reader:
        size = reader.size()
    with two.first.open("rb") as file:
        before = PackageTree(Package(file)).scope.end.size
    assert answer["new"] == {"first": before, "count": size - before, "typs": {"call": 7, "reply": 7}}


def test_without_a_key_from_outside_nothing_is_verified(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = diff(capsys, two.first, two.whole)
    assert (code, answer["extends"], answer["trusted_key"]) == (Exit.UNVERIFIABLE, True, False)
    assert main(["diff", str(two.first), str(two.whole)]) == Exit.UNVERIFIABLE
    assert "Not verified" in capsys.readouterr().out


def test_the_older_one_last_is_said_to_be_older(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = diff(capsys, two.whole, two.first, "--trust", two.world.vkey)
    assert (code, answer["extends"]) == (Exit.UNVERIFIABLE, None)
    assert str(answer["sentence"]).startswith("the second is older")


def test_the_same_package_twice_has_nothing_new(two: Two, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = diff(capsys, two.whole, two.whole, "--trust", two.world.vkey)
    assert (code, answer["extends"]) == (Exit.VERIFIED, True)
    assert main(["diff", str(two.whole), str(two.whole), "--trust", str(two.world.vkey)]) == 0
    assert "the same rule files, tools and approvers" in capsys.readouterr().out


def test_packages_with_a_gap_between_them_prove_nothing_about_each_other(two: Two, tmp_path: Path) -> None:
    with two.end.open("rb") as file:
        start = PackageTree(Package(file)).scope.start.size
    short = tmp_path / "short.zip"
    building.build(two.world.folder, short, period=Period(None, parse_time("2026-11-20T08:58:01Z")))
    with short.open("rb") as file:
        assert PackageTree(Package(file)).scope.end.size < start
    assert main(["diff", str(short), str(two.end), "--trust", str(two.world.vkey)]) == Exit.UNVERIFIABLE


def test_a_rewritten_ledger_under_the_same_key_is_another_history(
    two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Whoever has the key writes the same days anew, with one call that never was.
    forged = World(tmp_path / "data")
    forged.ledger.close()
    for name in ("ledger.db", "payload.db", "checkpoints.log", "ledger.lock"):
        for path in forged.folder.glob(f"{name}*"):
            path.unlink()
    for path in (two.world.folder / "keys").iterdir():
        (forged.folder / "keys" / path.name).write_bytes(path.read_bytes())
    again = World(forged.folder, seed=7)
    again.start()
    again.load_rules()
    for _ in range(25):
        again.read(MAYA, "C-6666")
    again.ledger.close()
    building.build(again.folder, tmp_path / "forged.zip")
    assert main(["verify", str(tmp_path / "forged.zip"), "--trust", str(two.world.vkey)]) == Exit.VERIFIED
    capsys.readouterr()
    code, answer = diff(capsys, two.first, tmp_path / "forged.zip", "--trust", two.world.vkey)
    assert (code, answer["extends"]) == (Exit.TAMPERED, False)
    assert "another history" in str(answer["sentence"])
    with open_reader(again.folder) as reader:
        (tmp_path / "forged.txt").write_bytes(reader.last_checkpoint() or b"")
    code, answer = diff(capsys, two.early, tmp_path / "forged.txt", "--data", two.world.folder)
    assert (code, answer["extends"]) == (Exit.TAMPERED, False)


def test_a_tampered_package_is_not_compared(two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = bytearray(two.whole.read_bytes())
    broken[len(broken) // 2] ^= 1
    (tmp_path / "broken.zip").write_bytes(broken)
    code, answer = diff(capsys, two.first, tmp_path / "broken.zip", "--trust", two.world.vkey)
    assert (code, answer["extends"]) == (Exit.TAMPERED, None)


def test_two_checkpoints_are_compared_with_the_folder_of_their_ledger(
    two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = diff(capsys, two.early, two.late, "--data", two.world.folder)
    assert (code, answer["extends"]) == (Exit.VERIFIED, True)
    new = answer["new"]
    assert isinstance(new, dict)
    assert new["typs"] == {"call": 7, "reply": 7}
    code, answer = diff(capsys, two.late, two.early, "--data", two.world.folder)
    assert (code, answer["extends"]) == (Exit.UNVERIFIABLE, None)
    (tmp_path / "none.txt").write_bytes(two.late.read_bytes().replace(b"\n", b"\n0", 1))
    assert main(["diff", str(two.early), str(tmp_path / "none.txt"), "--data", str(two.world.folder)]) == 2


def test_what_changed_in_rules_approvers_and_tools_is_named() -> None:
    before = State("r1", {"access.yaml": "a1"}, {"export of crm": "t1"}, {"dana": "Dana, key 1"})
    after = State("r2", {"access.yaml": "a2"}, {"export of crm": "t1", "new of crm": "t2"}, {})
    assert changes(before, after) == (
        ("rule file", "access.yaml", "a1", "a2"),
        ("tool", "new of crm", "", "t2"),
        ("approver", "dana", "Dana, key 1", ""),
    )


def test_a_new_rule_file_and_approver_between_two_packages_is_told(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ledger.publish_blocking()
    building.build(world.folder, tmp_path / "before.zip")
    changed = made.APPROVAL_YAML.replace(b"Dana Okafor", b"Dana Okafor-Lind")
    monkeypatch.setitem(made.FILES, "approval.yaml", changed)
    world.clock.advance(5)
    world.load_rules()
    world.ledger.close()
    building.build(world.folder, tmp_path / "after.zip")
    first, second = str(tmp_path / "before.zip"), str(tmp_path / "after.zip")
    assert main(["diff", first, second, "--trust", str(world.vkey)]) == Exit.VERIFIED
    shown = capsys.readouterr().out
    assert "rule file approval.yaml: changed" in shown
    assert "approver dana: changed" in shown
    assert "Dana Okafor-Lind" in shown
