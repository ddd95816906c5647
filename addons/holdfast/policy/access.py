"""`rules/access.yaml`: who may call what. The first rule that matches decides; where none does, the answer is no."""

import dataclasses
from typing import Final

from holdfast.call import Call
from holdfast.identity.caller import Caller
from holdfast.policy.decision import Allow, Deny
from holdfast.policy.document import Section, require_version
from holdfast.policy.example import Example, parse_examples
from holdfast.policy.names import Reading
from holdfast.policy.scope import Facts, Scope, ambiguity, parse_id, parse_scope

RULES_COUNT_MAX: Final = 1000  # each Call walks them in order


@dataclasses.dataclass(frozen=True, slots=True)
class AccessRule:
    """One rule. An allow rule reads narrowly, a deny rule widely."""

    id: str
    description: str
    allows: bool
    scope: Scope
    line: int
    matches: tuple[Example, ...] = ()
    passes: tuple[Example, ...] = ()

    def why_not(self, facts: Facts) -> str | None:
        """None where the rule matches, else the first thing that differs."""
        return self.scope.why_not(facts)


@dataclasses.dataclass(frozen=True, slots=True)
class AccessRules:
    """The rules in the order of the file."""

    rules: tuple[AccessRule, ...]


def judge_access(rules: AccessRules, call: Call, caller: Caller, server: str) -> Allow | Deny:
    """Whether ``caller`` may make ``call`` to ``server``, or ``server`` may send it to ``caller``."""
    problem = ambiguity(call)
    if problem:
        return Deny(None, problem)
    facts = Facts(call, caller, server)
    for rule in rules.rules:
        if rule.why_not(facts) is None:
            return Allow(rule.id) if rule.allows else Deny(rule.id, rule.description)
    return Deny(None, "no access rule allows this call")


def parse_access(section: Section) -> AccessRules:
    """The rules of `access.yaml`.

    Raises:
        RulesError: names file, line and key.
    """
    require_version(section)
    seen: set[str] = set()
    rules = tuple(_rule(entry, seen) for entry in section.sections("rules"))
    if "rules" not in section:
        raise section.error("rules", "is missing", "Add `rules:`; `rules: []` denies everything")
    if len(rules) > RULES_COUNT_MAX:
        raise section.error("rules", f"has {len(rules)} entries", f"Keep it under {RULES_COUNT_MAX}")
    section.done()
    return AccessRules(rules)


def _rule(entry: Section, seen: set[str]) -> AccessRule:
    allows = entry.choice("effect", ("allow", "deny")) == "allow"
    scope = parse_scope(entry, Reading.NARROW if allows else Reading.WIDE)
    if allows and scope.method is None:
        raise entry.error("method", "is missing", 'An allow rule names its methods; write `method: "*"` to mean any')
    rule = AccessRule(
        id=parse_id(entry, seen),
        description=entry.text("description"),
        allows=allows,
        scope=scope,
        line=entry.line,
        matches=parse_examples(entry, "matches", scope.direction),
        passes=parse_examples(entry, "passes", scope.direction),
    )
    entry.done()
    return rule
