import json
import os
import subprocess
import sys
from pathlib import Path

from tests.ledger.ledgers import fill

SCRIPT = Path(__file__).parents[2] / "scripts" / "ledger.py"


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--data", str(directory), *arguments],
        capture_output=True,
        check=False,
        env=environment,
        text=True,
    )


def test_the_commands_rotate_and_recover_a_real_folder(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    old = (tmp_path / "keys" / "ledger.vkey").read_text()
    (tmp_path / "old.vkey").write_text(old)
    rotated = run(tmp_path, "rotate-key", "--overlap", "90m", "--reason", "yearly", "--json")
    assert (rotated.returncode, rotated.stderr) == (0, "")
    vkey = json.loads(rotated.stdout)["vkey"]
    assert (tmp_path / "keys" / "ledger.vkey").read_text() == vkey + "\n"
    verified = run(tmp_path, "verify", "--vkey", str(tmp_path / "old.vkey"))
    assert verified.returncode == 0
    assert f"the key changed 1 times; the one that signs now is {vkey}" in verified.stdout
    refused = run(tmp_path, "recover", "--reason", "none")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "nothing to recover" in refused.stderr
    (tmp_path / "ledger.db").unlink()
    done = run(tmp_path, "recover", "--reason", "lost")
    assert done.returncode == 0
    assert "its last checkpoint covers 6 records" in done.stdout.lower()
    assert "6 signed Records are lost" in done.stdout
    assert run(tmp_path, "verify").returncode == 0
    assert run(tmp_path, "rotate-key", "--overlap", "soon", "--reason", "x").returncode == 3
    assert run(tmp_path, "rotate-key").returncode == 3
