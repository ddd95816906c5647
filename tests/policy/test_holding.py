import pytest
from tests.policy.build import approval, call, judge_hold, tool

from holdfast.call import Call, Direction
from holdfast.errors import RulesError
from holdfast.jsontext import Json
from holdfast.policy.annotations import Annotations, parse_annotations
from holdfast.policy.decision import Allow, Hold
from holdfast.policy.holding import NOT_HELD, ApprovalRules, HoldRule

BY = "approver_groups: [mcp-approvers]"


def hold(members: str, rule_id: str = "r") -> str:
    return f"- {{id: {rule_id}, description: d, {BY}, {members}}}\n"


def is_held(rules: ApprovalRules, what: Call, findings: dict[str, int] | None = None, hints: Json = None) -> bool:
    return isinstance(judge_hold(rules, what, findings, parse_annotations(hints) if hints is not None else None), Hold)


def test_without_a_rule_nothing_is_held() -> None:
    assert judge_hold(approval("[]"), tool("delete_x")) == Allow(NOT_HELD)


def test_the_first_rule_that_matches_decides_and_a_pass_rule_exempts() -> None:
    rules = approval(
        "- {id: p, description: d, effect: pass, method: tools/call, name: delete_draft}\n"
        + hold("name: 'delete_*'", "first")
        + hold("name: '*'", "second")
    )
    assert judge_hold(rules, tool("delete_draft")) == Allow("p")
    assert judge_hold(rules, tool("Delete_Draft")) == Hold(rules.rules[1])
    assert judge_hold(rules, tool("delete_x")) == Hold(rules.rules[1])
    assert judge_hold(rules, tool("x")) == Hold(rules.rules[2])


def test_a_hold_rule_reads_widely_and_counts_what_it_cannot_read() -> None:
    rules = approval(hold("name: 'delete_*', arguments: [{path: /limit, min: 10}]"))
    assert is_held(rules, tool("DELETE_x", {"limit": 10}))
    assert is_held(rules, tool("delete_x", {"limit": "10"}))
    assert not is_held(rules, tool("delete_x", {"limit": 9}))


@pytest.mark.parametrize("method", ["initialize", "server/discover", "ping"])
def test_what_cannot_wait_is_never_held(method: str) -> None:
    rules = approval(hold("method: '*'"))
    assert judge_hold(rules, call(method, {})) == Allow(NOT_HELD)
    assert judge_hold(rules, call("notifications/cancelled", {})) == Allow(NOT_HELD)
    assert is_held(rules, call("resources/read", {"uri": "x"}))


def test_a_tool_call_without_an_id_does_not_pass_for_a_notification() -> None:
    silent = Call("tools/call", {"name": "x"}, None, Direction.TO_SERVER)
    assert is_held(approval(hold("method: '*'")), silent)


def test_text_is_searched_in_every_string_of_a_call() -> None:
    rules = approval(hold(r"text: ['\bdrop\s+table\b', rm -rf]"))
    assert is_held(rules, tool("q", {"a": [{"b": "please DROP  table x"}]}))
    assert is_held(rules, tool("q", {"rm -rf": 1}))
    assert is_held(rules, call("prompts/get", {"name": "p", "arguments": {"x": "rm -rf /"}}))
    assert not is_held(rules, tool("q", {"a": "dropped tables"}))


def test_text_that_is_too_long_or_too_costly_to_search_is_held_and_not_exempted() -> None:
    long, costly = tool("q", {"a": "x" * 1_000_001}), tool("q", {"n": "a" * 60 + "b"})
    exempt = "- {id: p, description: d, effect: pass, text: ['%s']}\n"
    assert is_held(approval(hold("text: [never]")), long)
    assert is_held(approval(hold("text: ['(a|aa)+$']")), costly)
    assert is_held(approval(exempt % "x" + hold("method: '*'")), long)
    assert is_held(approval(exempt % "(a|aa)+$" + hold("method: '*'")), costly)


def test_findings_of_the_named_entities_are_counted_together() -> None:
    rules = approval(hold("findings: [{entity: [CREDIT_CARD, US_*], at_least: 3}]"))
    assert is_held(rules, tool("t"), {"CREDIT_CARD": 1, "US_SSN": 2})
    assert not is_held(rules, tool("t"), {"CREDIT_CARD": 1, "US_SSN": 1, "EMAIL_ADDRESS": 9})


def test_every_entry_under_findings_must_be_met() -> None:
    rules = approval(hold("findings: [{entity: A}, {entity: B, at_least: 2}]"))
    assert is_held(rules, tool("t"), {"A": 1, "B": 2})
    assert not is_held(rules, tool("t"), {"A": 1, "B": 1})


@pytest.mark.parametrize(
    ("hints", "read_only", "destructive", "stated"),
    [
        (None, False, True, False),
        ({}, False, True, False),
        ({"title": "x"}, False, True, False),
        ({"readOnlyHint": True}, True, False, True),
        ({"readOnlyHint": False}, False, True, True),
        ({"destructiveHint": False}, False, False, True),
        ({"destructiveHint": True}, False, True, True),
        ({"readOnlyHint": True, "destructiveHint": True}, False, True, True),
        ({"readOnlyHint": True, "destructiveHint": False}, True, False, True),
        ({"readOnlyHint": "true", "destructiveHint": "false"}, False, True, False),
        ({"readOnlyHint": 1}, False, True, False),
        (["readOnlyHint"], False, True, False),
    ],
)
def test_what_a_server_does_not_say_plainly_counts_as_the_risk(
    hints: Json,
    read_only: bool,  # noqa: FBT001 -- a table's column
    destructive: bool,  # noqa: FBT001 -- a table's column
    stated: bool,  # noqa: FBT001 -- a table's column
) -> None:
    assert parse_annotations(hints) == Annotations(read_only, destructive, False, True, stated)


def test_idempotent_and_open_world_have_their_defaults() -> None:
    said = parse_annotations({"idempotentHint": True, "openWorldHint": False})
    assert (said.idempotent, said.open_world) == (True, False)
    unsaid = parse_annotations({"idempotentHint": 1, "openWorldHint": None})
    assert (unsaid.idempotent, unsaid.open_world) == (False, True)


def test_annotations_are_a_condition_on_tool_calls_only() -> None:
    rules = approval(hold("annotations: {destructive: true}"))
    assert is_held(rules, tool("t"))
    assert is_held(rules, tool("t"), hints={"destructiveHint": True})
    assert not is_held(rules, tool("t"), hints={"readOnlyHint": True})
    assert not is_held(rules, call("prompts/get", {"name": "p"}))
    stated = approval(hold("annotations: {destructive: true, stated: true}"))
    assert not is_held(stated, tool("t"))
    assert is_held(stated, tool("t"), hints={"destructiveHint": True})


def test_a_rule_carries_the_terms_of_its_approval() -> None:
    text = """\
- id: r
  description: d
  approver_groups: [a]
  approver_ids: [bob]
  approvals_needed: 2
  wait_s: 10
  expires_s: 20
  use_s: 30
  reason_required: true
"""
    rules = approval(text, "- {id: bob, iss: https://idp.example, sub: bob}")
    rule = rules.rules[0]
    assert (rule.approver_groups, rule.approver_ids, rule.approvals_needed) == (("a",), ("bob",), 2)
    assert (rule.wait_s, rule.expires_s, rule.use_s, rule.reason_required) == (10, 20, 30, True)


def test_the_terms_have_the_documented_defaults() -> None:
    rule = HoldRule(id="r", description="d")
    assert (rule.approvals_needed, rule.wait_s, rule.expires_s, rule.use_s) == (1, 45, 900, 300)
    assert rule.reason_required is False


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ("name: x", "approver_groups is missing"),
        ("approver_groups: []", "approver_groups is missing"),
        ("approver_groups: ['']", "has an empty name"),
        ("approver_ids: [eve]", "names eve, who is not enrolled"),
        ("approver_ids: [bob], approvals_needed: 2", "more than may approve"),
        ("approver_ids: [bob, bob], approvals_needed: 2", "more than may approve"),
        (f"{BY}, wait_s: 100, expires_s: 99", "longer than expires_s"),
        (f"{BY}, wait_s: -1", "is -1"),
        (f"{BY}, expires_s: 0", "is 0"),
        (f"{BY}, approvals_needed: 0", "is 0"),
        (f"{BY}, effect: deny", "effect is 'deny'"),
        (f"{BY}, effect: pass", "how to approve what is not held"),
        (f"{BY}, text: []", "has 0 patterns"),
        (f"{BY}, text: ['(']", "is no regular expression"),
        (f"{BY}, text: ['\\Aroot']", "uses"),
        (f"{BY}, text: ['a++++']", "is no regular expression"),
        (f"{BY}, findings: [{{entity: A, at_least: 0}}]", "is 0"),
        (f"{BY}, findings: [{{entities: A}}]", "entities is not known"),
        (f"{BY}, annotations: {{}}", "says nothing"),
        (f"{BY}, annotations: {{destructiveHint: true}}", "destructiveHint is not known"),
        (f"{BY}, annotations: {{destructive: 1}}", "is not true or false"),
        (f"{BY}, colour: red", "colour is not known"),
    ],
)
def test_a_rule_that_nobody_could_satisfy_is_refused_by_line(members: str, words: str) -> None:
    with pytest.raises(RulesError, match=words) as caught:
        approval(f"- {{id: r, description: d, {members}}}", "- {id: bob, iss: https://idp.example, sub: bob}")
    assert (caught.value.file, caught.value.line) == ("approval.yaml", 5)


def test_the_id_that_stands_for_no_rule_is_taken() -> None:
    with pytest.raises(RulesError, match="used twice"):
        approval(hold("name: x", NOT_HELD))
