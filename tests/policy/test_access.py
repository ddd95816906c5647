import pytest
from tests.policy.build import access, allowed, call, caller, judge, tool

from holdfast.call import Direction
from holdfast.errors import RulesError
from holdfast.jsontext import Json
from holdfast.policy.decision import Allow, Deny

ANY = '- {id: any, description: d, effect: allow, method: "*"}\n'
TO_CLIENT = Direction.TO_CLIENT


def rule(members: str, effect: str = "allow", rule_id: str = "r") -> str:
    method = ', method: "*"' if effect == "allow" and "method:" not in members else ""
    return f"- {{id: {rule_id}, description: about it, effect: {effect}{method}, {members}}}\n"


def test_without_a_rule_the_answer_is_no() -> None:
    assert judge("- {id: a, description: d, effect: deny, name: x}", tool("t")) == Deny(
        None, "no access rule allows this call"
    )
    assert not allowed("[]", tool("t"))


def test_the_first_rule_that_matches_decides() -> None:
    first = rule("name: get_a", "deny", "first") + rule("name: 'get_*'", rule_id="second") + rule("sub: x", "deny")[:0]
    assert judge(first, tool("get_a")) == Deny("first", "about it")
    assert judge(first, tool("get_b")) == Allow("second")
    turned = rule("name: 'get_*'", rule_id="second") + rule("name: get_a", "deny", "first")
    assert judge(turned, tool("get_a")) == Allow("second")


@pytest.mark.parametrize(
    ("members", "yes"),
    [
        ("caller: {groups: [a, b]}", True),
        ("caller: {groups: [b, c]}", True),
        ("caller: {groups: [c]}", False),
        ("caller: {groups: 'b*'}", True),
        ("caller: {groups: [B]}", False),
        ("caller: {sub: ann}", True),
        ("caller: {sub: 'a*'}", True),
        ("caller: {sub: Ann}", False),
        ("caller: {iss: 'https://idp.example'}", True),
        ("caller: {iss: 'https://idp.example/'}", False),
        ("caller: {client: desk}", True),
        ("caller: {client: other}", False),
        ("caller: {sub: ann, groups: [c]}", False),
        ("server: crm", True),
        ("server: 'c*'", True),
        ("server: CRM", False),
        ("method: tools/call", True),
        ("method: 'tools/*'", True),
        ("method: Tools/Call", False),
        ("name: get_x", True),
        ("name: Get_x", False),
    ],
)
def test_an_allow_rule_compares_exactly(members: str, yes: bool) -> None:  # noqa: FBT001 -- a table's column
    assert allowed(rule(members), tool("get_x"), caller("a", "b", client="desk")) is yes


@pytest.mark.parametrize(
    "members",
    [
        "caller: {groups: [A]}",
        "caller: {sub: ANN}",
        "caller: {iss: 'HTTPS://*'}",
        "caller: {client: Desk}",
        "server: CRM",
        "method: Tools/Call",
        "name: GET_X",
        "name: '*'",
    ],
)
def test_a_deny_rule_compares_widely(members: str) -> None:
    assert not allowed(rule(members, "deny") + ANY, tool("get_x"), caller("a", client="desk"))


def test_a_caller_without_a_client_id_is_not_the_client_that_a_rule_names() -> None:
    assert not allowed(rule("caller: {client: '*'}"), tool("t"))
    assert allowed(rule("caller: {client: '*'}", "deny") + ANY, tool("t"))


def test_a_caller_without_groups_is_in_none() -> None:
    assert not allowed(rule("caller: {groups: '*'}"), tool("t"))


def test_what_comes_from_the_server_is_judged_by_its_own_rules() -> None:
    request = call("sampling/createMessage", {}, direction=TO_CLIENT)
    assert not allowed(ANY, request)
    assert allowed(rule("from: server"), request)
    assert not allowed(rule("from: server"), call("sampling/createMessage", {}))
    assert not allowed(rule("from: server, method: 'sampling/*'", "deny") + rule("from: server", rule_id="b"), request)


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {},
        {"name": None},
        {"name": ["delete_x"]},
        {"uri": "delete_x"},
        {"arguments": {"name": "delete_x"}},
    ],
)
def test_a_call_that_names_nothing_readable_matches_no_allow_rule_with_names(params: Json) -> None:
    assert not allowed(rule("name: '*'"), call("tools/call", params))


@pytest.mark.parametrize(
    "params", [["delete_x"], {"name": ["delete_x"]}, {"name": None}, {"uri": "DELETE_X"}, {"taskId": 7}]
)
@pytest.mark.parametrize("method", ["tools/call", "vendor/run"])
def test_a_deny_rule_with_names_matches_what_it_cannot_read(params: Json, method: str) -> None:
    assert not allowed(rule("name: 'delete_*'", "deny") + ANY, call(method, params))


@pytest.mark.parametrize("params", [None, {}, {"uri": "get_x"}, {"cursor": "delete_x"}])
def test_a_deny_rule_with_names_leaves_calls_that_name_something_else(params: Json) -> None:
    assert allowed(rule("name: 'delete_*'", "deny") + ANY, call("vendor/run", params))


@pytest.mark.parametrize(
    "params",
    [
        {"name": "get_x", "Name": "delete_x"},
        {"name": "get_x", "NAME\u200b": "delete_x"},
        {"name": "get_x", "Arguments": {}},
        {"URI": "file:///x"},
        {"_Meta": {}},
    ],
)
def test_a_second_spelling_of_a_member_is_denied_whatever_the_rules_say(params: Json) -> None:
    decision = judge(ANY, call("tools/call", params))
    assert isinstance(decision, Deny)
    assert decision.rule is None
    assert "second spelling" in decision.reason


def test_a_second_spelling_beside_params_is_denied_too() -> None:
    what = tool("get_x")
    twin = type(what)(what.method, what.params, 1, what.direction, {"Method": "tools/call", "PARAMS": {}})
    assert not allowed(ANY, twin)
    assert allowed(ANY, type(what)(what.method, what.params, 1, what.direction, {"vendor": 1}))


def test_a_request_without_an_id_is_no_notification() -> None:
    what = tool("delete_x")
    silent = type(what)(what.method, what.params, None, what.direction)
    assert not allowed(ANY, silent)
    assert allowed(ANY, call("notifications/cancelled", {}))


def test_reasons_never_quote_the_call() -> None:
    what = call("secret-method 219-09-9999", {"name": "219-09-9999", "arguments": {"a": "219-09-9999"}})
    for text in ("[]", rule("name: '*'", "deny"), rule("arguments: [{path: /a, equals: x}]")):
        decision = judge(text, what)
        assert isinstance(decision, Deny)
        assert "219" not in decision.reason


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("- {description: d, effect: allow, method: x}", 3, "id is missing"),
        ("- {id: a, effect: allow, method: x}", 3, "description is missing"),
        ("- {id: a, description: d, method: x}", 3, "effect is missing"),
        ("- {id: a, description: d, effect: hold}", 3, "effect is 'hold'"),
        ("- {id: a, description: d, effect: allow}", 3, "method is missing"),
        ("- {id: A b, description: d, effect: deny}", 3, "is not short and plain"),
        ("- {id: a, description: d, effect: deny}\n- {id: a, description: d, effect: deny}", 4, "used twice"),
        ("- id: a\n  description: d\n  effect: deny\n  name: []", 6, "names nothing"),
        ("- id: a\n  description: d\n  effect: deny\n  name: ['']", 6, "names nothing"),
        ("- id: a\n  description: d\n  effect: deny\n  name: ' '", 6, "only invisible characters"),
        ("- id: a\n  description: d\n  effect: deny\n  name: [1]", 6, "is no list of texts"),
        ("- id: a\n  description: d\n  effect: deny\n  caller: {}", 6, "says nothing"),
        ("- id: a\n  description: d\n  effect: deny\n  caller: {group: x}", 6, "group is not known"),
        ("- id: a\n  description: d\n  effect: deny\n  from: both", 6, "from is 'both'"),
        ("- id: a\n  description: d\n  effect: deny\n  tool: x", 6, "tool is not known"),
        ("- id: a\n  description: d\n  effect: deny\n  matches:\n    - {nam: x}", 7, "nam is not known"),
        ("- id: a\n  description: d\n  effect: deny\n  passes:\n    - {method: ping, name: x}", 7, "has no place"),
        ("- id: a\n  description: d\n  effect: deny\n  passes: {}", 6, "is no list"),
        ("- just text", 3, "is no mapping"),
    ],
)
def test_a_rule_that_means_nothing_is_refused_by_line(text: str, line: int, words: str) -> None:
    with pytest.raises(RulesError, match=words) as caught:
        access(text)
    assert (caught.value.file, caught.value.line) == ("access.yaml", line)
