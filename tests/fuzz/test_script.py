"""`make fuzz`: what it says, and the file it installs from."""

import re

import pytest
from scripts.fuzz import REQUIREMENTS, main, read_log, table

_LOG = (
    "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 46Mb\n"
    "#719698\tDONE   cov: 32 ft: 91 corp: 18/106b lim: 4096 exec/s: 65427 rss: 46Mb\n"
    "stat::number_of_executed_units: 719698\n"
)


def test_the_log_of_a_run_becomes_its_outcome() -> None:
    outcome = read_log("body", _LOG, 18, (), 0)
    assert (outcome.executions, outcome.coverage, outcome.features, outcome.corpus_count) == (719698, 32, 91, 18)
    assert "719,698" in table([outcome])


def test_a_finding_is_named_and_a_run_that_died_says_where_to_look() -> None:
    assert "  .fuzz/findings/body/crash-1" in table([read_log("body", _LOG, 1, (".fuzz/findings/body/crash-1",), 77)])
    assert ".fuzz/body.log" in table([read_log("body", "", 0, (), 1)])


def test_an_unknown_target_is_an_error_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--target", "everything"])
    assert "events" in capsys.readouterr().err


def test_the_fuzzer_is_pinned_by_hash() -> None:
    first, *hashes = REQUIREMENTS.read_text("utf-8").splitlines()
    assert re.fullmatch(r"atheris==[\d.]+ \\", first)
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)
