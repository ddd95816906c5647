"""``rules/masking.yaml``: from text to frozen entries, strictly."""

from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.call import Direction
from holdfast.masking.catalogue import MODEL_ENTITIES, RECOGNIZERS
from holdfast.masking.checksums import CHECKS
from holdfast.masking.entries import (
    AllowRule,
    DenyRule,
    EntityRule,
    Examples,
    KeyRule,
    MaskingRules,
    Operator,
    PathRule,
    PatternRule,
)
from holdfast.policy.document import Section

__all__ = ["MaskingRules", "parse_masking"]

OPERATORS: Final[tuple[Operator, ...]] = ("replace", "keep_last", "pseudonym", "remove")
FORWARDS: Final = ("to_server", "to_client", "both", "none")
THRESHOLD: Final = 0.4  # Presidio's weak shapes reach it with a context word, and not without
KEEP_MAX: Final = 8  # more than eight characters left are no mask
REGEX_CHARS_MAX: Final = 2000  # a longer expression hides what it matches


def parse_masking(section: Section) -> MaskingRules:
    """The masking rules that the file ``section`` states.

    Raises:
        RulesError: an unknown key, entity, region or operator, a bad regular expression, an id that stands twice; names
            file and line.
    """
    section.integer("version", low=1, high=1)
    nlp = section.section("nlp")
    spacy_model = nlp.text_or_none("spacy_model") if nlp else None
    if nlp:
        nlp.done()
    reader = _Reader(section.number("threshold", THRESHOLD, low=0.01, high=1), with_model=spacy_model is not None)
    rules = MaskingRules(
        language=section.text("language", "en"),
        spacy_model=spacy_model,
        phone_regions=_regions(section),
        entities=tuple(rule for entry in section.sections("entities") if (rule := reader.entity(entry))),
        patterns=tuple(reader.pattern(entry) for entry in section.sections("patterns")),
        keys=tuple(reader.key(entry) for entry in section.sections("keys")),
        deny=tuple(reader.deny(entry) for entry in section.sections("deny")),
        allow=tuple(reader.allow(entry) for entry in section.sections("allow")),
        paths=tuple(reader.path(entry) for entry in section.sections("paths")),
        file=section.file,
    )
    if rules.language != "en":
        raise section.error("language", f"is {rules.language!r}", "Use en: the recognizers know no other language yet")
    section.done()
    _every_entity_is_found(section, rules)
    return rules


def _regions(section: Section) -> tuple[str, ...]:
    regions = section.texts("phone_regions", ("US",))
    if not regions or not all(regex.fullmatch("[A-Z]{2}", region) for region in regions):
        raise section.error("phone_regions", "holds no two-letter regions", "Write for example [US, GB]")
    return regions


def _every_entity_is_found(section: Section, rules: MaskingRules) -> None:
    places = (rules.patterns, rules.keys, rules.deny, rules.paths)
    found = {rule.entity for place in places for rule in place}
    for rule in rules.entities:
        if rule.entity not in RECOGNIZERS.keys() | MODEL_ENTITIES | found:
            problem = f"{rule.entity} is no entity of Presidio, and no pattern, key, list or path finds it"
            raise section.error("entities", problem, "Add one, or correct the name")


class _Reader:
    """Reads the entries of the file; remembers the ids and entities it has seen."""

    def __init__(self, threshold: float, *, with_model: bool) -> None:
        self._threshold = threshold
        self._with_model = with_model
        self._ids: set[str] = set()
        self._on: set[str] = set()
        self._off: set[str] = set()

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
        if name not in self._on:
            problem = f"is {name}, which is off" if name in self._off else f"is {name}, which `entities` does not list"
            raise entry.error("entity", problem, "Add it under `entities`")
        return name

    def _examples(self, entry: Section) -> Examples:
        return Examples(entry.texts("matches", ()), entry.texts("passes", ()))

    def _regex(self, entry: Section, key: str) -> str:
        text = entry.text(key)
        if len(text) > REGEX_CHARS_MAX:
            raise entry.error(key, f"has {len(text)} characters", f"Keep it under {REGEX_CHARS_MAX}")
        try:
            pattern = regex.compile(text, regex.IGNORECASE | regex.MULTILINE)
        except regex.error as error:
            raise entry.error(key, f"is no regular expression: {error.msg} at {error.pos}", "Correct it") from None
        if pattern.search(""):
            raise entry.error(key, "matches the empty text", "Make it match at least one character")
        return text

    def entity(self, entry: Section) -> EntityRule | None:
        name = entry.text("entity")
        if not regex.fullmatch(r"[A-Z][A-Z0-9_]{1,63}", name):
            raise entry.error("entity", "is no name of an entity", "Use capitals, digits and _, as in CREDIT_CARD")
        if name in self._on | self._off:
            raise entry.error("entity", f"{name} stands twice", "Keep one of them")
        enabled = entry.flag("enabled", default=True)
        (self._on if enabled else self._off).add(name)
        if enabled and name in MODEL_ENTITIES - RECOGNIZERS.keys() and not self._with_model:
            raise entry.error("entity", f"{name} needs a model", "Name an installed one under `nlp: spacy_model:`")
        operator: Operator = next(
            item for item in OPERATORS if item == entry.choice("operator", OPERATORS, OPERATORS[0])
        )
        rule = EntityRule(
            id=self._id(entry, name.lower().replace("_", "-")),
            entity=name,
            threshold=entry.number("threshold", self._threshold, low=0.01, high=1),
            operator=operator,
            keep_count=entry.integer("keep", 4, low=1, high=KEEP_MAX),
            forward=entry.choice("forward", FORWARDS, "both"),
            context=entry.texts("context") if "context" in entry else None,
            examples=self._examples(entry),
            line=entry.line,
        )
        entry.done()
        return rule if enabled else None

    def pattern(self, entry: Section) -> PatternRule:
        name = entry.choice("validator", tuple(CHECKS)) if "validator" in entry else None
        rule = PatternRule(
            id=self._id(entry),
            entity=self._entity(entry),
            regex=self._regex(entry, "regex"),
            score=entry.number("score", 0.6, low=0.01, high=1),
            context=entry.texts("context", ()),
            validator=next((check for check in CHECKS if check == name), None),
            examples=self._examples(entry),
            line=entry.line,
        )
        entry.done()
        return rule

    def key(self, entry: Section) -> KeyRule:
        rule = KeyRule(
            id=self._id(entry),
            entity=self._entity(entry),
            names=entry.texts("names"),
            unless=entry.texts("except", ()),
            value=self._regex(entry, "value") if "value" in entry else None,
            examples=self._examples(entry),
            line=entry.line,
        )
        entry.done()
        return rule

    def deny(self, entry: Section) -> DenyRule:
        rule = DenyRule(self._id(entry), self._entity(entry), _words(entry), self._examples(entry), entry.line)
        entry.done()
        return rule

    def allow(self, entry: Section) -> AllowRule:
        rule = AllowRule(
            id=self._id(entry),
            entity=self._entity(entry) if "entity" in entry else None,
            words=_words(entry) if "words" in entry else (),
            pattern=self._regex(entry, "pattern") if "pattern" in entry else None,
            examples=self._examples(entry),
            line=entry.line,
        )
        if not rule.words and rule.pattern is None:
            raise entry.error("id", f"{rule.id} allows nothing", "Add `words:` or `pattern:`")
        entry.done()
        return rule

    def path(self, entry: Section) -> PathRule:
        action = entry.choice("action", ("mask", "forward"))
        path = entry.text("path")
        if not path.startswith("/"):
            raise entry.error("path", "does not begin with /", "Write a JSON pointer; * is any one step, ** any rest")
        direction = entry.choice("direction", FORWARDS[:2], "to_server") if "direction" in entry else None
        rule = PathRule(
            id=self._id(entry),
            entity=self._entity(entry) if action == "mask" else None,
            action="mask" if action == "mask" else "forward",
            server=entry.text("server", "*"),
            tool=entry.text_or_none("tool"),
            direction=Direction(direction) if direction else None,
            path=tuple(path[1:].split("/")),
            line=entry.line,
        )
        entry.done()
        return rule


def _words(entry: Section) -> tuple[str, ...]:
    words = entry.texts("words")
    if not words or not all(word.strip() for word in words):
        raise entry.error("words", "holds an empty word", "Write at least one word, and no empty one")
    return words
