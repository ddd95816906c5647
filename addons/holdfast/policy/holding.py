"""`rules/approval.yaml`: which allowed Calls a person must approve first, and who may.

The first rule that matches decides: ``effect: hold`` (the default) makes the Call wait, ``effect: pass`` exempts it.
Where none matches, nothing is held.
"""

import dataclasses
import re
from typing import Final

from holdfast.call import Call
from holdfast.identity.caller import Caller
from holdfast.masking.finding import Finding
from holdfast.policy.annotations import UNKNOWN, Annotations
from holdfast.policy.approvers import Approver, parse_approvers
from holdfast.policy.decision import Allow, Hold
from holdfast.policy.document import Section, require_version
from holdfast.policy.example import Example, parse_examples
from holdfast.policy.names import Names, Reading, fold_name
from holdfast.policy.pattern import Fit, Pattern, parse_pattern
from holdfast.policy.scope import Facts, Scope, parse_id, parse_names, parse_scope
from holdfast.policy.texts import search

NOT_HELD: Final = "not-held"  # the rule id of an Allow where no rule matched
RULES_COUNT_MAX: Final = 1000  # each Call walks them in order
PATTERNS_COUNT_MAX: Final = 50  # of one rule; they share a budget
WAIT_S_MAX: Final = 3600  # no client waits longer; most give up after 60 s
EXPIRES_S_MAX: Final = 7 * 24 * 3600  # who asked for it has forgotten why
USE_S_MAX: Final = 24 * 3600  # the world that the approver saw has changed
# A client that waits here takes the server for an old one, or for a dead one.
NEVER_HELD: Final = frozenset({"initialize", "server/discover", "ping"})
_HINTS: Final = ("read_only", "destructive", "idempotent", "open_world", "stated")
_TEXT_ANCHOR: Final = re.compile(r"(?<!\\)(?:\\\\)*\\[AZz]")


@dataclasses.dataclass(frozen=True, slots=True)
class FindingCount:
    """At least this many findings of these entities together."""

    entity: Names
    at_least: int


@dataclasses.dataclass(frozen=True, slots=True)
class Risk:
    """What a rule asks beyond its scope; all of it must be so. Empty: nothing."""

    text: tuple[Pattern, ...] = ()
    findings: tuple[FindingCount, ...] = ()
    annotations: tuple[tuple[str, bool], ...] = ()
    untrusted: bool = False

    def why_not(self, facts: Facts, reading: Reading) -> str | None:
        """None where all of it is so, else what is not."""
        if self.untrusted and facts.trusted:
            return "definition: it is trusted"
        for hint, wanted in self.annotations:
            if fold_name(facts.call.method) != "tools/call" or getattr(facts.annotations, hint) is not wanted:
                return f"annotations: {hint} is not {str(wanted).lower()}"
        for count in self.findings:
            if sum(count.entity.fit(finding.entity) for finding in facts.findings) < count.at_least:
                return f"findings: fewer than {count.at_least}"
        return self._text(facts.call, reading) if self.text else None

    def _text(self, call: Call, reading: Reading) -> str | None:
        fit = search(self.text, [call.params, call.extra])
        met = fit is Fit.HOLDS or (fit is Fit.UNREADABLE and reading is Reading.WIDE)
        return None if met else f"text: no pattern {Fit.HOLDS.value}" if fit is Fit.FAILS else f"text: {fit.value}"


@dataclasses.dataclass(frozen=True, slots=True)
class HoldRule:
    """One rule, and the terms of an Approval under it.

    ``wait_s`` is how long the Caller's request stays open, ``expires_s`` how long the Hold can be decided after it was
    opened, ``use_s`` how long after the Approval the Call may still go.
    """

    id: str
    description: str
    approver_groups: tuple[str, ...] = ()
    approver_ids: tuple[str, ...] = ()
    approvals_needed: int = 1
    wait_s: int = 45
    expires_s: int = 900
    use_s: int = 300
    reason_required: bool = False
    holds: bool = True
    scope: Scope = dataclasses.field(default_factory=lambda: Scope(Reading.WIDE))
    risk: Risk = dataclasses.field(default_factory=Risk)
    line: int = 1
    matches: tuple[Example, ...] = ()
    passes: tuple[Example, ...] = ()

    def why_not(self, facts: Facts) -> str | None:
        """None where the rule matches, else the first thing that differs."""
        return self.scope.why_not(facts) or self.risk.why_not(facts, self.scope.reading)


@dataclasses.dataclass(frozen=True, slots=True)
class ApprovalRules:
    """The rules in the order of the file, and everybody who is enrolled."""

    rules: tuple[HoldRule, ...]
    approvers: tuple[Approver, ...]


def is_never_held(call: Call) -> bool:
    """Whether ``call`` is one that cannot wait, or has no Reply that could say so."""
    return call.method in NEVER_HELD or (call.is_notification and call.method.startswith("notifications/"))


def judge_approval(
    rules: ApprovalRules,
    call: Call,
    caller: Caller,
    server: str,
    findings: tuple[Finding, ...],
    annotations: Annotations | None,
    *,
    trusted: bool = True,
) -> Allow | Hold:
    """Whether ``call``, which access rules allow, must wait for an Approval.

    Args:
        rules: in the order of the file.
        call: as the client sent it, before masking.
        caller: who makes it.
        server: to which server.
        findings: what masking found in it.
        annotations: what the server said about the tool; None where it said nothing.
        trusted: whether `tools.yaml` has nothing against the definition of what is called.
    """
    if is_never_held(call):
        return Allow(NOT_HELD)
    facts = Facts(call, caller, server, findings, annotations or UNKNOWN, trusted)
    for rule in rules.rules:
        if rule.why_not(facts) is None:
            return Hold(rule) if rule.holds else Allow(rule.id)
    return Allow(NOT_HELD)


def parse_approval(section: Section) -> ApprovalRules:
    """The rules and approvers of `approval.yaml`.

    Raises:
        RulesError: names file, line and key.
    """
    require_version(section)
    approvers = parse_approvers(section)
    enrolled = frozenset(approver.id for approver in approvers)
    seen: set[str] = {NOT_HELD}
    rules = tuple(_rule(entry, seen, enrolled) for entry in section.sections("rules"))
    if "rules" not in section:
        raise section.error("rules", "is missing", "Add `rules:`; `rules: []` holds nothing")
    if len(rules) > RULES_COUNT_MAX:
        raise section.error("rules", f"has {len(rules)} entries", f"Keep it under {RULES_COUNT_MAX}")
    section.done()
    return ApprovalRules(rules, approvers)


def _rule(entry: Section, seen: set[str], enrolled: frozenset[str]) -> HoldRule:
    holds = entry.choice("effect", ("hold", "pass"), "hold") == "hold"
    reading = Reading.WIDE if holds else Reading.NARROW
    scope = parse_scope(entry, reading)
    rule = HoldRule(
        id=parse_id(entry, seen),
        description=entry.text("description"),
        approver_groups=entry.texts("approver_groups", ()),
        approver_ids=entry.texts("approver_ids", ()),
        approvals_needed=entry.integer("approvals_needed", 1, low=1, high=10),
        wait_s=entry.integer("wait_s", 45, high=WAIT_S_MAX),
        expires_s=entry.integer("expires_s", 900, low=1, high=EXPIRES_S_MAX),
        use_s=entry.integer("use_s", 300, low=1, high=USE_S_MAX),
        reason_required=entry.flag("reason_required", default=False),
        holds=holds,
        scope=scope,
        risk=_risk(entry),
        line=entry.line,
        matches=parse_examples(entry, "matches", scope.direction),
        passes=parse_examples(entry, "passes", scope.direction),
    )
    _check_terms(entry, rule, enrolled)
    entry.done()
    return rule


def _check_terms(entry: Section, rule: HoldRule, enrolled: frozenset[str]) -> None:
    terms = ("approver_groups", "approver_ids", "approvals_needed", "wait_s", "expires_s", "use_s", "reason_required")
    if not rule.holds:
        for key in terms:
            if key in entry:
                raise entry.error(key, "says how to approve what is not held", "Remove it, or write `effect: hold`")
        return
    for approver_id in rule.approver_ids:
        if approver_id not in enrolled:
            raise entry.error("approver_ids", f"names {approver_id}, who is not enrolled", "Add them to `approvers`")
    if not rule.approver_groups and not rule.approver_ids:
        raise entry.error("approver_groups", "is missing", "Say who may approve: `approver_groups` or `approver_ids`")
    if not all(rule.approver_groups):
        raise entry.error("approver_groups", "has an empty name", "Remove it")
    if not rule.approver_groups and len(set(rule.approver_ids)) < rule.approvals_needed:
        raise entry.error("approvals_needed", "is more than may approve", "Lower it, or name more approvers")
    if rule.wait_s > rule.expires_s:
        raise entry.error("wait_s", "is longer than expires_s", "Nobody waits for what has expired")


def _risk(entry: Section) -> Risk:
    return Risk(
        _patterns(entry), tuple(_count(count) for count in entry.sections("findings")), _hints(entry), _untrusted(entry)
    )


def _untrusted(entry: Section) -> bool:
    if "definition" not in entry:
        entry.raw("definition", None)  # so that an unknown key's error lists it
        return False
    return entry.choice("definition", ("untrusted",)) == "untrusted"


def _patterns(entry: Section) -> tuple[Pattern, ...]:
    texts = entry.texts("text", ())
    if "text" in entry and not 0 < len(texts) <= PATTERNS_COUNT_MAX:
        raise entry.error("text", f"has {len(texts)} patterns", f"Write 1 to {PATTERNS_COUNT_MAX} expressions")
    if any(_TEXT_ANCHOR.search(text) for text in texts):
        raise entry.error("text", r"uses \A or \Z", "Use ^ and $: the texts of a call are searched as lines")
    return tuple(parse_pattern(entry, "text", text) for text in texts)


def _count(entry: Section) -> FindingCount:
    entity = parse_names(entry, "entity", Reading.WIDE)
    count = entry.integer("at_least", 1, low=1)
    entry.done()
    return FindingCount(entity or Names.of(("*",), Reading.WIDE), count)


def _hints(entry: Section) -> tuple[tuple[str, bool], ...]:
    section = entry.section("annotations")
    if section is None:
        return ()
    hints = tuple((hint, section.flag(hint)) for hint in _HINTS if hint in section)
    for hint in _HINTS:
        section.raw(hint, None)
    section.done()
    if not hints:
        raise entry.error("annotations", "says nothing", f"Name one of: {', '.join(_HINTS)}")
    return hints
