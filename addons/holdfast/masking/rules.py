"""``rules/masking.yaml``: from text to frozen entries, strictly."""

from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.call import Direction
from holdfast.errors import RulesError
from holdfast.masking.catalogue import MODEL_ENTITIES, RECOGNIZERS
from holdfast.masking.checksums import CHECKS
from holdfast.masking.entries import (
    AllowRule,
    DenyRule,
    EntityRule,
    Examples,
    InForce,
    KeyRule,
    MaskingRules,
    Override,
    PathRule,
    PatternRule,
)
from holdfast.masking.hold_back import streams_of
from holdfast.masking.holder_commands import public_bytes
from holdfast.masking.idle import every_rule_acts
from holdfast.masking.profiles import ALL, Profiles, in_use
from holdfast.masking.sealing import HOLDER, KeyHolder
from holdfast.masking.stated import (
    context_of,
    finding_regex_of,
    names_of,
    phrases_of,
    regex_of,
    regions_of,
    steps_of,
)
from holdfast.masking.treatment import FORWARDS, THRESHOLD_MIN, treated
from holdfast.masking.unscanned import ON_FAILURES, UNSCANNED
from holdfast.policy.beside import Beside
from holdfast.policy.document import Section

__all__ = ["MaskingRules", "parse_every_rule", "parse_masking"]

THRESHOLD: Final = 0.4  # Presidio's weak shapes reach it with a context word, and not without
_NO_FILES: Final = Beside(None)


def parse_masking(section: Section, beside: Beside = _NO_FILES, profile: str | None = None) -> MaskingRules:
    """The masking rules that the file ``section``, and those ``beside`` it that it names, put in force anywhere.

    ``profile`` names the one to use instead of the file's.

    Raises:
        RulesError: an unknown key, entity, region, profile or operator, a bad regular expression, an id that stands
            twice; names file and line.
    """
    stated, base, overrides = _read(section, beside, profile)
    return in_use(stated, base, overrides)


def parse_every_rule(section: Section, beside: Beside = _NO_FILES) -> MaskingRules:
    """Every rule that the files state, in force or not, to try them all.

    Raises:
        RulesError: see :func:`parse_masking`.
    """
    stated, _, overrides = _read(section, beside)
    on = {rule.entity for override in overrides for rule in override.in_force.entities}
    whole = tuple(rule for rule in stated.entities if rule.enabled or rule.entity in on)
    return in_use(stated, InForce(ALL, None, whole), overrides)


def _read(
    section: Section, beside: Beside, profile: str | None = None
) -> tuple[MaskingRules, InForce, tuple[Override, ...]]:
    section.integer("version", low=1, high=1)
    nlp = section.section("nlp")
    spacy_model = nlp.text_or_none("spacy_model") if nlp else None
    if nlp:
        nlp.done()
    files = (section, *(beside.read(name) for name in section.texts("include", ())))
    reader = _Reader(section.number("threshold", THRESHOLD, low=THRESHOLD_MIN, high=1))
    listed = tuple(reader.entity(entry) for file in files for entry in file.sections("entities"))
    stated = MaskingRules(
        language=section.text("language", "en"),
        spacy_model=spacy_model,
        phone_regions=regions_of(section),
        entities=listed,
        patterns=tuple(reader.pattern(entry) for file in files for entry in file.sections("patterns")),
        keys=tuple(reader.key(entry) for file in files for entry in file.sections("keys")),
        deny=tuple(reader.deny(entry) for file in files for entry in file.sections("deny")),
        allow=tuple(reader.allow(entry) for file in files for entry in file.sections("allow")),
        paths=tuple(reader.path(entry) for entry in section.sections("paths")),
        listed=listed,
        in_force=InForce(ALL, None, ()),
        on_failure="mask" if section.choice("on_failure", ON_FAILURES, "refuse") == "mask" else "refuse",
        holders=_holders(section),
        streams=streams_of(section),
        file=section.file,
    )
    if stated.language != "en":
        raise section.error("language", f"is {stated.language!r}", "Use en: the recognizers know no other language yet")
    _every_entity_is_found(stated)
    profiles = Profiles(listed, beside)
    base = profiles.of(section, profile)
    overrides = tuple(reader.override(entry, profiles, base) for entry in section.sections("overrides"))
    _every_holder_is_known(section, stated, base, overrides)
    every_rule_acts(stated, base, overrides)
    for file in files:
        file.done()
    return stated, base, overrides


def _holders(section: Section) -> tuple[KeyHolder, ...]:
    holders: dict[str, KeyHolder] = {}
    for entry in section.sections("key_holders"):
        name, public = entry.text("name"), public_bytes(entry.text("public_key"))
        if not regex.fullmatch(HOLDER, name):
            raise entry.error("name", "is no name", "Use up to 32 lower-case letters, digits and hyphens")
        if name in holders:
            raise entry.error("name", f"{name} stands twice", "Give each key holder a name of its own")
        if public is None:
            raise entry.error("public_key", "is no X25519 public key", "Put what `scripts/rules.py make-key` printed")
        holders[name] = KeyHolder(name, public)
        entry.done()
    return tuple(holders.values())


def _every_holder_is_known(
    section: Section, stated: MaskingRules, base: InForce, overrides: tuple[Override, ...]
) -> None:
    names = {holder.name for holder in stated.holders}
    sets = (stated.entities, base.entities, *(override.in_force.entities for override in overrides))
    for rule in (rule for one in sets for rule in one):
        if rule.operator == "encrypt" and rule.key_holder not in names:
            problem = f"has no {rule.key_holder}, for whom {rule.entity} is encrypted"
            raise section.error("key_holders", problem, "Add the name and public key")


def _every_entity_is_found(rules: MaskingRules) -> None:
    places = (rules.patterns, rules.keys, rules.deny, rules.paths)
    found = {rule.entity for place in places for rule in place} | RECOGNIZERS.keys()
    found |= MODEL_ENTITIES if rules.spacy_model is not None else frozenset()
    for rule in rules.entities:
        if rule.entity in found:
            continue
        if rule.entity in MODEL_ENTITIES:
            problem, remedy = f"{rule.entity} needs a model or a rule", "Name one under `nlp: spacy_model:`"
        else:
            problem = f"{rule.entity} is no entity of Presidio, and no pattern, key, list or path finds it"
            remedy = "Add one, or correct the name"
        raise RulesError(rule.file, rule.line, problem, remedy)


class _Reader:
    """Reads the entries of the file; remembers the ids and entities it has seen."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._ids: set[str] = set()
        self._listed: dict[str, bool] = {}  # entity -> whether it is enabled

    def _id(self, entry: Section, default: str | None = None) -> str:
        text = entry.text("id") if default is None else entry.text("id", default)
        if not regex.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", text):
            raise entry.error("id", "is no id", "Use up to 64 lower-case letters, digits, dots and hyphens")
        if text in self._ids:
            raise entry.error("id", f"{text} stands twice", "Give each rule its own id")
        self._ids.add(text)
        return text

    def _entity(self, entry: Section) -> str:
        name = entry.text("entity")
        if name not in self._listed:
            raise entry.error("entity", f"is {name}, which `entities` does not list", "Add it under `entities`")
        return name

    def _entity_that_acts(self, entry: Section) -> str:
        name = self._entity(entry)
        if not self._listed[name]:
            raise entry.error("entity", f"is {name}, which is off", "Enable it under `entities`")
        return name

    def _examples(self, entry: Section) -> Examples:
        return Examples(entry.texts("matches", ()), entry.texts("passes", ()))

    def entity(self, entry: Section) -> EntityRule:
        name = entry.text("entity")
        if not regex.fullmatch(r"[A-Z][A-Z0-9_]{1,63}", name) or name == UNSCANNED:
            raise entry.error("entity", "is no name of an entity", "Use capitals, digits and _, as in CREDIT_CARD")
        if name in self._listed:
            raise entry.error("entity", f"{name} stands twice", "Keep one of them")
        enabled = self._listed[name] = entry.flag("enabled", default=True)
        rule = EntityRule(
            id=self._id(entry, name.lower().replace("_", "-")),
            entity=name,
            threshold=self._threshold,
            operator="replace",
            keep_count=4,
            forward="both",
            context=context_of(entry) if "context" in entry else None,
            examples=self._examples(entry),
            line=entry.line,
            file=entry.file,
            enabled=enabled,
        )
        rule = treated(entry, rule)
        entry.done()
        return rule

    def pattern(self, entry: Section) -> PatternRule:
        name = entry.choice("validator", tuple(CHECKS)) if "validator" in entry else None
        rule = PatternRule(
            id=self._id(entry),
            entity=self._entity(entry),
            regex=finding_regex_of(entry, "regex"),
            score=entry.number("score", 0.6, low=0.01, high=1),
            context=context_of(entry) if "context" in entry else (),
            validator=next((check for check in CHECKS if check == name), None),
            examples=self._examples(entry),
            line=entry.line,
            file=entry.file,
            case_sensitive=entry.flag("case_sensitive", default=False),
        )
        entry.done()
        return rule

    def key(self, entry: Section) -> KeyRule:
        rule = KeyRule(
            id=self._id(entry),
            entity=self._entity(entry),
            names=names_of(entry, "names"),
            unless=names_of(entry, "except", may_be_none=True),
            value=regex_of(entry, "value") if "value" in entry else None,
            examples=self._examples(entry),
            line=entry.line,
            file=entry.file,
        )
        entry.done()
        return rule

    def deny(self, entry: Section) -> DenyRule:
        rule = DenyRule(
            self._id(entry),
            self._entity_that_acts(entry),
            phrases_of(entry),
            self._examples(entry),
            entry.line,
            entry.file,
        )
        entry.done()
        return rule

    def allow(self, entry: Section) -> AllowRule:
        rule = AllowRule(
            id=self._id(entry),
            entity=self._entity(entry) if "entity" in entry else None,
            words=phrases_of(entry) if "words" in entry else (),
            pattern=regex_of(entry, "pattern") if "pattern" in entry else None,
            examples=self._examples(entry),
            line=entry.line,
            file=entry.file,
        )
        if not rule.words and rule.pattern is None:
            raise entry.error("id", f"{rule.id} allows nothing", "Add `words:` or `pattern:`")
        entry.done()
        return rule

    def path(self, entry: Section) -> PathRule:
        action = entry.choice("action", ("mask", "forward"))
        direction = entry.choice("direction", FORWARDS[:2], "to_server") if "direction" in entry else None
        rule = PathRule(
            id=self._id(entry),
            entity=self._entity_that_acts(entry) if action == "mask" else None,
            action="mask" if action == "mask" else "forward",
            server=entry.text("server", "*"),
            tool=entry.text_or_none("tool"),
            direction=Direction(direction) if direction else None,
            path=steps_of(entry),
            line=entry.line,
        )
        entry.done()
        return rule

    def override(self, entry: Section, profiles: Profiles, base: InForce) -> Override:
        return profiles.override(entry, self._id(entry), base)
