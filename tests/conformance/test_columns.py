"""Two columns that must agree check by check."""

import json
from collections import Counter
from pathlib import Path

from tests.conformance import columns, suite
from tests.conformance.suite import Findings

DIRECT: Findings = {"ping": Counter({("ping", "SUCCESS"): 1, ("schema", "SUCCESS"): 2})}


def test_the_same_findings_do_not_differ() -> None:
    assert columns.differing(DIRECT, {"ping": Counter(DIRECT["ping"])}) == []


def test_one_check_that_ends_otherwise_differs_and_is_named() -> None:
    crossed: Findings = {"ping": Counter({("ping", "FAILURE"): 1, ("schema", "SUCCESS"): 2})}
    assert columns.differing(DIRECT, crossed) == ["ping"]
    shown = "\n".join(columns.lines(DIRECT, crossed))
    assert "3/3" in shown
    assert "2/3" in shown
    assert "gateway alone: ping FAILURE x1" in shown


def test_a_check_that_fails_on_both_sides_is_a_failure_of_the_fixture() -> None:
    both: Findings = {"ping": Counter({("ping", "FAILURE"): 1})}
    assert columns.differing(both, both) == []
    assert columns.failing(both) == ["ping"]


def test_a_scenario_that_ran_on_one_side_only_differs() -> None:
    assert columns.differing(DIRECT, {}) == ["ping"]
    assert "not run" in "\n".join(columns.lines(DIRECT, {}))


def test_what_the_suite_wrote_is_read_by_scenario_without_its_remarks(tmp_path: Path) -> None:
    folder = tmp_path / "server-tools-list-2026-11-26T11-20-54-123Z"
    folder.mkdir()
    checks = [{"id": "a", "status": "SUCCESS"}, {"id": "b", "status": "INFO"}, {"id": "a", "status": "FAILURE"}]
    (folder / "checks.json").write_text(json.dumps(checks))
    assert suite.read(tmp_path) == {"tools-list": Counter({("a", "SUCCESS"): 1, ("a", "FAILURE"): 1})}
