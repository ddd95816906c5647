import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ledger.ledgers import fill, keys_in, tamper

from holdfast.ledger.reader import open_reader

SCRIPT = Path(__file__).parents[2] / "scripts" / "ledger.py"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole")
    fill(directory, 8)
    return directory


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--data", str(directory), *arguments],
        capture_output=True,
        check=False,
        env=environment,
        text=True,
    )


def test_verify_of_a_whole_ledger_exits_with_0(whole: Path) -> None:
    result = run(whole, "verify")
    assert (result.returncode, result.stderr) == (0, "")
    assert "verified: 8 Records of gw.example.com/ledger/n1" in result.stdout
    assert "pass --vkey" in result.stdout


def test_verify_with_key_and_checkpoint_from_outside_says_no_more_than_it_must(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "vkey").write_text(keys_in(whole).verifier.to_text() + "\n")
    (tmp_path / "head").write_text(run(whole, "head").stdout)
    result = run(whole, "verify", "--vkey", str(tmp_path / "vkey"), "--checkpoint", str(tmp_path / "head"))
    assert result.returncode == 0
    assert "pass --" not in result.stdout


def test_verify_of_a_tampered_ledger_exits_with_1_and_names_the_record(whole: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(whole, tmp_path / "copy")
    tamper(copy, "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 2")
    result = run(copy, "verify")
    assert (result.returncode, result.stderr) == (1, "ledger: record 2: leaf hash does not match\n")
    answer = json.loads(run(copy, "verify", "--json").stdout)
    assert answer == {"verified": False, "tampered": True, "error": "record 2: leaf hash does not match"}


def test_what_cannot_be_verified_exits_with_2(whole: Path, tmp_path: Path) -> None:
    for command in ("verify", "status", "head", "export"):
        result = run(tmp_path / "nowhere", command)
        assert result.returncode == 2
        assert result.stderr.startswith("ledger: ")
    assert run(whole, "verify", "--vkey", str(tmp_path / "nothing")).returncode == 2


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("export", "--from", "-1"), ("verify", "--nonsense")])
def test_wrong_usage_exits_with_3(whole: Path, arguments: str) -> None:
    result = run(whole, *arguments)
    assert result.returncode == 3
    assert "usage:" in result.stderr


def test_export_prints_every_record_byte_for_byte(whole: Path) -> None:
    with open_reader(whole) as reader:
        entries = [entry.decode() for _, entry in reader.records()]
    assert run(whole, "export").stdout == "".join(entry + "\n" for entry in entries)
    assert run(whole, "export", "--from", "2", "--to", "4").stdout.splitlines() == entries[2:4]


def test_status_and_head_are_for_people_and_for_programs(whole: Path) -> None:
    facts = json.loads(run(whole, "status", "--json").stdout)
    assert (facts["records"], facts["signed"], facts["stopped"]) == (8, 8, False)
    assert "records       8" in run(whole, "status").stdout
    head = json.loads(run(whole, "head", "--json").stdout)
    assert (head["size"], head["root"]) == (8, facts["root"])
    assert run(whole, "head").stdout == head["note"]
    assert json.loads(run(whole, "verify", "--json").stdout)["root_hex"] == head["root"]


def test_the_help_states_the_exit_codes(whole: Path) -> None:
    text = " ".join(run(whole, "--help").stdout.split())
    for code in ("0 ok", "1 tampered", "2 cannot be done", "3 wrong usage"):
        assert code in text
