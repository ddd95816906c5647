import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripts import rules as rules_command
from tests.policy.shipped import RULES

SCRIPT = RULES.parent / "scripts" / "rules.py"


def run_apart(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command as somebody types it."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=cwd)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has Presidio loaded."""
    said, complained = io.StringIO(), io.StringIO()
    code: object = None
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        try:
            code = rules_command.main([*map(str, arguments)])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), complained.getvalue())


def explain(*arguments: str) -> dict[str, Any]:
    done = run("explain", "--json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


def test_check_counts_what_is_in_the_shipped_rules_from_any_folder(tmp_path: Path) -> None:
    done = run_apart("check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "identity.yaml",
        "access.yaml",
        "masking.yaml",
        "masking/secrets.yaml",
        "masking/people.yaml",
        "masking/languages.yaml",
        *(f"profiles/{name}.yaml" for name in ("all", "gdpr", "hipaa", "pci", "secrets")),
        "approval.yaml",
        "servers.yaml",
        "witnesses.yaml",
        "retention.yaml",
        "budgets.yaml",
        "tools.yaml",
    ]
    assert all(line.endswith("all well") for line in lines)


def test_check_names_every_wrong_file_and_goes_on(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    access = rules / "access.yaml"
    access.write_text(access.read_text("utf-8").replace("effect: deny", "effekt: deny", 1), "utf-8")
    (rules / "identity.yaml").unlink()
    approval = rules / "approval.yaml"
    approval.write_text(approval.read_text("utf-8").replace('"delete*", ', "", 1), "utf-8")
    done = run("check", "--rules", rules)
    assert done.returncode == 1
    assert "identity.yaml: cannot be loaded" in done.stdout
    assert "approval.yaml: 8 rules" in done.stdout
    assert "access.yaml:" in done.stderr
    assert "effect is missing. Add `effect:` here" in done.stderr
    assert "rule destructive-names: an example under `matches` fails" in done.stderr


def test_explain_says_which_rule_decides_why_others_do_not_and_what_is_masked() -> None:
    told = explain(
        "--name",
        "delete_customer",
        "--groups",
        "mcp-users,staff",
        "--sub",
        "ann",
        "--server",
        "crm",
        "--arguments",
        '{"reason": "paid with 4111 1111 1111 1111"}',
    )
    assert (told["access"]["effect"], told["access"]["rule"]) == ("allow", "changing-tools")
    assert [item["why_not"] for item in told["access"]["tried"]][-1] is None
    assert told["access"]["tried"][0]["why_not"] == "name: another"
    assert (told["approval"]["effect"], told["approval"]["rule"]) == ("hold", "destructive-names")
    assert told["approval"]["terms"]["approver_groups"] == ["mcp-approvers"]
    found = told["masking"]["findings"]
    assert [(item["path"], item["entity"]) for item in found] == [("/params/arguments/reason", "CREDIT_CARD")]
    assert "4111 1111" not in json.dumps(told)


def test_check_finds_mistakes_in_profiles_that_nobody_uses_yet(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    (rules / "profiles" / "mine.yaml").write_text("version: 1\ndescription: mine\nentities: [US_SSM]\n")
    done = run("check", "--rules", rules)
    assert done.returncode == 1
    assert "profiles/mine.yaml: cannot be loaded" in done.stdout
    assert "profiles/mine.yaml:3: entities names US_SSM" in done.stderr


def test_explain_says_which_profile_and_which_override_decide(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    text = (rules / "masking.yaml").read_text("utf-8")
    override = "overrides:\n  - {id: shop-takes-cards, server: shop, tool: pay*, profile: pci}\n"
    (rules / "masking.yaml").write_text(text.replace("overrides: []\n", override), "utf-8")
    asked = ("--name", "pay_now", "--arguments", '{"note": "SSN 234-45-6789"}', "--rules", str(rules))
    told = explain(*asked, "--server", "shop")["masking"]
    assert (told["profile"], told["override"], told["findings"]) == ("pci", "shop-takes-cards", [])
    told = explain(*asked, "--server", "crm")["masking"]
    assert (told["profile"], told["override"], len(told["findings"])) == ("all", None, 1)
    done = run("explain", *asked, "--server", "shop")
    assert "masking   0 findings; profile pci, by override shop-takes-cards" in done.stdout


def test_explain_does_not_ask_for_approval_of_what_is_denied() -> None:
    told = explain("--name", "purge_logs", "--groups", "mcp-admins")
    assert (told["access"]["effect"], told["access"]["rule"]) == ("deny", "dangerous-tools")
    assert told["approval"] is None


def test_explain_takes_what_the_server_says_about_the_tool() -> None:
    hinted = ("--name", "reindex", "--groups", "mcp-admins", "--annotations", '{"readOnlyHint": true}')
    assert explain(*hinted)["approval"]["effect"] == "allow"
    assert explain(*hinted[:4])["approval"]["rule"] == "unknown-risk"


def test_explain_judges_the_server_s_requests() -> None:
    told = explain("--from", "server", "--method", "sampling/createMessage")
    assert told["access"]["rule"] == "server-requests"


def test_explain_is_readable_without_json() -> None:
    done = run_apart("explain", "--name", "delete_customer", "--groups", "mcp-users")
    assert done.returncode == 0
    assert "access    allow by rule changing-tools" in done.stdout
    assert "may approve: group mcp-approvers; needed: 1" in done.stdout
    denied = run("explain", "--method", "resources/read", "--name", "file:///etc/passwd")
    assert "access    deny by no rule: no access rule allows this call" in denied.stdout
    assert "not asked: the call is denied" in denied.stdout


CASES = """\
version: 1
cases:
  - {case: users delete, expect: hold, rule: destructive-names, name: delete_customer, caller: {groups: [mcp-users]}}
  - {case: guests get nothing, expect: deny, name: get_customer}
  - {case: no sampling, expect: deny, rule: server-requests, from: server, method: sampling/createMessage}
  - case: five cards are found by masking
    expect: hold
    rule: bulk-regulated
    name: get_customer
    caller: {groups: [mcp-users]}
    arguments:
      cards: [4111 1111 1111 1111, 5555 5555 5555 4444, 3782 822463 10005, 6011 1111 1111 1117, 4012 8888 8888 1881]
  - {case: as given, expect: allow, name: get_customer, caller: {groups: [mcp-users]}, findings: {CREDIT_CARD: 4}}
"""


def test_a_users_own_cases_are_run(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(CASES, "utf-8")
    done = run_apart("test", file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cases.yaml: 5 cases, 0 failed\n", "")


def test_a_case_that_comes_out_otherwise_is_named_by_line(tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(CASES.replace("expect: deny, name", "expect: allow, name"), "utf-8")
    done = run("test", file)
    assert (done.returncode, done.stdout) == (1, "cases.yaml: 5 cases, 1 failed\n")
    assert "cases.yaml:4: guests get nothing: expected allow, but the decision is deny by no rule" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version: 1\ncases: []\n", "cases.yaml:2: cases holds nothing to test"),
        ("version: 1\ncases:\n  - {case: a, expect: maybe}\n", "cases.yaml:3: cases[0].expect is 'maybe'"),
        ("version: 1\ncases:\n  - {case: a, expect: deny, tool: x}\n", "cases.yaml:3: cases[0].tool is not known"),
    ],
)
def test_a_file_of_cases_that_is_wrong_is_named_by_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(text, "utf-8")
    done = run("test", file)
    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("chek",),
        ("test",),
        ("explain", "--arguments", "{"),
        ("explain", "--arguments", '{"a": 1, "a": 2}'),
        ("explain", "--params", "[]"),
        ("explain", "--method", "ping", "--name", "x"),
        ("explain", "--from", "both"),
    ],
)
def test_a_wrong_command_line_is_exit_code_3_with_the_reason(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert "error:" in done.stderr


def test_a_wrong_command_is_the_exit_code_of_its_process() -> None:
    done = run_apart("chek")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error:" in done.stderr


SERVERS = """\
version: 1
servers:
  - id: crm
    upstream: http://127.0.0.1:3000
    paths: /crm/mcp
    upstream_path: /mcp
  - id: docs
    upstream: https://docs.internal
    paths: [/docs/mcp, /docs/sse]
    callers: {groups: [writers]}
"""


@pytest.fixture
def two_servers(tmp_path: Path) -> Path:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    (rules / "servers.yaml").write_text(SERVERS, "utf-8")
    return rules


def test_servers_says_which_path_leads_where(two_servers: Path) -> None:
    done = run("servers", "--rules", two_servers)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "crm: /crm/mcp -> http://127.0.0.1:3000/mcp",
        "docs: /docs/mcp -> https://docs.internal/docs/mcp",
        "docs: /docs/sse -> https://docs.internal/docs/sse",
    ]
    assert run("servers", "--first", "--rules", two_servers).stdout == "http://127.0.0.1:3000\n"


def test_servers_fails_where_the_rules_name_none() -> None:
    done = run_apart("servers", "--first")
    assert (done.returncode, done.stdout) == (1, "")
    assert "names no server" in done.stderr


def test_explain_asks_the_server_before_the_access_rules(two_servers: Path) -> None:
    asked = ["--name", "get_customer", "--groups", "mcp-users", "--rules", str(two_servers)]
    told = explain(*asked, "--server", "docs")
    why_not = "caller: in none of the groups"
    assert told["server"] == {"id": "docs", "upstream": "https://docs.internal", "why_not": why_not}
    assert (told["access"]["effect"], told["approval"]) == ("allow", None)
    assert explain(*asked)["server"] == {"id": "crm", "upstream": "http://127.0.0.1:3000", "why_not": None}
    assert explain(*asked)["approval"]["effect"] == "allow"
    done = run("explain", *asked, "--server", "docs")
    assert "server    docs at https://docs.internal: deny by rule docs: caller: in none of the groups" in done.stdout
    unknown = run("explain", *asked, "--server", "crn")
    assert (unknown.returncode, unknown.stdout) == (3, "")
    assert "--server crn is none of servers.yaml: crm, docs" in unknown.stderr


def test_a_case_is_denied_where_the_server_is_not_for_its_caller(two_servers: Path, tmp_path: Path) -> None:
    asked = "server: docs, name: get_customer"
    denied = f"  - {{case: a, expect: deny, rule: docs, {asked}, caller: {{groups: [mcp-users]}}}}\n"
    allowed = f"  - {{case: b, expect: allow, {asked}, caller: {{groups: [mcp-users, writers]}}}}\n"
    (tmp_path / "cases.yaml").write_text(f"version: 1\ncases:\n{denied}{allowed}", "utf-8")
    done = run("test", tmp_path / "cases.yaml", "--rules", two_servers)
    assert (done.returncode, done.stderr) == (0, "")
