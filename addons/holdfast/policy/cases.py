"""A user's own tests of their rules: Calls, and what should become of each."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final

from holdfast.call import Direction
from holdfast.errors import RulesError
from holdfast.masking.finding import Masked
from holdfast.policy.access import judge_access
from holdfast.policy.decision import Decision, Deny, Hold
from holdfast.policy.document import Section, Source, parse_document, require_version
from holdfast.policy.example import Example, parse_example
from holdfast.policy.holding import judge_approval
from holdfast.policy.ruleset import Ruleset
from holdfast.policy.scope import Facts

EFFECTS: Final = ("allow", "deny", "hold")

type Mask = Callable[[Facts], Awaitable[Masked]]


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """One Call and the Decision that its author expects. ``rule`` is None where any rule may decide."""

    title: str
    expect: str
    rule: str | None
    example: Example


def parse_cases(source: Source) -> tuple[Case, ...]:
    """The cases in a file.

    Raises:
        RulesError: names file, line and key.
    """
    section = parse_document(source)
    require_version(section)
    cases = tuple(_case(entry) for entry in section.sections("cases"))
    if not cases:
        raise section.error("cases", "holds nothing to test", "Add `cases:` with at least one entry")
    section.done()
    return cases


def _case(entry: Section) -> Case:
    title = entry.text("case")
    expect = entry.choice("expect", EFFECTS)
    rule = entry.text_or_none("rule")
    side = entry.choice("from", ("client", "server"), "client")
    direction = Direction.TO_SERVER if side == "client" else Direction.TO_CLIENT
    return Case(title, expect, rule, parse_example(entry, direction))


async def decide(ruleset: Ruleset, facts: Facts, mask: Mask | None) -> Decision:
    """What the gate would decide: by server, access, masking, approval. Without ``mask``, findings as given."""
    asked = next((server for server in ruleset.servers if server.id == facts.server), None)
    denied = asked.denies(facts.caller) if asked else None
    if denied is not None:
        return denied
    decision = judge_access(ruleset.access, facts.call, facts.caller, facts.server)
    if isinstance(decision, Deny):
        return decision
    masked = await mask(facts) if mask else None
    refused = masked.refusal() if masked else None
    if refused is not None:
        return Deny(refused.rule, refused.reason)
    findings = masked.findings if masked else facts.findings
    held = judge_approval(
        ruleset.approval, facts.call, facts.caller, facts.server, findings, facts.annotations, trusted=facts.trusted
    )
    return held if isinstance(held, Hold) else decision


async def failures_of(cases: tuple[Case, ...], ruleset: Ruleset, mask: Mask, file: str) -> tuple[RulesError, ...]:
    """What is wrong with each case that does not come out as expected."""
    failures = [await _failure(case, ruleset, mask, file) for case in cases]
    return tuple(failure for failure in failures if failure)


async def _failure(case: Case, ruleset: Ruleset, mask: Mask, file: str) -> RulesError | None:
    decision = await decide(ruleset, case.example.facts, None if case.example.states_findings else mask)
    effect, rule = _outcome(decision)
    if effect == case.expect and case.rule in {None, rule}:
        return None
    expected = case.expect + (f" by {case.rule}" if case.rule else "")
    problem = f"{case.title}: expected {expected}, but the decision is {effect} by {rule or 'no rule'}"
    return RulesError(file, case.example.line, problem, "Correct the rules or the case")


def _outcome(decision: Decision) -> tuple[str, str | None]:
    match decision:
        case Hold(rule):
            return "hold", rule.id
        case Deny(rule=rule_id):
            return "deny", rule_id
    return "allow", decision.rule
