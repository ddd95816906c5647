"""The entries of ``rules/masking.yaml`` as frozen values: what is found, and what becomes of it.

An *entity* says what happens to a kind of value; Presidio's recognizers, own patterns, key rules, deny lists and paths
say where such values stand. What is kept is masked always; ``forward`` only says where masks also travel. Which
entities are regulated at all is said by a profile, and by the overrides for some servers and tools.
"""

import dataclasses
import fnmatch
from typing import Final, Literal

from holdfast.call import Direction
from holdfast.masking.checksums import Validator
from holdfast.masking.sealing import KeyHolder
from holdfast.masking.unscanned import OnFailure

MAIN_FILE: Final = "masking.yaml"

type Operator = Literal["replace", "keep_last", "pseudonym", "remove", "encrypt", "refuse"]

# Whether a pseudonym has the form of the value: where a schema or a number asks for it, always, or never.
type Format = Literal["schema", "preserve", "token"]


@dataclasses.dataclass(frozen=True, slots=True)
class Examples:
    """Texts in which a rule must match, and texts it must pass."""

    matches: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class EntityRule:
    """What happens to one kind of value. ``context`` None leaves the words of Presidio's recognizer."""

    id: str
    entity: str
    threshold: float
    operator: Operator
    keep_count: int
    forward: str
    context: tuple[str, ...] | None
    examples: Examples
    line: int
    file: str = MAIN_FILE
    enabled: bool = True
    restores: bool = False  # whether a Caller who sends the mask back has the value put in its place
    format: Format = "schema"  # of pseudonyms
    key_holder: str = ""  # for whom values are encrypted

    @property
    def preserves(self) -> bool:
        """Whether masks may have the form of the value."""
        return self.operator == "pseudonym" and self.format != "token"

    def travels(self, direction: Direction) -> bool:
        """Whether the mask, rather than the value, is forwarded in ``direction``."""
        return self.forward in ("both", direction.value)


@dataclasses.dataclass(frozen=True, slots=True)
class PatternRule:
    """An own regular expression. A group named ``value`` is what is masked; else the whole match is."""

    id: str
    entity: str
    regex: str
    score: float
    context: tuple[str, ...]
    validator: Validator | None
    examples: Examples
    line: int
    file: str = MAIN_FILE
    case_sensitive: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class KeyRule:
    """Names of JSON members whose value is masked whole, where it holds a match of ``value``."""

    id: str
    entity: str
    names: tuple[str, ...]
    unless: tuple[str, ...]
    value: str | None
    examples: Examples
    line: int
    file: str = MAIN_FILE


@dataclasses.dataclass(frozen=True, slots=True)
class DenyRule:
    """Words that are always masked."""

    id: str
    entity: str
    words: tuple[str, ...]
    examples: Examples
    line: int
    file: str = MAIN_FILE


@dataclasses.dataclass(frozen=True, slots=True)
class AllowRule:
    """Values that are never masked, of one entity or of all: whole words, or a pattern over the whole value."""

    id: str
    entity: str | None
    words: tuple[str, ...]
    pattern: str | None
    examples: Examples
    line: int
    file: str = MAIN_FILE


@dataclasses.dataclass(frozen=True, slots=True)
class PathRule:
    """What happens at a place: ``mask`` masks every value there, ``forward`` forwards it as it is (kept masked)."""

    id: str
    entity: str | None
    action: Literal["mask", "forward"]
    server: str
    tool: str | None
    direction: Direction | None
    path: tuple[str, ...]
    line: int

    def applies(self, server: str, tool: str | None, direction: Direction) -> bool:
        """Whether this rule is about messages of ``tool`` on ``server`` in ``direction``."""
        return _is_about(self, server, tool, direction)


@dataclasses.dataclass(frozen=True, slots=True)
class InForce:
    """The entities that are regulated somewhere, each as it is treated there, and what decided that.

    ``profile`` names the profile, ``override`` the id of the override that chose it; None where none did.
    """

    profile: str
    override: str | None
    entities: tuple[EntityRule, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Override:
    """What is in force for some messages instead."""

    id: str
    server: str
    tool: str | None
    direction: Direction | None
    in_force: InForce
    line: int

    def applies(self, server: str, tool: str | None, direction: Direction) -> bool:
        """Whether this is about messages of ``tool`` on ``server`` in ``direction``."""
        return _is_about(self, server, tool, direction)


def _is_about(rule: PathRule | Override, server: str, tool: str | None, direction: Direction) -> bool:
    return (
        rule.direction in (None, direction)
        and fnmatch.fnmatchcase(server, rule.server)
        and (rule.tool is None or (tool is not None and fnmatch.fnmatchcase(tool, rule.tool)))
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Streams:
    """How long events of an MCP stream wait for what follows, where a text in them may end in half a value.

    ``hold_back_ms`` 0 lets none wait; ``hold_back_chars`` is how long the beginning of a value may be.
    """

    hold_back_ms: int = 1000
    hold_back_chars: int = 64


@dataclasses.dataclass(frozen=True, slots=True)
class MaskingRules:
    """What ``rules/masking.yaml`` and the files that it names state, as far as it is in use anywhere.

    ``entities`` are all that any profile in use regulates, with the lowest threshold; ``listed`` are all that the files
    list. ``in_force`` is what holds where none of ``overrides`` does.
    """

    language: str
    spacy_model: str | None
    phone_regions: tuple[str, ...]
    entities: tuple[EntityRule, ...]
    patterns: tuple[PatternRule, ...]
    keys: tuple[KeyRule, ...]
    deny: tuple[DenyRule, ...]
    allow: tuple[AllowRule, ...]
    paths: tuple[PathRule, ...]
    listed: tuple[EntityRule, ...]
    in_force: InForce
    overrides: tuple[Override, ...] = ()
    on_failure: OnFailure = "refuse"
    holders: tuple[KeyHolder, ...] = ()
    streams: Streams = Streams()
    file: str = MAIN_FILE

    def entity(self, name: str) -> EntityRule | None:
        """The rule of the entity ``name``, or None where it is off."""
        return next((rule for rule in self.entities if rule.entity == name), None)

    def in_force_for(self, server: str, tool: str | None, direction: Direction) -> InForce:
        """What is in force for messages of ``tool`` on ``server`` in ``direction``: the first override decides."""
        return next((one.in_force for one in self.overrides if one.applies(server, tool, direction)), self.in_force)

    @property
    def everything(self) -> InForce:
        """All that is in force anywhere, for texts of which nobody knows where they belong."""
        return InForce(self.in_force.profile, None, self.entities)
