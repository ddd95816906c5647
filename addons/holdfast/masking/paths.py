"""Path rules: what the rules say about a place, whatever stands there."""

import dataclasses

from holdfast.call import Direction
from holdfast.masking.entries import MaskingRules, PathRule
from holdfast.masking.place import Place


@dataclasses.dataclass(frozen=True, slots=True)
class PathForce:
    """A path rule that masks every value at its place."""

    id: str
    entity: str

    def wants(self, text: str, timeout_s: float) -> bool:  # noqa: ARG002 -- a Force
        """Any text but an empty one."""
        return bool(text)


class Paths:
    """The path rules that apply to one message."""

    def __init__(self, rules: MaskingRules, server: str, tool: str | None, direction: Direction) -> None:
        self._rules = [rule for rule in rules.paths if rule.applies(server, tool, direction)]

    def at(self, place: Place) -> Place:
        """``place`` as the first rule whose path matches makes it; protocol fields stay as they are."""
        if not self._rules or not place.travels:
            return place
        steps = tuple(step.replace("~1", "/").replace("~0", "~") for step in place.path[1:].split("/"))
        rule = next((rule for rule in self._rules if _matches(rule.path, steps)), None)
        return place if rule is None else _apply(rule, place)


def _apply(rule: PathRule, place: Place) -> Place:
    if rule.action == "forward" or rule.entity is None:
        return dataclasses.replace(place, travels=False)
    return dataclasses.replace(place, force=PathForce(rule.id, rule.entity))


def _matches(pattern: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    if pattern and pattern[-1] == "**":
        pattern = pattern[:-1]
        steps = steps[: len(pattern)]
    return len(pattern) == len(steps) and all(want in ("*", step) for want, step in zip(pattern, steps, strict=True))
