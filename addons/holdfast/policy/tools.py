"""`rules/tools.yaml`: what becomes of definitions that are new or changed, or in which a screen finds something."""

import dataclasses
from collections.abc import Iterator

from holdfast.errors import RulesError
from holdfast.policy.definitions import Act, DefinitionRule, Described, parse_definitions
from holdfast.policy.document import Section, require_version
from holdfast.policy.examples import Proven
from holdfast.policy.screens import Screen, parse_screens

_REMEDY = "Correct the rule or the example"


@dataclasses.dataclass(frozen=True, slots=True)
class ToolRules:
    """The rules of the file, each kind in its order."""

    definitions: tuple[DefinitionRule, ...] = ()
    screens: tuple[Screen, ...] = ()

    def rule_for(self, described: Described) -> DefinitionRule | None:
        """The rule that decides about a definition: the first that is about it."""
        return next((rule for rule in self.definitions if rule.about.why_not(described) is None), None)

    def act(self, described: Described, *, pinned_before: bool) -> tuple[Act, DefinitionRule | None]:
        """What becomes of a definition that is not the pinned one, and by which rule."""
        rule = self.rule_for(described)
        if rule is None:
            return Act.PIN, None
        return rule.on_change if pinned_before else rule.on_first, rule

    def screen(self, rule_id: str) -> Screen | None:
        """The screen of that id."""
        return next((screen for screen in self.screens if screen.id == rule_id), None)


def parse_tools(section: Section) -> ToolRules:
    """The rules of `tools.yaml`.

    Raises:
        RulesError: names file, line and key.
    """
    require_version(section)
    seen: set[str] = set()
    rules = ToolRules(parse_definitions(section, seen), parse_screens(section, seen))
    section.done()
    return rules


def check_tools(rules: ToolRules, file: str) -> Proven:
    """Run the examples of every rule: a definition rule is the first that is about it, a screen finds something."""
    failures = [*_definition_failures(rules, file), *_screen_failures(rules, file)]
    every: tuple[DefinitionRule | Screen, ...] = (*rules.definitions, *rules.screens)
    return Proven(len(every), sum(len(rule.matches) + len(rule.passes) for rule in every), tuple(failures))


def _definition_failures(rules: ToolRules, file: str) -> Iterator[RulesError]:
    for rule in rules.definitions:
        for example in rule.matches:
            decides = rules.rule_for(example.described)
            if decides is not rule:
                why = rule.about.why_not(example.described) or f"rule {decides.id if decides else ''} decides first"
                yield _failure(file, example.line, rule.id, "matches", why)
        for example in rule.passes:
            if rule.about.why_not(example.described) is None:
                yield _failure(file, example.line, rule.id, "passes", "the rule is about it")


def _screen_failures(rules: ToolRules, file: str) -> Iterator[RulesError]:
    for screen in rules.screens:
        for example in screen.matches:
            if not screen.finds(example.described, example.definition, example.elsewhere):
                yield _failure(file, example.line, screen.id, "matches", "the screen finds nothing")
        for example in screen.passes:
            if screen.finds(example.described, example.definition, example.elsewhere):
                yield _failure(file, example.line, screen.id, "passes", "the screen finds something")


def _failure(file: str, line: int, rule_id: str, key: str, why: str) -> RulesError:
    return RulesError(file, line, f"rule {rule_id}: an example under `{key}` fails: {why}", _REMEDY)
