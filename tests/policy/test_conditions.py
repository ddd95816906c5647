import pytest
from tests.policy.build import access, allowed, call, tool

from holdfast.errors import RulesError
from holdfast.jsontext import Json

DEEP: Json = {"b": [{"c": 1}, {"c": 2}]}


def allows(condition: str, arguments: Json) -> bool:
    rule = f"- {{id: a, description: d, effect: allow, method: tools/call, arguments: [{{{condition}}}]}}"
    return allowed(rule, tool("t", arguments))


def denies(condition: str, arguments: Json) -> bool:
    rules = f"""\
- {{id: d, description: d, effect: deny, arguments: [{{{condition}}}]}}
- {{id: a, description: d, effect: allow, method: "*"}}
"""
    return not allowed(rules, tool("t", arguments))


@pytest.mark.parametrize(
    ("condition", "arguments"),
    [
        ("path: /a, equals: x", {"a": "x"}),
        ("path: /a, equals: 1", {"a": 1.0}),
        ("path: /a, equals: null", {"a": None}),
        ("path: /a, equals: [1, {b: true}]", {"a": [1, {"b": True}]}),
        ("path: /a, one_of: [x, y]", {"a": "y"}),
        ("path: /a, matches: 'C-[0-9]+'", {"a": "C-12"}),
        ("path: /a, min: 1, max: 3", {"a": 3}),
        ("path: /a, max: 1.5", {"a": -(10**40)}),
        ("path: /a, absent: true", {}),
        ("path: /a, absent: true", None),
        ("path: /a, absent: false", {"a": 0}),
        ("path: /a/b/*/c, max: 2", {"a": DEEP}),
        ("path: /a/b/1/c, equals: 2", {"a": DEEP}),
        ("path: /a/*, max: 2", {"a": {"x": 1, "y": 2}}),
        ("path: /a, max: 2, optional: true", {}),
        ("path: /a/*, max: 2, optional: true", {"a": []}),
        ("path: /a~1b/m~0n, equals: 1", {"a/b": {"m~n": 1}}),
        ("path: /, equals: 1", {"": 1}),
    ],
)
def test_a_condition_that_holds_lets_both_kinds_of_rule_match(condition: str, arguments: Json) -> None:
    assert allows(condition, arguments)
    assert denies(condition, arguments)


@pytest.mark.parametrize(
    ("condition", "arguments"),
    [
        ("path: /a, equals: x", {"a": "z"}),
        ("path: /a, equals: 1", {"a": 2}),
        ("path: /a, equals: [1]", {"a": [True]}),
        ("path: /a, equals: {b: 1}", {"a": {"b": 1, "c": 1}}),
        ("path: /a, one_of: [x, y]", {"a": "z"}),
        ("path: /a, matches: 'C-[0-9]+'", {"a": "xC-12"}),
        ("path: /a, min: 1, max: 3", {"a": 4}),
        ("path: /a, absent: true", {"a": False}),
        ("path: /a, absent: false", {}),
        ("path: /a, equals: x", {}),
        ("path: /a, equals: x", None),
        ("path: /a/*, max: 2", {"a": []}),
        ("path: /a/b/9/c, equals: 2", {"a": DEEP}),
        ("path: /a, max: 2, optional: true", {"a": 3}),
    ],
)
def test_a_condition_that_fails_or_finds_nothing_keeps_both_kinds_from_matching(
    condition: str, arguments: Json
) -> None:
    assert not allows(condition, arguments)
    assert not denies(condition, arguments)


@pytest.mark.parametrize(
    ("condition", "arguments"),
    [
        ("path: /a, equals: x", {"a": 1}),
        ("path: /a, equals: 1", {"a": "1"}),
        ("path: /a, equals: 1", {"a": True}),
        ("path: /a, equals: true", {"a": 1}),
        ("path: /a, equals: true", {"a": "true"}),
        ("path: /a, one_of: [x, y]", {"a": ["x"]}),
        ("path: /a, matches: 'x'", {"a": 7}),
        ("path: /a, matches: 'x'", {"a": None}),
        ("path: /a, matches: 'x'", {"a": "y" * 100_001}),
        ("path: /a, matches: '(a|aa)+'", {"a": "a" * 60 + "b"}),
        ("path: /a, max: 3", {"a": "2"}),
        ("path: /a, max: 3", {"a": True}),
        ("path: /a, max: 3", {"a": [1]}),
        ("path: /a, absent: true", {"a": None}),
        ("path: /a, absent: false", {"a": None}),
        ("path: /a/b, absent: true", {"a": "b"}),
        ("path: /a/b, equals: 1", {"a": '{"b": 1}'}),
        ("path: /a/*, equals: 1", {"a": 1}),
        ("path: /a/x, equals: 1", {"a": [1]}),
        ("path: /a, equals: 1", [1]),
        ("path: /a, absent: true", "force"),
        ("path: /a/*, max: 1", {"a": [0] * 10_001}),
        ("path: /a, max: 3, optional: true", {"a": "4"}),
    ],
)
def test_what_cannot_be_judged_does_not_allow_and_does_deny(condition: str, arguments: Json) -> None:
    assert not allows(condition, arguments)
    assert denies(condition, arguments)


@pytest.mark.parametrize(
    ("condition", "arguments"),
    [
        ("path: /a/*, max: 2", {"a": [1, 3]}),
        ("path: /a/*/c, equals: 1", {"a": [{"c": 1}, {}]}),
        ("path: /a/*/c, absent: true", {"a": [{"c": 1}, {}]}),
        ("path: /a, max: 2", {"a": 1, "A": 3}),
        ("path: /a, max: 2", {"A": 1}),
        ("path: /a, absent: true", {"A": 1}),
        ("path: /a, equals: x", {"a": "X"}),
        ("path: /a, one_of: [select, table]", {"a": "TABLE\u200b"}),
        ("path: /a, matches: 'drop .*'", {"a": "DROP x"}),
        ("path: /a, matches: 'C-[0-9]+'", {"a": "C-12\n"}),
    ],
)
def test_an_allow_rule_needs_every_place_exactly_and_a_deny_rule_any_place_roughly(
    condition: str, arguments: Json
) -> None:
    assert not allows(condition, arguments)
    assert denies(condition, arguments)


def test_every_condition_of_a_rule_must_hold() -> None:
    two = "path: /a, equals: 1}, {path: /b, equals: 2"
    assert allows(two, {"a": 1, "b": 2})
    assert not allows(two, {"a": 1, "b": 3})
    assert not denies(two, {"a": 1, "b": 3})


def test_params_beside_the_arguments_have_conditions_too() -> None:
    rule = "- {id: a, description: d, effect: allow, method: x, params: [{path: /level, one_of: [info, error]}]}"
    assert allowed(rule, call("x", {"level": "info"}))
    assert not allowed(rule, call("x", {"level": "debug"}))
    assert not allowed(rule, call("x", ["info"]))


def test_arguments_under_another_spelling_of_the_member_are_not_overlooked() -> None:
    rule = "- {id: a, description: d, effect: allow, method: tools/call, arguments: [{path: /a, absent: true}]}"
    assert allowed(rule, call("tools/call", {"name": "t"}))
    assert not allowed(rule, call("tools/call", {"name": "t", "Arguments": {"a": 1}}))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("path: a, equals: 1", "does not begin with a slash"),
        ("path: /~2, equals: 1", "neither ~0 nor ~1"),
        ("path: /a~, equals: 1", "neither ~0 nor ~1"),
        (f"path: {'/a' * 17}, equals: 1", "more than 16 steps"),
        ("path: /a", "has no operator"),
        ("equals: 1", "path is missing"),
        ("path: /a, equal: 1", "has no operator"),
        ("path: /a, min: 1, maximum: 2", "maximum is not known"),
        ("path: /a, one_of: []", "is no list with entries"),
        ("path: /a, one_of: x", "is no list with entries"),
        ("path: /a, matches: '('", "is no regular expression"),
        ("path: /a, max: '3'", "is not a number"),
        ("path: /a, max: true", "is not a number"),
        ("path: /a, absent: yes please", "is not true or false"),
        ("path: /a, absent: true, max: 1", "stands beside another operator"),
        ("path: /a, absent: true, optional: true", "stands beside another operator"),
        ("path: /a, equals: 2026-01-01", "holds what JSON cannot"),
    ],
)
def test_a_condition_that_means_nothing_is_refused_by_line(condition: str, words: str) -> None:
    rule = f"- id: a\n  description: d\n  effect: deny\n  arguments:\n    - {{{condition}}}\n"
    with pytest.raises(RulesError, match=words) as caught:
        access(rule)
    assert (caught.value.file, caught.value.line) == ("access.yaml", 7)
