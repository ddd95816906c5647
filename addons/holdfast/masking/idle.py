"""Rules that could never act, whatever comes: an earlier one covers them, or their score never counts.

Each is a mistake that nobody would notice, so the rules that hold one are not taken.
"""

import fnmatch
import itertools
from typing import Final

from holdfast.errors import RulesError
from holdfast.masking.entries import InForce, MaskingRules, Override, PathRule, PatternRule
from holdfast.masking.nearby import CONTEXT_BOOST, CONTEXT_SCORE_MIN
from holdfast.masking.paths import is_covered

_WILD: Final = "?["


def every_rule_acts(rules: MaskingRules, base: InForce, overrides: tuple[Override, ...]) -> None:
    """Check what no entry shows by itself.

    Raises:
        RulesError: an override or a path rule is never reached, or what a pattern finds never counts.
    """
    for earlier, later in itertools.combinations(overrides, 2):
        if _is_about_all(earlier, later):
            raise _unreached(rules.file, earlier, later)
    for first, second in itertools.combinations(rules.paths, 2):
        if _is_about_all(first, second) and is_covered(second.path, first.path):
            raise _unreached(rules.file, first, second)
    lowest: dict[str, float] = {}
    for rule in (rule for one in (base, *(override.in_force for override in overrides)) for rule in one.entities):
        lowest[rule.entity] = min(rule.threshold, lowest.get(rule.entity, rule.threshold))
    for pattern in rules.patterns:
        if pattern.entity in lowest:
            _counts(pattern, lowest[pattern.entity])


def _is_about_all[T: (Override, PathRule)](earlier: T, later: T) -> bool:
    """Whether ``earlier`` is about every message that ``later`` is about."""
    return (
        earlier.direction in (None, later.direction)
        and _takes_all(earlier.server, later.server)
        and (earlier.tool is None or (later.tool is not None and _takes_all(earlier.tool, later.tool)))
    )


def _takes_all(wide: str, narrow: str) -> bool:
    """Whether ``wide`` matches whatever ``narrow`` does; False where that is hard to tell."""
    if wide == narrow:
        return True
    # A star of the one is matched by a star of the other, and by nothing else that is allowed here.
    return not any(char in _WILD for char in wide + narrow) and fnmatch.fnmatchcase(narrow, wide)


def _unreached(file: str, earlier: Override | PathRule, later: Override | PathRule) -> RulesError:
    problem = f"{later.id} is never reached: {earlier.id}, which comes first, is about all of it"
    return RulesError(file, later.line, problem, "Put the narrower one first, or remove it")


def _counts(rule: PatternRule, threshold: float) -> None:
    score = rule.score
    if rule.context:
        score = min(max(score + CONTEXT_BOOST, CONTEXT_SCORE_MIN), 1)
    if score < threshold:
        beside = " beside a word of its context" if rule.context else ""
        problem = (
            f"{rule.id} never counts: its score is {score:g}{beside}, the threshold of {rule.entity} {threshold:g}"
        )
        raise RulesError(rule.file, rule.line, problem, "Raise `score:`, lower `threshold:`, or add `context:`")
