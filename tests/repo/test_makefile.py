"""The Makefile's targets: known to `make help` and to the README, and clear about what is missing."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.repo.tree import ROOT

PROMISED = {
    "setup",
    "demo",
    "run",
    "web",
    "test",
    "lint",
    "types",
    "check",
    "bench",
    "evidence",
    "foreign",
    "fuzz",
    "differential",
    "sdks",
    "help",
    "clients",
    "conformance",
}


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        ["make", "--no-print-directory", "-C", ROOT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def explained_targets() -> dict[str, str]:
    return dict(re.findall(r"^([a-z]+):.*?## (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_the_targets_of_the_design_are_there_and_explained() -> None:
    assert set(explained_targets()) == PROMISED


def test_help_is_the_default_and_explains_every_target() -> None:
    shown = make()
    assert shown.returncode == 0
    assert shown.stdout == make("help").stdout
    for target, line in explained_targets().items():
        assert re.search(rf"^  make {target} +{re.escape(line)}$", shown.stdout, re.MULTILINE), target


@pytest.mark.parametrize("target", sorted(PROMISED))
def test_the_readme_names_every_target(target: str) -> None:
    assert f"`make {target}" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("target", ["run", "web"])
def test_starting_without_an_upstream_says_what_to_give(target: str) -> None:
    refused = make(target)
    assert refused.returncode != 0
    assert "UPSTREAM, the MCP server's address, is missing: make run UPSTREAM=http" in refused.stderr


def test_an_upstream_is_not_needed_where_the_rules_name_servers(tmp_path: Path) -> None:
    (tmp_path / "servers.yaml").write_text("version: 1\nservers:\n  - id: crm\n    upstream: http://127.0.0.1:3000\n")
    shown = make("--dry-run", "run", f"RULES={tmp_path}").stdout
    assert 'UPSTREAM="${UPSTREAM:-$(.venv/bin/python scripts/rules.py servers --first --rules "$RULES")}"' in shown
    assert make("upstream", f"RULES={tmp_path}").returncode == 0


def test_an_upstream_with_a_path_is_refused_with_the_remedy() -> None:
    refused = make("run", "UPSTREAM=http://127.0.0.1:3000/mcp")
    assert refused.returncode != 0
    assert "the path comes from the client" in refused.stderr


@pytest.mark.parametrize("target", ["run", "web"])
def test_the_gateway_starts_in_reverse_mode_on_loopback_with_a_folder_of_its_own(target: str) -> None:
    shown = make("--dry-run", target, "UPSTREAM=http://127.0.0.1:3000").stdout
    assert f".venv/bin/mitm{'dump' if target == 'run' else 'web'}" in shown
    assert '--mode "reverse:$UPSTREAM"' in shown
    assert '--set confdir="$DATA/mitmproxy"' in shown
    assert "-s addons/gateway.py" in shown
    if target == "web":
        assert "--web-host 127.0.0.1" in shown


def test_ci_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert [target for target in ("lint", "types", "test") if f"\nmake {target}\n" not in script] == []
