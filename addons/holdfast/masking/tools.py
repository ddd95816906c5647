"""What masking of every message shares."""

import dataclasses
import re
from typing import Final

from holdfast.masking.budget import Budget
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import EntityRule, InForce, MaskingRules
from holdfast.masking.operators import STAR, is_kept_last
from holdfast.masking.preserving import Preserver
from holdfast.masking.sealing import KeyHolder, is_sealed, outside_sealed
from holdfast.masking.sieve import Sieve
from holdfast.masking.spans import Span
from holdfast.masking.unscanned import OnFailure
from holdfast.masking.versions import Versions

_STARS: Final = STAR * 4


@dataclasses.dataclass(frozen=True, slots=True)
class Tools:
    """What masking of every message with the same in force shares. ``entities`` say how values are treated."""

    entities: dict[str, EntityRule]
    scanner: Scanner
    sieve: Sieve
    preserver: Preserver
    holders: dict[str, KeyHolder]
    versions: Versions
    key: bytes
    on_failure: OnFailure = "refuse"

    @classmethod
    def of(cls, rules: MaskingRules, in_force: InForce, scanner: Scanner, key: bytes) -> "Tools":
        """The tools where ``in_force`` holds; entities that only deny lists and paths name are treated as stated."""
        entities = {rule.entity: rule for rule in (*rules.entities, *in_force.entities)}
        sets = (in_force, rules.in_force, *(override.in_force for override in rules.overrides))
        preserver = Preserver((rule for one in sets for rule in one.entities), key)
        holders = {one.name: one for one in rules.holders}
        sieve, versions = Sieve(rules, in_force), Versions(rules)
        return cls(entities, scanner, sieve, preserver, holders, versions, key, rules.on_failure)

    def scan(self, text: str, context: tuple[str, ...], budget: Budget) -> tuple[Span, ...]:
        """The spans of ``text`` that are in force; see :meth:`holdfast.masking.engine.Scanner.scan`."""
        found = self.sieve.kept(self.scanner.scan(text, context, budget))
        return self.preserver.without_masks(text, outside_sealed(text, found, self.key)) if found else found

    def is_mask(self, text: str, entity: str) -> bool:
        """Whether ``text``, which would be masked as ``entity``, is nothing but a mask of ours."""
        if self.scanner.is_mask(text) or is_sealed(text, self.key) or self._is_kept_last(text):
            return True
        return self.preserver.is_mask(text, entity)

    def without_masks(self, text: str) -> str:
        """``text`` without the masks in it, also those that are stars and the end of a value."""
        found = self.scanner.without_masks(text)
        if _STARS not in found:
            return found
        kept = [rule.keep_count for rule in self.entities.values() if rule.operator == "keep_last"]
        return re.sub(rf"\*{{4,}}[A-Za-z0-9]{{0,{max(kept)}}}", "", found) if kept else found

    def _is_kept_last(self, text: str) -> bool:
        return text.startswith(STAR) and any(
            rule.operator == "keep_last" and is_kept_last(text, rule.keep_count) for rule in self.entities.values()
        )
