"""Which version of a recognizer found something: Presidio's, or a digest of the own rule as it is stated."""

import dataclasses
import hashlib
import importlib.metadata
from typing import Final

from holdfast.masking.entries import DenyRule, KeyRule, MaskingRules, PathRule, PatternRule

PACKAGE: Final = "presidio-analyzer"
type _Own = PatternRule | KeyRule | DenyRule | PathRule

DIGEST_HEX: Final = 12  # tells the wordings of one rule apart; the whole rules have a digest in every Record


class Versions:
    """The versions of everything that finds under one set of rules."""

    def __init__(self, rules: MaskingRules) -> None:
        own: tuple[PatternRule | KeyRule | DenyRule | PathRule, ...] = (
            *rules.patterns,
            *rules.keys,
            *rules.deny,
            *rules.paths,
        )
        self._own = {rule.id: _digest_hex(rule) for rule in own}
        self._presidio = importlib.metadata.version(PACKAGE)

    def of(self, name: str) -> str:
        """The version of the recognizer or own rule ``name``."""
        return self._own.get(name, self._presidio)


def _digest_hex(rule: _Own) -> str:
    """Of what a rule does: neither of its examples, nor of where it stands in the file."""
    beside = {"examples", "line", "file"}
    stated = [(name, getattr(rule, name)) for field in dataclasses.fields(rule) if (name := field.name) not in beside]
    return hashlib.sha256(repr(stated).encode()).hexdigest()[:DIGEST_HEX]
