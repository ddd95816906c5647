"""What `.clients` is built from: names, versions and hashes, no registry; and what docs/clients.md says was run."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from scripts import clients
from tests.clients.matrix import CLIENTS, versions
from tests.clients.serving import SERVERS
from tests.repo.test_lock import ENTRY, HASH
from tests.repo.tree import ROOT

LOCK: dict[str, Any] = json.loads((clients.SOURCES / "package-lock.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")


@pytest.mark.parametrize("name", clients.ENVIRONMENTS)
def test_the_python_packages_are_names_versions_and_hashes_only(name: str) -> None:
    lines = (clients.SOURCES / f"requirements-{name}.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not ENTRY.fullmatch(line) and not HASH.fullmatch(line)] == []


def test_the_npm_packages_have_hashes_and_no_addresses() -> None:
    packages = {name: value for name, value in LOCK["packages"].items() if name}
    for name, value in packages.items():
        assert value["integrity"].startswith("sha512-"), name
        assert "resolved" not in value, name
    asked = json.loads((clients.SOURCES / "package.json").read_text("utf-8"))
    assert LOCK["packages"][""]["dependencies"] == asked["dependencies"]
    assert all(re.fullmatch(r"[0-9.]+", version) for version in asked["dependencies"].values())


def test_no_npm_package_may_only_be_used_under_the_gpl() -> None:
    licences = {value.get("license", "") for value in LOCK["packages"].values()}
    assert {one for one in licences if re.search(r"\bA?GPL|BUSL", one) and " OR " not in one} == set()


def test_the_page_names_the_version_of_every_client_and_server_that_is_locked() -> None:
    rows = {
        (cells[0].strip("`"), cells[1])
        for line in PAGE.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) > 2 and line.startswith("| `")
    }
    ours = {(client.package, versions()[client.environment, client.package]) for client in CLIENTS}
    theirs = {(package, versions()[environment, package]) for environment, package in SERVERS.values()}
    assert rows == ours | theirs


def test_ready_says_by_its_exit_code_whether_it_is() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "clients.py", "--ready"], check=False)
    assert done.returncode == (0 if clients.APART.is_ready() else 1)
