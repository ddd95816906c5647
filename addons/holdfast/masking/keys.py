"""Key rules: names of JSON members whose value is masked whole."""

from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.entries import InForce, KeyRule, MaskingRules
from holdfast.masking.words import TRANSPARENT, name_words

_CACHE_COUNT_MAX: Final = 4096  # names of members recur; a sender who invents new ones only loses the cache


class KeyForce:
    """One key rule, ready to ask about values."""

    def __init__(self, rule: KeyRule) -> None:
        self.id = rule.id
        self.entity = rule.entity
        self._value = regex.compile(rule.value, regex.IGNORECASE) if rule.value else None

    def wants(self, text: str, timeout_s: float) -> bool:
        """Whether the value ``text`` is one that this rule masks. Raises TimeoutError."""
        value = self._value
        return value is None or value.search(text, timeout=timeout_s) is not None


class KeyForces:
    """The key rules of what is in force, asked by the name of a member.

    A name matches when its words end with the words of a rule: ``card_number`` and ``billingCard`` end with *card*
    (a last *number*, *value* or the like does not count), ``card_type`` and ``discard`` do not.
    """

    def __init__(self, rules: MaskingRules, in_force: InForce) -> None:
        on = {rule.entity for rule in in_force.entities}
        self._names: dict[tuple[str, ...], KeyForce] = {}
        self._unless: dict[tuple[str, ...], set[str]] = {}
        for rule in (rule for rule in rules.keys if rule.entity in on):
            force = KeyForce(rule)
            for name in rule.names:
                self._names.setdefault(name_words(name), force)
            for name in rule.unless:
                self._unless.setdefault(name_words(name), set()).add(rule.id)
        self._longest = max(map(len, (*self._names, *self._unless)), default=0)
        self._known: dict[tuple[str, tuple[str, ...]], KeyForce | None] = {}

    def of(self, name: str, above: tuple[str, ...] = ()) -> KeyForce | None:
        """The rule for members called ``name``, or None.

        ``above`` are the words of the name above: ``{"customer": {"name": …}}`` reads like ``customer_name``.
        """
        known = (name, above)
        if known in self._known:
            return self._known[known]
        if len(self._known) >= _CACHE_COUNT_MAX:
            self._known.clear()
        force = self._find((*above, *name_words(name)))
        self._known[known] = force
        return force

    def _find(self, words: tuple[str, ...]) -> KeyForce | None:
        while words:
            force = self._ending(words)
            if force is not None or not (words[-1] in TRANSPARENT or words[-1].isdigit()):
                return force
            words = words[:-1]
        return None

    def _ending(self, words: tuple[str, ...]) -> KeyForce | None:
        endings = [words[-count:] for count in range(min(self._longest, len(words)), 0, -1)]
        barred = set().union(*(self._unless.get(ending, set()) for ending in endings))
        found = (self._names.get(ending) for ending in endings)
        return next((force for force in found if force is not None and force.id not in barred), None)
