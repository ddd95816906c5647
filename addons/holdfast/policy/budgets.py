"""`rules/budgets.yaml`: how many calls a Caller may make, and how many bytes of results they may get.

Unlike access rules, every budget that is about a Call counts it; the first that is spent refuses it.
"""

import dataclasses
import enum
from typing import Final

from holdfast.policy.document import Section, require_version
from holdfast.policy.example import Example, parse_examples
from holdfast.policy.names import Reading
from holdfast.policy.scope import Facts, Scope, parse_id, parse_names, parse_who

BUDGETS_COUNT_MAX: Final = 100  # each Call walks them all
CALLS_MAX: Final = 1_000_000  # in a minute or a session; more is no limit
BYTES_MAX: Final = 1024**3
_LIMITS: Final = ("calls_per_minute", "calls_per_session", "result_bytes_per_call", "result_bytes_per_minute")


class Per(enum.Enum):
    """Whose calls are counted together."""

    CALLER = "caller"
    SESSION = "session"


@dataclasses.dataclass(frozen=True, slots=True)
class BudgetRule:
    """One budget. A limit that is None does not apply; ``per`` says whose minute it is."""

    id: str
    description: str
    per: Per
    calls_per_minute: int | None
    calls_per_session: int | None
    result_bytes_per_call: int | None
    result_bytes_per_minute: int | None
    scope: Scope
    line: int
    matches: tuple[Example, ...] = ()
    passes: tuple[Example, ...] = ()

    def why_not(self, facts: Facts) -> str | None:
        """None where the budget counts this Call, else the first thing that differs."""
        return self.scope.why_not(facts)

    @property
    def weighs(self) -> bool:
        """Whether it is about the bytes of results."""
        return self.result_bytes_per_call is not None or self.result_bytes_per_minute is not None


@dataclasses.dataclass(frozen=True, slots=True)
class BudgetRules:
    """The budgets in the order of the file."""

    rules: tuple[BudgetRule, ...] = ()


def parse_budgets(section: Section) -> BudgetRules:
    """The budgets of `budgets.yaml`.

    Raises:
        RulesError: names file, line and key.
    """
    require_version(section)
    seen: set[str] = set()
    rules = tuple(_rule(entry, seen) for entry in section.sections("budgets"))
    if "budgets" not in section:
        raise section.error("budgets", "is missing", "Add `budgets:`; `budgets: []` limits nothing")
    if len(rules) > BUDGETS_COUNT_MAX:
        raise section.error("budgets", f"has {len(rules)} entries", f"Keep it under {BUDGETS_COUNT_MAX}")
    section.done()
    return BudgetRules(rules)


def _rule(entry: Section, seen: set[str]) -> BudgetRule:
    # Widely: what a budget is about, it stops in the end.
    scope = Scope(
        Reading.WIDE,
        who=parse_who(entry, "caller", Reading.WIDE),
        server=parse_names(entry, "server", Reading.WIDE),
        method=parse_names(entry, "method", Reading.WIDE),
        name=parse_names(entry, "name", Reading.WIDE),
    )
    rule = BudgetRule(
        id=parse_id(entry, seen),
        description=entry.text("description"),
        per=Per(entry.choice("per", tuple(per.value for per in Per), Per.CALLER.value)),
        calls_per_minute=_limit(entry, "calls_per_minute", CALLS_MAX),
        calls_per_session=_limit(entry, "calls_per_session", CALLS_MAX),
        result_bytes_per_call=_limit(entry, "result_bytes_per_call", BYTES_MAX),
        result_bytes_per_minute=_limit(entry, "result_bytes_per_minute", BYTES_MAX),
        scope=scope,
        line=entry.line,
        matches=parse_examples(entry, "matches", scope.direction),
        passes=parse_examples(entry, "passes", scope.direction),
    )
    if not any(key in entry for key in _LIMITS):
        raise entry.error("id", "belongs to a budget without a limit", f"Add one of: {', '.join(_LIMITS)}")
    entry.done()
    return rule


def _limit(entry: Section, key: str, high: int) -> int | None:
    if key not in entry:
        entry.raw(key, None)  # so that an unknown key's error lists it
        return None
    return entry.integer(key, low=1, high=high)
