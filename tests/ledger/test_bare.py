"""Whoever checks a ledger has Python and Holdfast's source: nothing that is installed may be needed."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.ledger.ledgers import fill, open_ledger, tamper

ADDONS = Path(__file__).resolve().parents[2] / "addons"
PROGRAM = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in sys.stdlib_module_names | {"holdfast"}:
            raise ImportError(f"blocked: {name}", name=name)
        return None

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
from holdfast.ledger.commands.main import main
sys.exit(main(sys.argv[2:]))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ADDONS), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


def test_a_ledger_is_verified_with_the_standard_library_alone(data: Path) -> None:
    done = run("--data", str(data), "verify", "--vkey", str(data / "keys" / "ledger.vkey"))
    assert done.returncode == 0, done.stderr
    assert "verified: 12 Records" in done.stdout


def test_a_changed_record_is_found_with_the_standard_library_alone(data: Path) -> None:
    tamper(
        data, "UPDATE entries SET entry = CAST(replace(CAST(entry AS TEXT), 'alice', 'mallo') AS BLOB) WHERE seq = 7"
    )
    done = run("--data", str(data), "verify")
    assert done.returncode == 1
    assert "record 7" in done.stderr


def test_a_rotated_ledger_is_followed_with_the_standard_library_alone(data: Path) -> None:
    old = (data / "keys" / "ledger.vkey").read_text()
    ledger = open_ledger(data)
    ledger.rotate_blocking(overlap_s=0, reason="due", operator={"uid": 0})
    ledger.close()
    (data / "old.vkey").write_text(old)
    assert run("--data", str(data), "verify", "--vkey", str(data / "old.vkey")).returncode == 0


def test_what_needs_more_is_named_where_it_is_missing(data: Path) -> None:
    help_text = " ".join(run("--help").stdout.split())
    assert "commands that write are left out" in help_text
    assert run("--data", str(data), "erase", "aa", "--reason", "x").returncode == 3
