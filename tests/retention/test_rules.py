import datetime as dt
import textwrap
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import RulesError
from holdfast.policy.document import Source
from holdfast.retention.rules import Retention, load_retention, parse_source
from holdfast.retention.subject import Subject

SHIPPED = Path(__file__).parents[2] / "rules"
AT = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def policy(text: str = "", legal_holds: str = "legal_holds: []") -> Retention:
    data = f"version: 1\nkeep_days: 400\n{textwrap.dedent(text)}\n{textwrap.dedent(legal_holds)}\n"
    return parse_source(Source("retention.yaml", data.encode()))


def held(more: str = "", since: str = "2026-01-01") -> Retention:
    return policy(legal_holds=f"legal_holds:\n  - {{id: case-1, reason: a dispute, since: {since}{more}}}")


def subject(**more: Any) -> Subject:
    facts: dict[str, Any] = {"typ": "call", "at": AT, "callers": ("alice",), "server": "crm", "tool": "read_customer"}
    return Subject(**facts | more)


def test_the_shipped_policy_keeps_for_400_days_and_holds_nothing() -> None:
    shipped, _ = load_retention(SHIPPED)
    assert (shipped.keep_days, shipped.members, shipped.rules, shipped.legal_holds) == (
        400,
        ("req", "res", "found"),
        (),
        (),
    )


def test_the_examples_in_the_shipped_file_are_rules_once_they_are_uncommented() -> None:
    lines = (SHIPPED / "retention.yaml").read_text("utf-8").splitlines()
    after = lines[lines.index("version: 1") :]
    text = "\n".join(line[1:] if line.startswith("#  ") else line for line in after)
    text = text.replace("rules: []", "rules:").replace("legal_holds: []", "legal_holds:")
    parsed = parse_source(Source("retention.yaml", text.encode()))
    assert [rule.id for rule in parsed.rules] == ["health-records", "chat"]
    assert [hold.id for hold in parsed.legal_holds] == ["case-2026-17"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("keep_day: 3", 3, "keep_day is not known"),
        ("rules: [{id: a, description: d, tool: t, keep_days: 3, tools: x}]", 3, r"rules\[0\]\.tools is not known"),
        ("rules: [{id: a, description: d, keep_days: 3}]", 3, "is of a rule about everything"),
        ("rules: [{id: a, description: d, tool: t}]", 3, "keep_days is missing"),
        ("rules: [{id: a, tool: t, keep_days: 3}]", 3, "description is missing"),
        ("rules: [{id: a, description: d, typ: cal, keep_days: 3}]", 3, "typ is no typ of a Record"),
        ("rules: [{id: a, description: d, tool: t, keep_days: -1}]", 3, "keep_days is -1"),
        ("payloads: [req, body]", 3, "payloads names no payload"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(text: str, line: int, message: str) -> None:
    with pytest.raises(RulesError, match=message) as caught:
        policy(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{reason: r, since: 2026-01-01}", "id is missing"),
        ("{id: a, since: 2026-01-01}", "reason is missing"),
        ("{id: a, reason: r}", "since is missing"),
        ("{id: a, reason: r, since: soon}", "since is no time"),
        ("{id: a, reason: r, since: 20260101}", "since is no time"),
        ("{id: a, reason: r, since: '2026-01-01T00:00:00'}", "since is no time"),
        ("{id: a, reason: r, since: 2026-01-02, until: 2026-01-01}", "until is not after since"),
        ("{id: a, reason: r, since: 2026-01-02, callers: []}", "callers names nothing"),
        ("{id: a, reason: r, since: 2026-01-02, caller: ann}", "caller is not known"),
    ],
)
def test_a_mistake_in_a_legal_hold_is_named(entry: str, message: str) -> None:
    with pytest.raises(RulesError, match=message):
        policy(legal_holds=f"legal_holds:\n  - {entry}")


def test_a_file_without_the_list_of_legal_holds_could_have_lost_it() -> None:
    with pytest.raises(RulesError, match="legal_holds is missing"):
        policy(legal_holds="")


def test_the_first_rule_about_a_record_decides_and_else_the_file() -> None:
    parsed = policy(
        """
        rules:
          - {id: faq, description: d, tool: "faq*", keep_days: 30}
          - {id: crm, description: d, server: crm, keep_days: 2000}
        """
    )
    assert parsed.keep_days_of(subject(tool="faq_search")) == 30
    assert parsed.keep_days_of(subject()) == 2000
    assert parsed.keep_days_of(subject(server="shop")) == 400


def test_a_doubt_keeps_for_longer() -> None:
    short = policy("rules: [{id: a, description: d, tool: faq, keep_days: 3}]")
    long = policy("rules: [{id: a, description: d, tool: ehr, keep_days: 3000}]")
    assert short.keep_days_of(subject(tool="FAQ")) == 400
    assert short.keep_days_of(subject(tool=None)) == 400
    assert long.keep_days_of(subject(tool="EHR")) == 3000
    assert long.keep_days_of(subject(tool=None)) == 3000


def test_a_rule_about_a_typ_is_about_no_other() -> None:
    parsed = policy("rules: [{id: a, description: d, typ: [reply], keep_days: 3}]")
    assert (parsed.keep_days_of(subject(typ="reply")), parsed.keep_days_of(subject())) == (3, 400)


@pytest.mark.parametrize(
    ("more", "who", "is_held"),
    [
        ("", {}, True),
        (", callers: [alice]", {}, True),
        (", callers: [ALICE]", {}, True),
        (", callers: [bob]", {}, False),
        (", callers: [bob]", {"callers": ()}, True),
        (", callers: [bob]", {"callers": ("agent", "bob")}, True),
        (", servers: [shop]", {}, False),
        (", servers: [shop]", {"server": None}, True),
        (", tools: ['read_*'], servers: [crm]", {}, True),
        (", tools: ['write_*'], servers: [crm]", {}, False),
        (", until: 2026-06-01", {}, False),
        (", until: '2026-06-01T00:00:01Z'", {}, True),
    ],
)
def test_a_legal_hold_is_about_what_it_names_and_what_could_be_meant(
    more: str,
    who: dict[str, Any],
    is_held: bool,  # noqa: FBT001 -- pytest gives it by name
) -> None:
    assert (held(more).held_by(subject(**who)) is not None) is is_held


def test_a_legal_hold_begins_with_its_first_moment_in_any_zone() -> None:
    assert held(since="2026-06-01").held_by(subject()) is not None
    assert held(since="'2026-06-01T02:00:00+02:00'").held_by(subject()) is not None
    assert held(since="2026-06-01T00:00:01Z").held_by(subject()) is None


def test_a_subject_is_what_a_record_says_of_caller_server_and_tool() -> None:
    record: Any = {
        "typ": "reply",
        "ts": "2026-06-01T00:00:00.000000Z",
        "who": {"iss": "i", "sub": "u-1", "name": "Alice", "act": ["https://idp.example.com|agent-7"]},
        "dst": {"server": "crm"},
        "mcp": {"name": "read_customer"},
    }
    assert Subject.of(record) == subject(typ="reply", callers=("u-1", "Alice", "agent-7"))
    bare: Any = {"typ": "approval", "ts": "2026-06-01T00:00:00.000000Z"}
    assert Subject.of(bare) == Subject("approval", AT, (), None, None)
