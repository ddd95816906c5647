"""Pruning and legal holds on a real ledger, and the commands as they are run."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.ledgers import call, call_body, open_ledger, tamper

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify
from holdfast.policy.document import Source
from holdfast.retention.prune import plan
from holdfast.retention.rules import parse_source

SCRIPT = Path(__file__).parents[2] / "scripts" / "ledger.py"
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
TEXT = "version: 1\nkeep_days: 400\nlegal_holds: []\n"
HOLD = (
    "version: 1\nkeep_days: 0\nlegal_holds:\n  - {id: case-1, reason: a dispute, since: 2024-01-01, callers: [bob]}\n"
)


def by(caller: str, **more: Any) -> Draft:
    who = {"iss": "https://idp.example.com", "sub": caller}
    return Draft("call", call_body(who=who, **more), {"req": Payload("application/json", f"of {caller}".encode())})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A call of alice and one of bob every 100 days from 2024 on, with a view that was shown."""
    directory = tmp_path / "data"
    directory.mkdir()
    clock = SetClock(at=START)
    ledger = open_ledger(directory, clock)
    for _ in range(4):
        ledger.append_blocking(by("alice"), by("bob"))
        clock.advance(100 * 24 * 3600)
    body: Any = {"call": call_body()["call"], "appr": {"id": "h"}, "dec": {"effect": "hold"}}
    clock.at = START
    ledger.append_blocking(Draft("hold.opened", body, {"view": Payload("text/plain", b"shown")}))
    ledger.close()
    return directory


def planned(folder: Path, text: str, before: str, now: str = "2030-01-01", in_force: str | None = None) -> Any:
    with open_reader(folder) as reader:
        return plan(
            reader,
            parse_source(Source("retention.yaml", text.encode())),
            dt.datetime.fromisoformat(before + "T00:00:00+00:00"),
            dt.datetime.fromisoformat(now + "T00:00:00+00:00"),
            in_force=parse_source(Source("retention.yaml", in_force.encode())) if in_force else None,
        )


def test_what_was_recorded_before_the_time_and_is_old_enough_goes(folder: Path) -> None:
    found = planned(folder, TEXT, "2024-04-15")
    assert (len(found.commitments), found.young, found.other, found.erased) == (4, 0, 1, 0)


def test_what_is_inside_its_keep_days_is_kept_and_counted_though_the_time_is_later(folder: Path) -> None:
    found = planned(folder, TEXT, "2026-01-01", now="2025-06-01")
    # 2024-01-01, 2024-04-10 are more than 400 days before; 2024-07-19 and 2024-10-27 are not.
    assert (len(found.commitments), found.young) == (4, 4)


def test_an_age_of_exactly_keep_days_is_old_enough(folder: Path) -> None:
    assert len(planned(folder, TEXT, "2024-01-02", now="2025-02-04").commitments) == 2
    assert len(planned(folder, TEXT, "2024-01-02", now="2025-02-03").commitments) == 0


def test_what_is_under_a_legal_hold_of_either_policy_stays(folder: Path) -> None:
    found = planned(folder, HOLD, "2026-01-01")
    # The hold.opened Record does not say who called, so it could be bob.
    assert (len(found.commitments), dict(found.held)) == (4, {"case-1": 5})
    found = planned(folder, TEXT, "2026-01-01", in_force=HOLD)
    assert (len(found.commitments), dict(found.held)) == (4, {"case-1": 5})


def test_views_go_where_the_policy_lists_them(folder: Path) -> None:
    assert len(planned(folder, TEXT + "payloads: [view]\n", "2024-01-02").commitments) == 1


def loaded(folder: Path, text: str) -> None:
    """What a gateway does that takes ``text`` for its retention.yaml."""
    ledger = open_ledger(folder)
    digest = ledger.put_object_blocking("application/yaml", text.encode())
    body: Any = {"rules": "a" * 64, "files": {"access.yaml": "b" * 64, "retention.yaml": digest}}
    ledger.append_blocking(Draft("rules.loaded", body))
    ledger.close()


def commitments(folder: Path, caller: str) -> list[str]:
    with open_reader(folder) as reader:
        found = [json.loads(entry) for _, entry in reader.records()]
    return [one["req"]["c"] for one in found if one.get("who", {}).get("sub") == caller]


def test_the_ledger_refuses_to_erase_what_the_policy_in_force_holds_whoever_asks(folder: Path) -> None:
    loaded(folder, TEXT)
    loaded(folder, HOLD)
    ledger = open_ledger(folder)
    alice, bob = commitments(folder, "alice")[0], commitments(folder, "bob")[0]
    with pytest.raises(LedgerError, match=f"{bob} of record 2 is under the legal hold case-1: a dispute; nothing was"):
        ledger.erase_blocking([alice, bob], basis="request", reason="r", operator=None)
    assert ledger.erase_blocking([alice], basis="request", reason="r", operator=None)
    ledger.close()
    loaded(folder, TEXT)
    ledger = open_ledger(folder)
    assert ledger.erase_blocking([bob], basis="request", reason="r", operator=None)
    ledger.close()


def test_a_policy_in_force_that_is_not_kept_or_not_readable_stops_every_erasure(folder: Path) -> None:
    alice = commitments(folder, "alice")[0]
    loaded(folder, "version: 2\n")
    ledger = open_ledger(folder)
    with pytest.raises(LedgerError, match="in force cannot be read, so its legal holds are unknown"):
        ledger.erase_blocking([alice], basis="request", reason="r", operator=None)
    body: Any = {"rules": "a" * 64, "files": {"retention.yaml": "c" * 64}}
    ledger.append_blocking(Draft("rules.loaded", body))
    with pytest.raises(LedgerError, match="in force is not kept in the ledger"):
        ledger.erase_blocking([alice], basis="request", reason="r", operator=None)
    ledger.close()


def test_a_policy_in_force_that_was_changed_in_the_database_stops_every_erasure(folder: Path) -> None:
    loaded(folder, HOLD)
    tamper(folder, f"UPDATE objects SET bytes = x'{TEXT.encode().hex()}'")
    ledger = open_ledger(folder)
    with pytest.raises(LedgerError, match="its legal holds are unknown"):
        ledger.erase_blocking(commitments(folder, "bob"), basis="request", reason="r", operator=None)
    ledger.close()


def test_a_text_in_a_record_that_looks_like_loaded_rules_is_none(folder: Path) -> None:
    loaded(folder, HOLD)
    ledger = open_ledger(folder)
    ledger.append_blocking(call("x", sid="d" * 64, who={"iss": "i", "sub": '"typ":"rules.loaded"'}))
    with pytest.raises(LedgerError, match="legal hold case-1"):
        ledger.erase_blocking(commitments(folder, "bob"), basis="request", reason="r", operator=None)
    ledger.close()


# The commands.


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, str(SCRIPT), "--data", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, check=False, env=environment, text=True)


@pytest.fixture
def rules(tmp_path: Path) -> str:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "retention.yaml").write_text(TEXT)
    return str(tmp_path / "rules")


def test_erase_says_what_was_done_where_it_is_recorded_and_what_is_left_to_do(folder: Path, rules: str) -> None:
    first, second = commitments(folder, "alice")[:2]
    result = run(folder, "erase", first, second[12:], "--reason", "request 4711", "--rules", rules)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("2 payloads erased\nrecorded in 10; every checkpoint stays valid\n")
    assert "this reaches no backup" in result.stdout
    with open_reader(folder) as reader:
        written = json.loads(reader.record(10))
        kept = reader.object(written["retention"])
    assert (written["erased"], written["reason"], written["basis"]) == ([first, second], "request 4711", "request")
    assert written["operator"]["uid"] == os.getuid()
    assert kept == ("application/yaml", TEXT.encode())
    assert verify(folder).erased == 2
    again = run(folder, "erase", first, "--reason", "r", "--rules", rules, "--json")
    assert again.returncode == 2
    assert json.loads(again.stdout) == {"done": False, "error": f"{first} was erased before; nothing was erased"}


def test_prune_erases_what_the_policy_lets_go_and_counts_what_stays(folder: Path, rules: str) -> None:
    dry = run(folder, "prune", "--before", "2024-08-01", "--rules", rules, "--dry-run", "--json")
    counts = {"keep_days": 400, "erased": 6, "kept_young": 0, "kept_held": {}, "kept_kinds": 1, "erased_before": 0}
    expected = {"done": True, "before": "2024-08-01T00:00:00.000000Z", **counts}
    assert json.loads(dry.stdout) == {**expected, "dry_run": True, "recorded_in": []}
    assert verify(folder).erased == 0
    result = run(folder, "prune", "--before", "2024-08-01T00:00:00Z", "--rules", rules, "--json")
    assert json.loads(result.stdout) == {**expected, "dry_run": False, "recorded_in": [10]}
    assert (verify(folder).erased, verify(folder).payloads) == (6, 3)
    with open_reader(folder) as reader:
        written = json.loads(reader.record(10))
    assert (written["basis"], written["before"]) == ("retention", "2024-08-01T00:00:00.000000Z")
    text = run(folder, "prune", "--before", "2024-08-01", "--rules", rules).stdout
    assert text.startswith("0 payloads erased\n")
    assert verify(folder).size == 11


def test_a_process_that_has_the_ledger_open_is_asked_to_erase(folder: Path, rules: str) -> None:
    command = [sys.executable, str(SCRIPT), "--data", str(folder), "serve"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as writer:
        assert writer.stderr is not None
        assert "is served at" in writer.stderr.readline()
        first, second = commitments(folder, "alice")[:2]
        result = run(folder, "erase", first, "--reason", "request 4711", "--rules", rules)
        assert (result.returncode, result.stdout.splitlines()[0]) == (0, "1 payloads erased")
        again = run(folder, "erase", first, "--reason", "r", "--rules", rules)
        assert (again.returncode, "was erased before" in again.stderr) == (2, True)
        assert verify(folder).erased == 1
        writer.terminate()
        writer.stderr.read()
    assert {first, second} & _left(folder) == {second}


def test_both_commands_obey_a_hold_in_the_folder_that_no_gateway_has_loaded(folder: Path, rules: str) -> None:
    (Path(rules) / "retention.yaml").write_text(HOLD)
    bob = commitments(folder, "bob")[0]
    result = run(folder, "erase", bob, "--reason", "r", "--rules", rules)
    assert result.returncode == 2
    assert re.search(r"record 2 is under the legal hold case-1: a dispute; nothing was erased", result.stderr)
    result = run(folder, "prune", "--before", "2026-01-01", "--rules", rules)
    assert (result.returncode, "  5 under the legal hold case-1\n" in result.stdout) == (0, True)
    assert set(commitments(folder, "bob")) & _left(folder) == set(commitments(folder, "bob"))


def _left(folder: Path) -> set[str]:
    with open_reader(folder) as reader:
        return {row[0] for row in reader.payloads_db.execute("SELECT c FROM payloads WHERE ct <> ''")}


def test_a_hold_that_was_loaded_is_not_evaded_with_another_folder(folder: Path, rules: str) -> None:
    loaded(folder, HOLD)
    result = run(folder, "erase", commitments(folder, "bob")[0], "--reason", "r", "--rules", rules)
    assert (result.returncode, "legal hold case-1" in result.stderr) == (2, True)
    result = run(folder, "prune", "--before", "2026-01-01", "--rules", rules, "--json")
    assert json.loads(result.stdout)["kept_held"] == {"case-1": 5}


def test_without_a_policy_nothing_is_erased(folder: Path, tmp_path: Path) -> None:
    for command in (["erase", commitments(folder, "alice")[0], "--reason", "r"], ["prune", "--before", "2024-08-01"]):
        result = run(folder, *command, "--rules", str(tmp_path))
        assert (result.returncode, "retention.yaml:1: cannot be read" in result.stderr) == (2, True)
    assert verify(folder).erased == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("erase",),
        ("erase", "hmac-sha256:" + "0" * 64),
        ("erase", "nonsense", "--reason", "r"),
        ("prune",),
        ("prune", "--before", "yesterday"),
        ("prune", "--before", "2024-08-01T00:00:00"),
    ],
)
def test_wrong_usage_exits_with_3(folder: Path, arguments: tuple[str, ...]) -> None:
    assert run(folder, *arguments).returncode == 3
