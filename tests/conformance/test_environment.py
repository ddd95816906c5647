"""What `.conformance` is built from: names, versions and hashes, no registry, and licences that may be."""

import json
import re
import subprocess
import sys

from scripts.apart.folder import ROOT
from tests.conformance import suite

SOURCES = suite.APART.sources
LOCK = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))
LICENCES = {"MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}


def test_the_npm_packages_have_hashes_and_no_addresses() -> None:
    packages = {name: value for name, value in LOCK["packages"].items() if name}
    assert "node_modules/@modelcontextprotocol/conformance" in packages
    for value in packages.values():
        assert value["integrity"].startswith("sha512-")
        assert "resolved" not in value
        assert value["license"] in LICENCES


def test_what_is_locked_is_what_is_asked_for_in_exact_versions() -> None:
    asked = json.loads((SOURCES / "package.json").read_text("utf-8"))
    for kind in ("dependencies", "optionalDependencies"):
        assert LOCK["packages"][""][kind] == asked[kind]
        assert all(re.fullmatch(r"[0-9][0-9a-z.-]*", version) for version in asked[kind].values())


def test_ready_says_by_its_exit_code_whether_it_is() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "conformance.py", "--ready"], check=False)
    assert done.returncode == (0 if suite.APART.is_ready() else 1)
