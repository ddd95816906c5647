"""`definitions:` of `rules/tools.yaml`: what becomes of a definition that is new, or not the one that was pinned.

The first rule that is about a definition decides. Where none is, it is pinned as it comes, and a change is recorded.
"""

import dataclasses
import enum
from typing import Final

from holdfast.policy.document import Section
from holdfast.policy.names import Names, Reading
from holdfast.policy.scope import parse_id, parse_names

KINDS: Final = ("tool", "prompt", "resource", "template")
RULES_COUNT_MAX: Final = 1000  # every entry of every list walks them in order


class Act(enum.Enum):
    """What becomes of a definition that is not the pinned one."""

    PIN = "pin"  # it is recorded, and is the pinned one from then on
    HOLD = "hold"  # it is shown to nobody, and a person approves each call, until an operator pins it
    REFUSE = "refuse"  # it is shown to nobody, and calls are refused, until an operator pins it


_FIRST: Final = {"pin": Act.PIN, "hold": Act.HOLD, "refuse": Act.REFUSE}
_CHANGE: Final = {"record": Act.PIN, "hold": Act.HOLD, "refuse": Act.REFUSE}


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """What a definition is of: a ``kind`` of thing, the ``server`` that describes it, and its ``name``."""

    kind: str
    server: str
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class About:
    """The part of a rule that says which definitions it is about. None and empty: any."""

    kinds: tuple[str, ...] = ()
    server: Names | None = None
    name: Names | None = None

    def why_not(self, described: Described) -> str | None:
        """None where the rule is about ``described``, else the first thing that differs."""
        if self.kinds and described.kind not in self.kinds:
            return "kind: another"
        if self.server and not self.server.fit(described.server):
            return "server: another"
        return None if self.name is None or self.name.fit(described.name) else "name: another"


@dataclasses.dataclass(frozen=True, slots=True)
class DefinitionExample:
    """A definition that a rule is about, or is not."""

    described: Described
    line: int


@dataclasses.dataclass(frozen=True, slots=True)
class DefinitionRule:
    """One rule. One that may stop reads widely, one that only lets pass reads narrowly."""

    id: str
    description: str
    about: About
    on_first: Act
    on_change: Act
    line: int
    matches: tuple[DefinitionExample, ...] = ()
    passes: tuple[DefinitionExample, ...] = ()


def parse_about(entry: Section, kinds: tuple[str, ...], reading: Reading) -> About:
    """The keys that say which definitions a rule is about.

    Raises:
        RulesError: a kind that is none, or an empty list.
    """
    listed = entry.texts("kind", ())
    if "kind" in entry and (not listed or any(kind not in kinds for kind in listed)):
        raise entry.error("kind", "names no kind, or one that is not known", f"Use some of: {', '.join(kinds)}")
    return About(listed, parse_names(entry, "server", reading), parse_names(entry, "name", reading))


def parse_described(entry: Section, kinds: tuple[str, ...]) -> Described:
    """The keys of an example that say what a definition is of.

    Raises:
        RulesError: names file, line and key.
    """
    kind = entry.choice("kind", kinds, "tool")
    return Described(kind, entry.text("server", "example"), entry.text("name", "example"))


def parse_definitions(section: Section, seen: set[str]) -> tuple[DefinitionRule, ...]:
    """The rules under ``definitions``.

    Raises:
        RulesError: names file, line and key.
    """
    rules = tuple(_rule(entry, seen) for entry in section.sections("definitions"))
    if len(rules) > RULES_COUNT_MAX:
        raise section.error("definitions", f"has {len(rules)} entries", f"Keep it under {RULES_COUNT_MAX}")
    return rules


def _rule(entry: Section, seen: set[str]) -> DefinitionRule:
    on_first = _FIRST[entry.choice("on_first", tuple(_FIRST), "pin")]
    on_change = _CHANGE[entry.choice("on_change", tuple(_CHANGE), "hold")]
    reading = Reading.NARROW if on_first is on_change is Act.PIN else Reading.WIDE
    rule = DefinitionRule(
        id=parse_id(entry, seen),
        description=entry.text("description"),
        about=parse_about(entry, KINDS, reading),
        on_first=on_first,
        on_change=on_change,
        line=entry.line,
        matches=_examples(entry, "matches"),
        passes=_examples(entry, "passes"),
    )
    entry.done()
    return rule


def _examples(entry: Section, key: str) -> tuple[DefinitionExample, ...]:
    return tuple(_example(example) for example in entry.sections(key))


def _example(entry: Section) -> DefinitionExample:
    described = parse_described(entry, KINDS)
    entry.done()
    return DefinitionExample(described, entry.line)
