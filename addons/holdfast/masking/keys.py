"""Key rules: names of JSON members whose value is masked whole."""

import re
from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.entries import InForce, KeyRule, MaskingRules
from holdfast.masking.words import QUALIFIERS, TRANSPARENT, name_context, name_words, singular, stem

_CACHE_COUNT_MAX: Final = 4096  # names of members recur; a sender who invents new ones only loses the cache
# Chinese, Japanese, and Korean in its letters (a syllable has two or three), without blanks: a name is no longer.
_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{3,9}|[\u1100-\u11ff]{5,30}")


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

    A name matches when its words end with the words of a rule, in the singular or plural, with or without seams:
    ``card_number``, ``billingCard`` and ``creditcards`` end with *card* (a last *number*, *value*, *new* or the like
    does not count), ``card_type`` and ``discard`` do not. Where words have no blank between them, the end of the last
    is enough: ``客户电话`` is a ``电话``.
    """

    def __init__(self, rules: MaskingRules, in_force: InForce) -> None:
        on = {rule.entity for rule in in_force.entities}
        self._names: dict[tuple[str, ...], KeyForce] = {}
        self._unless: dict[tuple[str, ...], set[str]] = {}
        for rule in (rule for rule in rules.keys if rule.entity in on):
            force = KeyForce(rule)
            for name in rule.names:
                self._names.setdefault(name_words(name), force)
                self._names.setdefault(("".join(name_words(name)),), force)
            for name in rule.unless:
                self._unless.setdefault(name_words(name), set()).add(rule.id)
        own = (word for rule in rules.patterns if rule.entity in on for word in rule.context)
        theirs = (word for rule in in_force.entities for word in rule.context or ())
        self._context = frozenset(stem(word) for word in (*own, *theirs))
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

    def knows(self, name: str) -> bool:
        """Whether a rule is about ``name``."""
        return self.of(name) is not None

    def gives_context(self, name: str) -> bool:
        """Whether a word in ``name`` is one that a pattern waits for."""
        return not self._context.isdisjoint(name_context(name))

    def is_plural(self, name: str) -> bool:
        """Whether ``name``, which a rule is about, names several."""
        words = name_words(name)
        return bool(words) and singular(words[-1]) != words[-1]

    def _find(self, words: tuple[str, ...]) -> KeyForce | None:
        while words:
            force = self._ending(words)
            if force is not None or not _says_little(words[-1]):
                return force
            words = words[:-1]
        return None

    def _ending(self, words: tuple[str, ...]) -> KeyForce | None:
        barred = self._barred(words)
        force = self._exact(words, barred)
        if force is None and (one := singular(words[-1])) != words[-1]:
            single = (*words[:-1], one)
            return self._exact(single, barred | self._barred(single))  # what is excepted in the plural stays so
        return force

    def _exact(self, words: tuple[str, ...], barred: set[str]) -> KeyForce | None:
        last = words[-1]
        ends = [(last[at:],) for at in range(1, len(last) - 1)] if _UNSPACED.fullmatch(last) else []
        found = (self._names.get(ending) for ending in (*self._endings(words), *ends))
        return next((force for force in found if force is not None and force.id not in barred), None)

    def _barred(self, words: tuple[str, ...]) -> set[str]:
        return set().union(*(self._unless.get(ending, set()) for ending in self._endings(words)))

    def _endings(self, words: tuple[str, ...]) -> list[tuple[str, ...]]:
        return [words[-count:] for count in range(min(self._longest, len(words)), 0, -1)]


def _says_little(word: str) -> bool:
    return word in TRANSPARENT or word in QUALIFIERS or word.isdigit()
