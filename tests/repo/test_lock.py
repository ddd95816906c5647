"""requirements.lock: names, versions, markers and hashes; newer than the floors; licences as the decision says."""

import importlib.metadata
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.repo.tree import ROOT

ENTRY = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.+]*( ; [a-z_]+ (==|!=|<) '[A-Za-z0-9.]+')? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
# LGPL comes in only below mitmproxy itself, as docs/decisions/0007-dependencies.md says; nothing of ours imports it.
COPYLEFT_BELOW_MITMPROXY = {"ldap3", "urwid"}


def lock_lines() -> list[str]:
    return (ROOT / "requirements.lock").read_text("utf-8").splitlines()


def locked() -> dict[str, str]:
    pairs = (line.split()[0].split("==") for line in lock_lines() if not line.startswith(" "))
    return {canonicalize_name(name): version for name, version in pairs}


def direct() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [Requirement(text) for text in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]]


def licence_of(name: str) -> str:
    """What the installed package says of its licence, in one line."""
    metadata = importlib.metadata.metadata(name)
    said = [value for key in ("License-Expression", "License") for value in metadata.get_all(key) or []]
    said += [value for value in metadata.get_all("Classifier") or [] if value.startswith("License ::")]
    return " ".join(" ".join(said).split())


def test_the_lock_holds_names_versions_markers_and_hashes_only() -> None:
    assert [line for line in lock_lines() if not ENTRY.fullmatch(line) and not HASH.fullmatch(line)] == []


def test_every_locked_package_has_a_hash() -> None:
    lines = lock_lines()
    assert [
        a for a, b in zip(lines, [*lines[1:], ""], strict=True) if ENTRY.fullmatch(a) and not HASH.fullmatch(b)
    ] == []


@pytest.mark.parametrize("requirement", direct(), ids=str)
def test_the_lock_satisfies_the_project(requirement: Requirement) -> None:
    assert locked()[canonicalize_name(requirement.name)] in requirement.specifier


def test_what_is_installed_is_what_is_locked() -> None:
    installed = {canonicalize_name(d.name): d.version for d in importlib.metadata.distributions()}
    differing = {name: version for name, version in installed.items() if locked().get(name, version) != version}
    assert differing == {}


def test_mitmproxy_stays_below_the_release_that_ships_a_compromised_authority() -> None:
    # Releases 12.3.0 and 12.3.1: docs/decisions/0007-dependencies.md.
    pin = next(requirement for requirement in direct() if requirement.name == "mitmproxy")
    assert not pin.specifier.contains("12.3.0")
    assert not pin.specifier.contains("12.2.2")


@pytest.mark.parametrize("requirement", direct(), ids=lambda requirement: requirement.name)
def test_the_decision_on_dependencies_names_the_licence_that_the_package_states(requirement: Requirement) -> None:
    decision = (ROOT / "docs" / "decisions" / "0007-dependencies.md").read_text("utf-8")
    row = re.search(
        rf"^\| {re.escape(requirement.name)} \| ([^|]+) \| ([^|]+) \|$", decision, re.MULTILINE | re.IGNORECASE
    )
    assert row, f"docs/decisions/0007-dependencies.md has no row for {requirement.name}"
    assert row[1].strip() in licence_of(requirement.name)
    assert row[2].strip()


@pytest.mark.parametrize("requirement", direct(), ids=lambda requirement: requirement.name)
def test_no_direct_dependency_is_copyleft_as_a_whole(requirement: Requirement) -> None:
    assert "GPL" not in licence_of(requirement.name)


def test_copyleft_stands_only_where_the_decision_says() -> None:
    installed = {canonicalize_name(d.name) for d in importlib.metadata.distributions()} & set(locked())
    assert {name for name in installed if "GPL" in licence_of(name)} <= COPYLEFT_BELOW_MITMPROXY
