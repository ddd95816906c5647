import pytest
from tests.policy.build import call, caller, judge_hold, tool
from tests.policy.shipped import RULES

from holdfast.call import Direction
from holdfast.jsontext import Json
from holdfast.policy.access import AccessRule, AccessRules, judge_access, parse_access
from holdfast.policy.annotations import parse_annotations
from holdfast.policy.budgets import BudgetRule, parse_budgets
from holdfast.policy.decision import Allow, Deny, Hold
from holdfast.policy.document import parse_document, read_source
from holdfast.policy.examples import check_each, check_examples
from holdfast.policy.holding import ApprovalRules, HoldRule, parse_approval

TO_CLIENT = Direction.TO_CLIENT


@pytest.fixture(scope="module")
def access_rules() -> AccessRules:
    return parse_access(parse_document(read_source(RULES / "access.yaml")))


@pytest.fixture(scope="module")
def approval_rules() -> ApprovalRules:
    return parse_approval(parse_document(read_source(RULES / "approval.yaml")))


def test_every_shipped_rule_proves_itself(access_rules: AccessRules, approval_rules: ApprovalRules) -> None:
    assert check_examples(access_rules, "access.yaml").failures == ()
    assert check_examples(approval_rules, "approval.yaml").failures == ()
    budgets = parse_budgets(parse_document(read_source(RULES / "budgets.yaml"))).rules
    assert check_each(budgets, "budgets.yaml").failures == ()
    rules: tuple[AccessRule | HoldRule | BudgetRule, ...] = (*access_rules.rules, *approval_rules.rules, *budgets)
    for rule in rules:
        assert rule.matches, rule.id
        assert rule.passes, rule.id


@pytest.mark.parametrize(
    ("name", "hints", "access", "approval"),
    [
        ("get_customer", {"readOnlyHint": True}, "allow", "go"),
        ("search_customers", {"readOnlyHint": True}, "allow", "go"),
        ("recalculate_scores", {"idempotentHint": True, "destructiveHint": False}, "allow", "go"),
        ("recalculate_scores", None, "allow", "go"),
        ("export_customers", {"readOnlyHint": True}, "allow", "hold"),
        ("export_customers", None, "allow", "hold"),
        ("delete_customer", {"destructiveHint": True}, "allow", "hold"),
        ("purge_logs", {"destructiveHint": True}, "deny", ""),
        ("anything_else", None, "deny", ""),
    ],
)
def test_the_tools_of_the_demo(
    access_rules: AccessRules, approval_rules: ApprovalRules, name: str, hints: Json, access: str, approval: str
) -> None:
    what, user = tool(name, {"customer_id": "C-1001"}), caller("mcp-users")
    allowed = judge_access(access_rules, what, user, "customers")
    assert isinstance(allowed, Allow if access == "allow" else Deny)
    if approval:
        held = judge_hold(approval_rules, what, annotations=parse_annotations(hints) if hints is not None else None)
        assert isinstance(held, Hold if approval == "hold" else Allow)


@pytest.mark.parametrize(
    "method", ["initialize", "ping", "server/discover", "tools/list", "prompts/list", "notifications/initialized"]
)
def test_the_protocol_works_for_any_caller(access_rules: AccessRules, method: str) -> None:
    assert isinstance(judge_access(access_rules, call(method, {}), caller(), "s"), Allow)


@pytest.mark.parametrize("method", ["sampling/createMessage", "elicitation/create", "roots/list", "tools/call", "x"])
def test_a_server_asks_nothing_of_a_client(access_rules: AccessRules, method: str) -> None:
    request = call(method, {"name": "get_customer"}, direction=TO_CLIENT)
    assert isinstance(judge_access(access_rules, request, caller("mcp-admins"), "s"), Deny)


def test_a_server_may_notify(access_rules: AccessRules) -> None:
    notice = call("notifications/progress", {}, direction=TO_CLIENT)
    assert isinstance(judge_access(access_rules, notice, caller(), "s"), Allow)


def test_nobody_without_a_group_calls_a_tool(access_rules: AccessRules) -> None:
    for name in ("get_customer", "delete_customer", "echo"):
        assert isinstance(judge_access(access_rules, tool(name), caller("staff"), "s"), Deny)


def test_an_administrator_gets_any_tool_that_is_not_denied_and_unknown_risk_is_held(
    access_rules: AccessRules, approval_rules: ApprovalRules
) -> None:
    admin = caller("mcp-admins")
    assert isinstance(judge_access(access_rules, tool("reindex"), admin, "s"), Allow)
    assert isinstance(judge_access(access_rules, tool("PURGE\u200b_logs"), admin, "s"), Deny)
    assert isinstance(judge_hold(approval_rules, tool("reindex")), Hold)
    assert isinstance(
        judge_hold(approval_rules, tool("reindex"), annotations=parse_annotations({"readOnlyHint": True})), Allow
    )


def test_the_groups_that_the_shipped_rules_name_are_the_documented_three() -> None:
    text = "".join((RULES / name).read_text("utf-8") for name in ("access.yaml", "approval.yaml"))
    for group in ("mcp-users", "mcp-admins", "mcp-approvers"):
        assert group in text
