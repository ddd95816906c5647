from tests.policy.build import access, approval

from holdfast.policy.examples import check_examples

RULES = """\
- id: no-drop
  description: d
  effect: deny
  name: drop_*
  matches: [{name: drop_x}, {name: DROP_x}]
  passes: [{name: get_x}]
- id: users
  description: d
  effect: allow
  method: tools/call
  caller: {groups: [users]}
  arguments: [{path: /n, max: 3}]
  matches:
    - {name: get_x, caller: {groups: [users]}, arguments: {n: 3}}
  passes:
    - {name: get_x, caller: {groups: [users]}, arguments: {n: 4}}
    - {name: get_x, arguments: {n: 3}}
"""


def test_rules_that_do_what_they_say_are_proven() -> None:
    proven = check_examples(access(RULES), "access.yaml")
    assert (proven.rules_count, proven.examples_count, proven.failures) == (2, 6, ())


def failing(text: str) -> list[tuple[int, str]]:
    return [(failure.line, failure.problem) for failure in check_examples(access(text), "access.yaml").failures]


def test_a_matches_example_that_the_rule_does_not_match_fails_with_its_line_and_why() -> None:
    assert failing(RULES.replace("{n: 3}}\n  passes", "{n: 9}}\n  passes")) == [
        (16, "rule users: an example under `matches` fails: /n: max does not hold")
    ]


def test_a_passes_example_that_the_rule_matches_fails() -> None:
    assert failing(RULES.replace("{n: 4}", "{n: 2}")) == [
        (18, "rule users: an example under `passes` fails: the rule matches it")
    ]


def test_an_example_that_an_earlier_rule_decides_fails_and_names_that_rule() -> None:
    shadowed = RULES.replace("- {name: get_x, caller: {groups: [users]}, arguments: {n: 3}}", "- {name: drop_x}", 1)
    assert failing(shadowed) == [
        (16, "rule users: an example under `matches` fails: rule no-drop on line 3 decides first")
    ]


def test_an_example_of_a_hold_that_can_never_be_held_fails() -> None:
    text = "- {id: r, description: d, approver_groups: [a], matches: [{method: initialize}, {method: tools/list}]}"
    failures = check_examples(approval(text), "approval.yaml").failures
    assert [failure.problem.rpartition(": ")[2] for failure in failures] == ["calls like this are never held"]


def test_an_ambiguous_example_matches_no_rule() -> None:
    text = '- {id: r, description: d, effect: allow, method: "*", matches: [{name: a, params: {Name: b}}]}'
    assert len(failing(text)) == 1
    assert failing(text.replace("matches", "passes")) == []
