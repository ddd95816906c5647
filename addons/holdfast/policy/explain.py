"""Why a Call would be allowed, denied or held: every rule tried, and what differed. Never what the Call says."""

import dataclasses
from collections.abc import Sequence

from holdfast.jsontext import Json, JsonObject
from holdfast.masking.finding import Masked
from holdfast.policy.access import AccessRule, AccessRules, judge_access
from holdfast.policy.cases import Mask
from holdfast.policy.decision import Allow, Hold
from holdfast.policy.holding import ApprovalRules, HoldRule, judge_approval
from holdfast.policy.ruleset import Ruleset
from holdfast.policy.scope import Facts, ambiguity


@dataclasses.dataclass(frozen=True, slots=True)
class Tried:
    """A rule that was tried; ``why_not`` is None for the one that matched."""

    rule: str
    line: int
    why_not: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Explained:
    """One judgement: the effect, the rule if one decided, and the rules tried in order."""

    effect: str
    rule: str | None
    reason: str
    tried: tuple[Tried, ...]
    terms: HoldRule | None = None

    def to_json(self) -> JsonObject:
        """As `scripts/rules.py explain --json` prints it."""
        tried: list[Json] = [{"rule": item.rule, "line": item.line, "why_not": item.why_not} for item in self.tried]
        value: JsonObject = {"effect": self.effect, "rule": self.rule, "reason": self.reason, "tried": tried}
        return value | ({"terms": _terms(self.terms)} if self.terms else {})


def _terms(rule: HoldRule) -> JsonObject:
    return {
        "approver_groups": list(rule.approver_groups),
        "approver_ids": list(rule.approver_ids),
        "approvals_needed": rule.approvals_needed,
        "wait_s": rule.wait_s,
        "expires_s": rule.expires_s,
        "use_s": rule.use_s,
        "reason_required": rule.reason_required,
    }


def _tried(rules: Sequence[AccessRule | HoldRule], facts: Facts) -> tuple[Tried, ...]:
    tried: list[Tried] = []
    for rule in rules:
        tried.append(Tried(rule.id, rule.line, rule.why_not(facts)))
        if tried[-1].why_not is None:
            break
    return tuple(tried)


def explain_access(rules: AccessRules, facts: Facts) -> Explained:
    """What :func:`~holdfast.policy.access.judge_access` says of ``facts``, and why."""
    decision = judge_access(rules, facts.call, facts.caller, facts.server)
    if isinstance(decision, Allow):
        rule = next(rule for rule in rules.rules if rule.id == decision.rule)
        return Explained("allow", rule.id, rule.description, _tried(rules.rules, facts))
    tried = () if ambiguity(facts.call) else _tried(rules.rules, facts)
    return Explained("deny", decision.rule, decision.reason, tried)


def explain_approval(rules: ApprovalRules, facts: Facts) -> Explained:
    """What :func:`~holdfast.policy.holding.judge_approval` says of ``facts``, and why."""
    decision = judge_approval(
        rules, facts.call, facts.caller, facts.server, facts.findings, facts.annotations, trusted=facts.trusted
    )
    tried = _tried(rules.rules, facts)
    if isinstance(decision, Hold):
        return Explained("hold", decision.rule.id, decision.rule.description, tried, decision.rule)
    rule = next((rule for rule in rules.rules if rule.id == decision.rule), None)
    if rule:
        return Explained("allow", rule.id, rule.description, tried)
    return Explained("allow", None, "no approval rule matches, or the method is never held", tried)


async def explain(ruleset: Ruleset, facts: Facts, mask: Mask) -> JsonObject:
    """Server, access, masking and approval in the gate's order, as `scripts/rules.py explain --json` prints them.

    ``approval`` is null where the server, access or masking denies, as the gate does not ask then; ``server`` where the
    rules name none.
    """
    server = _server(ruleset, facts)
    access = explain_access(ruleset.access, facts)
    masked = await mask(facts)
    facts = dataclasses.replace(facts, findings=masked.findings)
    approval = (
        explain_approval(ruleset.approval, facts).to_json()
        if access.effect == "allow" and not server.get("why_not") and masked.refusal() is None
        else None
    )
    return {
        "access": access.to_json(),
        "approval": approval,
        "masking": _in_force(ruleset, facts) | masked_json(masked),
        "rules": ruleset.digest_hex,
        "server": server or None,
    }


def _server(ruleset: Ruleset, facts: Facts) -> JsonObject:
    """The server that is asked, and why the Caller may not use it; empty where the rules name no servers."""
    for server in ruleset.servers:
        if server.id == facts.server:
            return {"id": server.id, "upstream": str(server.upstream), "why_not": server.callers.why_not(facts.caller)}
    return {}


def _in_force(ruleset: Ruleset, facts: Facts) -> JsonObject:
    """The profile by which the call is masked, and the override that chose it; None where none did."""
    found = ruleset.masking.in_force_for(facts.server, facts.call.name, facts.call.direction)
    return {"profile": found.profile, "override": found.override}


def masked_json(masked: Masked) -> JsonObject:
    """What masking did: each finding by path, the message as it is kept, and whether the server sees it so."""
    findings: list[Json] = [
        {"path": finding.path, "entity": finding.entity, "rule": finding.rule, "length": finding.length}
        for finding in masked.findings
    ]
    kept, forwarded = masked.keep.to_json().get("params"), masked.forward.to_json().get("params")
    refused = masked.refusal()
    why = None if refused is None else f"rule {refused.rule} refuses it: {refused.reason}"
    return {"findings": findings, "kept": kept, "forwarded_as_kept": kept == forwarded, "refused": why}
