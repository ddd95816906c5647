"""The rules' own examples: every rule proves itself.

``matches`` are texts in which the rule must find something, ``passes`` texts in which it must find nothing. An example
that is a JSON object is read as one, so key rules are shown as ``{"ssn": 234567890}``. An allow list is the other way
round: what it ``passes`` must come through unmasked, what it ``matches`` must still be masked.
"""

import dataclasses

from holdfast import jsontext
from holdfast.call import Direction
from holdfast.masking.automata import Automata
from holdfast.masking.budget import Budget
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import AllowRule, DenyRule, EntityRule, KeyRule, MaskingRules, PatternRule
from holdfast.masking.finding import Finding
from holdfast.masking.keys import KeyForces
from holdfast.masking.paths import Paths
from holdfast.masking.place import Place
from holdfast.masking.tools import Tools
from holdfast.masking.walk import Walk

type Rule = EntityRule | PatternRule | KeyRule | DenyRule | AllowRule

_KEY = bytes(32)  # examples are no secrets


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """An example that does not hold: where its rule stands, which rule, which example (counted from 1), and why."""

    file: str
    line: int
    rule: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: rule {self.rule}: {self.problem}"


def rules_that_prove(rules: MaskingRules) -> tuple[Rule, ...]:
    """The rules that may carry examples."""
    return (*rules.entities, *rules.patterns, *rules.keys, *rules.deny, *rules.allow)


def check_examples(
    rules: MaskingRules, prefilter: str | None = None, automata: Automata | None = None
) -> list[Problem]:
    """Every example that does not hold; empty where all do.

    ``prefilter`` asks for one of :data:`~holdfast.masking.prefilter.ENGINES`; the best that there is, where None;
    ``automata`` saves compiling anew.

    Raises:
        MaskingError: the engine cannot be loaded, or failed over an example.
    """
    bench = _Bench(rules, Scanner(rules, _KEY, automata, prefilter))
    return [
        Problem(rule.file, rule.line, rule.id, problem)
        for rule in rules_that_prove(rules)
        for problem in _problems(rule, bench)
    ]


def rules_without_examples(rules: MaskingRules) -> list[str]:
    """The ids of the rules that prove nothing."""
    return [rule.id for rule in rules_that_prove(rules) if not (rule.examples.matches or rule.examples.passes)]


def _problems(rule: Rule, bench: "_Bench") -> list[str]:
    wanted = None if isinstance(rule, AllowRule) else rule
    problems = [
        f"`matches` example {count} is not found"
        for count, text in enumerate(rule.examples.matches, 1)
        if not bench.finds(text, wanted)
    ]
    problems += [
        f"`passes` example {count} is found"
        for count, text in enumerate(rule.examples.passes, 1)
        if bench.finds(text, wanted)
    ]
    return problems


class _Bench:
    """Runs examples through the real engine."""

    def __init__(self, rules: MaskingRules, scanner: Scanner) -> None:
        self._tools = Tools.of(rules, rules.everything, scanner, _KEY)
        self._forces = KeyForces(rules, rules.everything)
        self._paths = Paths(dataclasses.replace(rules, paths=()), "", None, Direction.TO_SERVER)

    def finds(self, text: str, rule: "EntityRule | PatternRule | KeyRule | DenyRule | None") -> bool:
        found = self._findings(text)
        if rule is None:
            return bool(found)
        if isinstance(rule, EntityRule):
            return any(finding.entity == rule.entity for finding in found)
        if any(finding.rule == rule.id for finding in found):
            return True
        # Another rule may have been surer about the same place.
        spans = () if text.startswith("{") else self._tools.scan(text, (), Budget())
        return any(span.rule == rule.id for span in spans)

    def _findings(self, text: str) -> tuple[Finding, ...]:
        walk = Walk(self._tools, self._forces, self._paths, Direction.TO_SERVER, Budget())
        try:
            walk.data(jsontext.parse_text(text), Place("")) if text.startswith("{") else walk.text(text, Place(""))
        except jsontext.JsonError:
            walk.text(text, Place(""))
        return walk.findings
