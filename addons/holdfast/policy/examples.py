"""Running the examples that rules carry: each rule proves itself."""

import dataclasses
from collections.abc import Iterator, Sequence

from holdfast.errors import RulesError
from holdfast.policy.access import AccessRule, AccessRules
from holdfast.policy.budgets import BudgetRule
from holdfast.policy.holding import ApprovalRules, HoldRule, is_never_held
from holdfast.policy.scope import Facts, ambiguity

type Rule = AccessRule | HoldRule


@dataclasses.dataclass(frozen=True, slots=True)
class Proven:
    """How many rules and examples a file has, and the examples that came out otherwise."""

    rules_count: int
    examples_count: int
    failures: tuple[RulesError, ...]


def check_examples(rules: AccessRules | ApprovalRules, file: str) -> Proven:
    """Run the examples of every rule of ``file``.

    A ``matches`` example holds where its rule is the first of the file that matches, a ``passes`` example where its
    rule does not match.
    """
    every: tuple[Rule, ...] = rules.rules
    failures = tuple(failure for rule in every for failure in _failures(rule, every, file))
    return Proven(len(every), sum(len(rule.matches) + len(rule.passes) for rule in every), failures)


def _failures(rule: Rule, every: tuple[Rule, ...], file: str) -> Iterator[RulesError]:
    for example in rule.matches:
        why = _why_not_first(rule, every, example.facts)
        if why:
            yield RulesError(file, example.line, f"rule {rule.id}: an example under `matches` fails: {why}", _REMEDY)
    for example in rule.passes:
        if _settled_before(rule, example.facts) is None and rule.why_not(example.facts) is None:
            problem = f"rule {rule.id}: an example under `passes` fails: the rule matches it"
            yield RulesError(file, example.line, problem, _REMEDY)


def check_each(rules: Sequence[BudgetRule], file: str) -> Proven:
    """Run the examples of rules that do not wait for each other: each matches by itself, or does not."""
    failures: list[RulesError] = []
    for rule in rules:
        for example in rule.matches:
            if why := rule.why_not(example.facts):
                problem = f"rule {rule.id}: an example under `matches` fails: {why}"
                failures.append(RulesError(file, example.line, problem, _REMEDY))
        for example in rule.passes:
            if rule.why_not(example.facts) is None:
                problem = f"rule {rule.id}: an example under `passes` fails: the rule matches it"
                failures.append(RulesError(file, example.line, problem, _REMEDY))
    return Proven(len(rules), sum(len(rule.matches) + len(rule.passes) for rule in rules), tuple(failures))


_REMEDY = "Correct the rule or the example"


def _why_not_first(rule: Rule, every: tuple[Rule, ...], facts: Facts) -> str | None:
    settled = _settled_before(rule, facts)
    if settled:
        return settled
    for other in every:
        why = other.why_not(facts)
        if other is rule:
            return why
        if why is None:
            return f"rule {other.id} on line {other.line} decides first"
    return "the rule is not in the file"


def _settled_before(rule: Rule, facts: Facts) -> str | None:
    if isinstance(rule, AccessRule):
        return ambiguity(facts.call)
    return "calls like this are never held" if is_never_held(facts.call) else None
