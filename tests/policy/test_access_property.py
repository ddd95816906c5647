"""A second judge, written as plainly as can be, against which the real one is tried."""

import dataclasses
import textwrap
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.build import access, call

from holdfast.call import Call, Direction
from holdfast.identity.caller import Caller
from holdfast.policy.access import judge_access
from holdfast.policy.decision import Allow
from holdfast.policy.example import make_caller

WORDS = ["get_a", "get_b", "Get_a", "delete_a", "*"]
NAMES = st.lists(st.sampled_from([*WORDS, "get_*", "*_a"]), min_size=1, max_size=2)
VALUES = st.sampled_from([1, 2, "1", "x", True, None, [1]])


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {"description": "d", "effect": draw(st.sampled_from(["allow", "allow", "deny"]))}
    rule["method"] = draw(st.sampled_from([["tools/call"], ["*"], ["tools/*", "ping"]]))
    if draw(st.booleans()):
        rule["name"] = draw(NAMES)
    if draw(st.booleans()):
        rule["caller"] = {"groups": draw(st.sampled_from([["a"], ["b", "c"], ["*"]]))}
    if draw(st.booleans()):
        rule["from"] = draw(st.sampled_from(["client", "server"]))
    if draw(st.booleans()):
        test: dict[str, Any] = draw(
            st.sampled_from([{"max": 1}, {"equals": "x"}, {"one_of": [1, True]}, {"absent": True}])
        )
        rule["arguments"] = [{"path": "/n", **test}]
    return rule


@st.composite
def calls(draw: st.DrawFn) -> Call:
    params: Any = draw(
        st.one_of(
            st.none(),
            st.just([1]),
            st.fixed_dictionaries(
                {},
                optional={
                    "name": st.sampled_from([*WORDS, "", 7]),
                    "arguments": st.one_of(st.just("n"), st.dictionaries(st.sampled_from(["n", "N", "m"]), VALUES)),
                    "Name": st.just("get_a"),
                },
            ),
        )
    )
    made = call(draw(st.sampled_from(["tools/call", "Tools/Call", "ping", "vendor/x"])), params)
    direction = draw(st.sampled_from([Direction.TO_SERVER, Direction.TO_SERVER, Direction.TO_CLIENT]))
    return dataclasses.replace(made, direction=direction, id=draw(st.sampled_from([1, 1, None])))


def glob(pattern: str, text: str) -> bool:
    head, star, tail = pattern.partition("*")
    return (
        text == head
        if not star
        else text[: len(head)] == head and any(glob(tail, text[index:]) for index in range(len(head), len(text) + 1))
    )


def may_match(rule: dict[str, Any], what: Call, who: Caller) -> bool:
    """Whether an allow rule matches, by exact reading."""
    params = what.params if isinstance(what.params, dict) else {}
    name = params.get("name") if what.method == "tools/call" else None
    side = "client" if what.direction is Direction.TO_SERVER else "server"
    return (
        rule.get("from", "client") == side
        and any(glob(pattern, what.method) for pattern in rule["method"])
        and ("name" not in rule or (isinstance(name, str) and any(glob(pattern, name) for pattern in rule["name"])))
        and ("caller" not in rule or any(glob(p, g) for p in rule["caller"]["groups"] for g in who.groups))
        and all(holds(condition, what.params) for condition in rule.get("arguments", []))
    )


def holds(condition: dict[str, Any], params: object) -> bool:
    if params is None:
        params = {}
    if not isinstance(params, dict) or not isinstance(params.get("arguments", {}), dict):
        return False
    found = {key: value for key, value in params.get("arguments", {}).items() if key in {"n", "N"}}
    if "absent" in condition:
        return not found
    if "n" not in found:
        return False
    return all(holds_at(condition, value) for value in found.values())


def holds_at(condition: dict[str, Any], value: Any) -> bool:
    if "max" in condition:
        return type(value) in {int, float} and value <= condition["max"]
    wanted = [condition["equals"]] if "equals" in condition else condition["one_of"]
    return any(type(value) is type(item) and value == item for item in wanted)


@settings(max_examples=600, deadline=None)
@given(st.lists(rules(), max_size=4), calls(), st.sets(st.sampled_from(["a", "b", "d"])))
def test_nothing_is_allowed_that_no_allow_rule_matches(
    listed: list[dict[str, Any]], what: Call, groups: set[str]
) -> None:
    numbered = [{"id": f"r{index}", **rule} for index, rule in enumerate(listed)]
    text = yaml.safe_dump(numbered)
    who = make_caller(tuple(groups))
    decision = judge_access(access(textwrap.dedent(text)), what, who, "s")
    matching = [rule["id"] for rule in numbered if rule["effect"] == "allow" and may_match(rule, what, who)]
    if isinstance(decision, Allow):
        assert decision.rule == matching[0]
        denied_before = [rule for rule in numbered if rule["effect"] == "deny" and rule["id"] < decision.rule]
        assert not any(may_match(rule, what, who) for rule in denied_before)
