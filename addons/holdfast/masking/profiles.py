"""Profiles and overrides: which entities are regulated where.

A profile is a file ``rules/profiles/NAME.yaml`` that lists entities; ``all`` needs none. One is in force for everything
(``profile:``), others for some servers and tools (``overrides:``); the first override that is about a message decides.
One engine looks for whatever is in force anywhere, and each message keeps what is in force for it.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Final

from holdfast.call import Direction
from holdfast.masking.entries import EntityRule, InForce, MaskingRules, Override
from holdfast.masking.treatment import FORWARDS, treated
from holdfast.policy.beside import Beside
from holdfast.policy.document import Section

ALL: Final = "all"
FOLDER: Final = "profiles"


class Profiles:
    """The profiles that the rules name, over the entities that they list."""

    def __init__(self, entities: Iterable[EntityRule], beside: Beside) -> None:
        self._listed = {rule.entity: rule for rule in entities}
        self._beside = beside

    def of(self, entry: Section, instead: str | None = None) -> InForce:
        """What the profile that ``entry`` names under ``profile``, or the one named ``instead``, puts in force.

        Raises:
            RulesError: there is no such profile, or its file is wrong.
        """
        named = entry.text("profile", ALL)
        name = named if instead is None else instead
        file = f"{FOLDER}/{name}.yaml"
        if name == ALL and not self._beside.has(file):
            return self._all()
        if not self._beside.has(file):
            raise entry.error("profile", f"is {name!r}, which rules/{file} would have to be", "Write it, or use all")
        return self.parse(name, self._beside.read(file))

    def parse(self, name: str, section: Section) -> InForce:
        """The profile ``name`` from its file.

        Raises:
            RulesError: an unknown key or an entity that is not listed.
        """
        section.integer("version", low=1, high=1)
        section.text("description")
        on = self._all().entities if section.flag("others", default=False) else ()
        regulated = {rule.entity: rule for rule in on}
        stated = section.texts("entities", ())
        for entity in stated:
            if stated.count(entity) > 1:
                raise section.error("entities", f"names {entity} twice", "Keep one of them")
            regulated[entity] = self._rule(section, "entities", entity)
        self._change(section, regulated)
        section.done()
        if not regulated:
            raise section.error("entities", "leaves nothing to mask", "List at least one entity, or `others: true`")
        return InForce(name, None, tuple(regulated.values()))

    def override(self, entry: Section, rule_id: str, base: InForce) -> Override:
        """One entry of ``overrides``. ``base`` is what is in force where none applies.

        Raises:
            RulesError: see :meth:`of` and :meth:`parse`.
        """
        direction = entry.choice("direction", FORWARDS[:2]) if "direction" in entry else None
        chosen = self.of(entry) if "profile" in entry else base
        regulated = {rule.entity: rule for rule in chosen.entities}
        if "profile" not in entry and "changes" not in entry:
            raise entry.error("id", f"{rule_id} changes nothing", "Add `profile:` or `changes:`")
        self._change(entry, regulated)
        override = Override(
            id=rule_id,
            server=entry.text("server", "*"),
            tool=entry.text_or_none("tool"),
            direction=Direction(direction) if direction else None,
            in_force=InForce(chosen.profile, rule_id, tuple(regulated.values())),
            line=entry.line,
        )
        entry.done()
        return override

    def _all(self) -> InForce:
        return InForce(ALL, None, tuple(rule for rule in self._listed.values() if rule.enabled))

    def _rule(self, entry: Section, key: str, entity: str) -> EntityRule:
        if entity not in self._listed:
            problem = f"names {entity}, which `entities` of masking.yaml does not list"
            raise entry.error(key, problem, "Add it there, or remove it here")
        return self._listed[entity]

    def _change(self, section: Section, regulated: dict[str, EntityRule]) -> None:
        changed: set[str] = set()
        for entry in section.sections("changes"):
            entity = entry.text("entity")
            if entity in changed:
                raise entry.error("entity", f"{entity} stands twice", "Keep one of the two changes")
            changed.add(entity)
            rule = self._rule(entry, "entity", entity)
            if entry.flag("enabled", default=True):
                regulated[entity] = treated(entry, regulated.get(entity, rule))
            else:
                regulated.pop(entity, None)
            entry.done()


def in_use(stated: MaskingRules, base: InForce, overrides: tuple[Override, ...]) -> MaskingRules:
    """``stated`` without what is in force nowhere.

    Deny lists and paths say themselves what is masked, so they stay, whatever a profile lists.
    """
    sets = (base, *(override.in_force for override in overrides))
    always = {rule.entity for place in (stated.deny, stated.paths) for rule in place if rule.entity is not None}
    lowest = _lowest(rule for one in sets for rule in one.entities)
    entities = tuple(
        dataclasses.replace(rule, threshold=lowest.get(rule.entity, rule.threshold))
        for rule in stated.entities
        if rule.entity in lowest.keys() | always
    )
    names = {rule.entity for rule in entities}
    return dataclasses.replace(
        stated,
        entities=entities,
        patterns=tuple(rule for rule in stated.patterns if rule.entity in names),
        keys=tuple(rule for rule in stated.keys if rule.entity in names),
        allow=tuple(rule for rule in stated.allow if rule.entity is None or rule.entity in names),
        in_force=base,
        overrides=overrides,
    )


def _lowest(rules: Iterable[EntityRule]) -> Mapping[str, float]:
    lowest: dict[str, float] = {}
    for rule in rules:
        lowest[rule.entity] = min(rule.threshold, lowest.get(rule.entity, rule.threshold))
    return lowest
