"""`make setup` in a folder of its own: a made-up lock, a made-up package, no network."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from scripts import setup_env
from tests.repo.tree import ROOT


class Project:
    """A project with Holdfast's Makefile whose lock names one small wheel that lies beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a folder with spaces"
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.root / "scripts", ignore=shutil.ignore_patterns("demo*", "__pycache__"))
        shutil.copy(ROOT / "Makefile", self.root)
        (self.root / "addons" / "holdfast").mkdir(parents=True)
        (self.root / "addons" / "holdfast" / "__init__.py").touch()
        self.lock = self.root / "requirements.lock"
        self.use("1.0")

    def use(self, version: str) -> None:
        """Lock version ``version`` of the package `pebble`."""
        wheel = self.wheels / f"pebble-{version}-py3-none-any.whl"
        info = f"pebble-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("pebble.py", f"version = {version!r}\n")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: pebble\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", f"pebble.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        digest_hex = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self.lock.write_text(f"pebble=={version} \\\n    --hash=sha256:{digest_hex}\n", "utf-8")

    def make_setup(self) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.defpath,
            "PYTHON": sys.executable,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": self.wheels.as_uri(),
            "PIP_CONFIG_FILE": os.devnull,
            "PYTHONPATH": "/nowhere",
        }
        command = ["make", "--no-print-directory", "-C", str(self.root), "setup"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def run_python(self, code: str) -> str:
        python = self.root / ".venv" / "bin" / "python"
        return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_set_up_installs_what_is_locked_and_a_second_run_installs_nothing(project: Project) -> None:
    first = project.make_setup()
    assert first.returncode == 0, first.stderr
    assert "Setting up .venv" in first.stderr
    assert project.run_python("import pebble; print(pebble.version)") == "1.0"
    assert project.run_python("import holdfast; print(holdfast.__file__)").startswith(str(project.root / "addons"))
    (project.root / ".venv" / "kept").touch()
    second = project.make_setup()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    project.use("2.0")
    third = project.make_setup()
    assert third.returncode == 0, third.stderr
    assert project.run_python("import pebble; print(pebble.version)") == "2.0"
    assert not (project.root / ".venv" / "kept").exists()


def test_a_set_up_that_failed_half_way_is_not_taken_as_done(project: Project) -> None:
    lock = project.lock.read_text("utf-8")
    project.lock.write_text(lock.replace("sha256:", "sha256:" + "0" * 8)[: len(lock)], "utf-8")
    failed = project.make_setup()
    assert failed.returncode != 0
    assert "the locked packages could not be installed" in failed.stderr
    assert (project.root / ".venv" / "bin" / "python").exists()
    assert not setup_env.is_ready(project.root)
    project.lock.write_text(lock, "utf-8")
    assert project.make_setup().returncode == 0
    assert project.run_python("import pebble; print(pebble.version)") == "1.0"


def finished(root: Path, version: str) -> None:
    (root / ".venv").mkdir(parents=True, exist_ok=True)
    (root / "requirements.lock").write_text("pebble==1.0\n", "utf-8")
    setup_env.stamp_path(root).write_text(setup_env.stamp_text(root, version), "utf-8")


THIS_VERSION = ".".join(map(str, sys.version_info[:3]))


def test_a_finished_set_up_is_ready(tmp_path: Path) -> None:
    finished(tmp_path, THIS_VERSION)
    assert setup_env.is_ready(tmp_path)


def test_a_changed_lock_is_not_ready(tmp_path: Path) -> None:
    finished(tmp_path, THIS_VERSION)
    (tmp_path / "requirements.lock").write_text("pebble==1.1\n", "utf-8")
    assert not setup_env.is_ready(tmp_path)


def test_another_python_is_not_ready(tmp_path: Path) -> None:
    finished(tmp_path, "3.13.99")
    assert not setup_env.is_ready(tmp_path)


def test_a_moved_folder_is_not_ready(tmp_path: Path) -> None:
    finished(tmp_path / "before", THIS_VERSION)
    moved = (tmp_path / "before").rename(tmp_path / "after")
    assert not setup_env.is_ready(moved)


def test_a_folder_without_stamp_is_not_ready(tmp_path: Path) -> None:
    finished(tmp_path, THIS_VERSION)
    setup_env.stamp_path(tmp_path).unlink()
    assert not setup_env.is_ready(tmp_path)
