"""A verifier has Python and Holdfast's source: nothing that is installed may be needed."""

import json
import subprocess
import sys
from pathlib import Path

from tests.evidence.conftest import Day

from holdfast.evidence.verify import Exit

ADDONS = Path(__file__).resolve().parents[2] / "addons"

PROGRAM = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in sys.stdlib_module_names | {"holdfast"}:
            raise ImportError(f"blocked: {name}")
        return None

sys.meta_path.insert(0, Blocker())
sys.path.insert(0, sys.argv[1])
from holdfast.evidence.commands.main import main
code = main(sys.argv[2:])
foreign = {name.split(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"holdfast", "__main__"}
assert not foreign, foreign
sys.exit(code)
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ADDONS), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_verifying_needs_nothing_but_the_standard_library(day: Day) -> None:
    done = run("verify", str(day.package), "--trust", str(day.world.vkey), "--json")
    assert done.returncode == Exit.VERIFIED, done.stderr
    steps = {step["id"]: step for step in json.loads(done.stdout)["steps"]}
    assert {name for name, step in steps.items() if step["result"] != "pass"} == {"V6", "V12"}
    assert "pages (HTML) were not made again" in steps["V12"]["sentence"]
    assert "YAML" in steps["V10"]["sentence"]


def test_a_broken_package_is_found_with_the_standard_library_alone(day: Day, copy: Path) -> None:
    broken = bytearray(copy.read_bytes())
    broken[len(broken) // 3] ^= 1
    copy.write_bytes(broken)
    assert run("verify", str(copy), "--trust", str(day.world.vkey)).returncode == Exit.TAMPERED
