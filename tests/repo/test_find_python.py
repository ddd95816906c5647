"""scripts/find_python.sh on folders of made-up interpreters."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.repo.tree import ROOT

TOOLS = ["sh", "ls", "grep", "sort", "cut", "id", "getent"]
OLD = "exit 3"
FAILING_SHIM = "echo 'pyenv: python3.13: command not found' >&2; exit 127"
INCOMPLETE = "exit 4"


class Machine:
    """A machine with nothing but the few tools the script uses, and the interpreters a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.home = folder / "home of someone"
        self.environment = {"PATH": str(self.bin), "HOME": str(self.home), "FIND_PYTHON_PLACES": str(folder / "usual")}
        self.bin.mkdir()
        self.home.mkdir()
        for tool in TOOLS:
            if path := shutil.which(tool):
                (self.bin / tool).symlink_to(path)

    def interpreter(self, path: Path, script: str | None = None) -> Path:
        """Put an interpreter at ``path`` that runs ``script``, or else answers like one that suits."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script or f'echo {str(path)!r}'}\n", "utf-8")
        path.chmod(0o755)
        return path

    def pyenv(self, version: str, script: str | None = None) -> Path:
        return self.interpreter(self.home / ".pyenv" / "versions" / version / "bin" / "python3", script)

    def find(self) -> subprocess.CompletedProcess[str]:
        script = ROOT / "scripts" / "find_python.sh"
        return subprocess.run(["/bin/sh", script], env=self.environment, capture_output=True, text=True, check=False)

    def found(self) -> str:
        finding = self.find()
        assert finding.returncode == 0, finding.stderr
        return finding.stdout.removesuffix("\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_interpreter_of_these_tests_passes_the_real_probe(machine: Machine) -> None:
    machine.environment["PYTHON"] = sys.executable
    assert Path(machine.found()).samefile(sys.executable)


def test_the_path_is_searched(machine: Machine) -> None:
    python = machine.interpreter(machine.bin / "python3")
    assert machine.found() == str(python)


def test_a_failing_shim_is_passed_over(machine: Machine) -> None:
    machine.interpreter(machine.bin / "python3.13", FAILING_SHIM)
    python = machine.pyenv("3.13.2")
    assert machine.found() == str(python)


def test_an_old_python_is_passed_over(machine: Machine) -> None:
    machine.interpreter(machine.bin / "python3", OLD)
    python = machine.interpreter(machine.bin / "python")
    assert machine.found() == str(python)


def test_the_newest_patch_below_pyenv_is_taken(machine: Machine) -> None:
    for version in ("3.9.18", "3.13.2", "3.13.10", "3.12.1", "3.1.9"):
        machine.pyenv(version, None if version.startswith("3.13") else OLD)
    assert machine.found().endswith("versions/3.13.10/bin/python3")


def test_the_version_that_ci_runs_comes_before_a_newer_one(machine: Machine) -> None:
    machine.pyenv("3.14.1")
    machine.pyenv("3.13.1")
    assert machine.found().endswith("versions/3.13.1/bin/python3")


def test_a_pyenv_root_elsewhere_is_searched(machine: Machine, tmp_path: Path) -> None:
    machine.environment["PYENV_ROOT"] = str(tmp_path / "pyenv root")
    python = machine.interpreter(tmp_path / "pyenv root" / "versions" / "3.14.0" / "bin" / "python3")
    assert machine.found() == str(python)


def test_without_home_the_password_database_is_asked(machine: Machine) -> None:
    del machine.environment["HOME"]
    entry = f"someone:x:1000:1000::{machine.home}:/bin/sh"
    (machine.bin / "getent").unlink(missing_ok=True)
    machine.interpreter(machine.bin / "getent", f"echo '{entry}'")
    python = machine.pyenv("3.13.1")
    assert machine.found() == str(python)


def test_uv_is_asked_for_one(machine: Machine, tmp_path: Path) -> None:
    python = machine.interpreter(tmp_path / "elsewhere" / "python3.13")
    machine.interpreter(machine.bin / "uv", f"echo '{python}'")
    assert machine.found() == str(python)


def test_pythons_that_uv_keeps_are_found_without_uv(machine: Machine) -> None:
    folder = machine.home / ".local" / "share" / "uv" / "python" / "cpython-3.13.9-linux-x86_64-gnu"
    python = machine.interpreter(folder / "bin" / "python3")
    assert machine.found() == str(python)


def test_the_usual_places_come_last(machine: Machine, tmp_path: Path) -> None:
    python = machine.interpreter(tmp_path / "usual" / "python3.13")
    assert machine.found() == str(python)
    preferred = machine.interpreter(machine.bin / "python")
    assert machine.found() == str(preferred)


def test_a_named_python_comes_first(machine: Machine, tmp_path: Path) -> None:
    machine.interpreter(machine.bin / "python3.13")
    python = machine.interpreter(tmp_path / "my own" / "python")
    machine.environment["PYTHON"] = str(python)
    assert machine.found() == str(python)


def test_a_named_python_that_does_not_suit_is_said(machine: Machine, tmp_path: Path) -> None:
    machine.environment["PYTHON"] = str(machine.interpreter(tmp_path / "python2", OLD))
    python = machine.interpreter(machine.bin / "python3.13")
    finding = machine.find()
    assert finding.stdout == f"{python}\n"
    assert "python2 is not Python 3.13 or 3.14" in finding.stderr


def test_no_python_gives_one_sentence_that_says_what_to_install(machine: Machine) -> None:
    machine.interpreter(machine.bin / "python3", OLD)
    finding = machine.find()
    assert (finding.returncode, finding.stdout) == (1, "")
    assert finding.stderr.count("\n") == 1
    assert "needs Python 3.13 or 3.14 and found neither: install one" in finding.stderr


def test_a_python_without_venv_is_named_with_its_remedy(machine: Machine) -> None:
    python = machine.interpreter(machine.bin / "python3.13", INCOMPLETE)
    finding = machine.find()
    assert finding.returncode == 1
    assert f"{python} lacks one of them" in finding.stderr
    assert "python3-venv" in finding.stderr


def test_no_variable_of_the_caller_is_needed() -> None:
    finding = subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "find_python.sh"],
        env={"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finding.returncode == 0
    assert finding.stderr == ""
