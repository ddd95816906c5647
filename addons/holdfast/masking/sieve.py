"""What of the findings of a text is in force for the message that it stands in."""

from collections.abc import Sequence
from typing import Final

from holdfast.masking.entries import InForce, MaskingRules
from holdfast.masking.spans import Span, without_inner_phones, without_mail_of_urls

_SCORE_DIGITS: Final = 2  # as spans have it


class Sieve:
    """Keeps the findings of the entities that are in force, over their thresholds there; and those of deny lists."""

    def __init__(self, rules: MaskingRules, in_force: InForce) -> None:
        self._thresholds = {rule.entity: round(rule.threshold, _SCORE_DIGITS) for rule in in_force.entities}
        self._always = {rule.id for rule in rules.deny}
        lowest = {rule.entity: round(rule.threshold, _SCORE_DIGITS) for rule in rules.entities}
        self._keeps_all = lowest == self._thresholds

    def kept(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        """Those of ``spans`` that are in force, without telephone numbers and mail that are part of another."""
        if not spans:
            return spans
        held = spans if self._keeps_all else tuple(filter(self._holds, spans))
        left: Sequence[Span] = without_inner_phones(without_mail_of_urls(held))
        return left if isinstance(left, tuple) else tuple(left)

    def _holds(self, span: Span) -> bool:
        threshold = self._thresholds.get(span.entity)
        return span.rule in self._always or (threshold is not None and span.score >= threshold)
