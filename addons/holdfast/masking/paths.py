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


def is_covered(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether ``pattern`` matches whatever ``path``, which may have wildcards too, does."""
    return _matches(pattern, path, frozenset({"**"}))


def _matches(pattern: tuple[str, ...], steps: tuple[str, ...], only_rest: frozenset[str] = frozenset()) -> bool:
    """Whether ``pattern`` matches ``steps``. A step of ``only_rest`` is taken by ``**`` alone."""
    if "**" not in pattern and not only_rest:
        return len(pattern) == len(steps) and all(
            want in ("*", step) for want, step in zip(pattern, steps, strict=True)
        )
    reached = _behind_rests(pattern, {0})
    for step in steps:
        passed = {at for at in reached if at < len(pattern) and pattern[at] == "**"}
        if step not in only_rest:
            passed |= {at + 1 for at in reached if at < len(pattern) and pattern[at] in ("*", step)}
        reached = _behind_rests(pattern, passed)
    return len(pattern) in reached


def _behind_rests(pattern: tuple[str, ...], reached: set[int]) -> set[int]:
    """``reached``, and what is reached without a step: what stands behind a ``**``."""
    found = set(reached)
    for at in reached:
        end = at
        while end < len(pattern) and pattern[end] == "**":
            end += 1
            found.add(end)
    return found
