"""What servers say of their tools, prompts and resources: hints, and the definitions that were seen and pinned.

In memory for speed; what is trusted comes from Records (`trusted.py`), so a restart finds it again.
"""

import collections
import dataclasses
from typing import Final

from holdfast.call import Call, Message
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.record import object_digest
from holdfast.policy.annotations import Annotations, parse_annotations
from holdfast.policy.names import fold_name

TOOLS_COUNT_MAX: Final = 5_000  # hints; more tools than any server has; beyond it the oldest is unknown again
SCHEMAS_BYTES_MAX: Final = 64 * 1024  # of one tool; a form with as many fields is filled in by nobody
SCHEMAS_ALL_BYTES_MAX: Final = 8 * 1024 * 1024  # of one server; of too many, the oldest are unknown again
KNOWN_COUNT_MAX: Final = 20_000  # definitions of one server, about 12 MB; more are not shown
NAME_CHARS_MAX: Final = 300  # what a Record keeps of a name
TEXTS_BYTES_MAX: Final = 8 * 1024 * 1024  # definitions kept for comparing; what is not here is read from the ledger


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """One wording of a definition.

    ``pin`` is the keyed digest of what the server sent, in hex; it also tells wordings apart that differ under a mask.
    ``digest_hex`` names the masked definition, an object of the ledger.
    """

    pin: str
    digest_hex: str

    def is_same(self, other: "Version | None") -> bool:
        """Whether ``other`` is the same wording."""
        if other is None:
            return False
        # Records of earlier versions of Holdfast have no pin.
        return self.pin == other.pin if self.pin and other.pin else self.digest_hex == other.digest_hex


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What is known of one definition: as last ``seen``, and as ``pinned``, which is None where it never was.

    ``flags`` are the ids of the screens that found something in what was last seen; ``screened`` is the digest of the
    Ruleset that looked, in this run; ``by_operator`` is whether a person pinned it.
    """

    seen: Version
    pinned: Version | None
    by_operator: bool = False
    flags: frozenset[str] = frozenset()
    screened: str = ""

    @property
    def is_trusted(self) -> bool:
        """Whether what was last seen is what is pinned."""
        return self.seen.is_same(self.pinned)


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """What a definition is of, within one server; ``name`` is masked."""

    kind: str
    name: str

    @classmethod
    def of(cls, kind: str, name: str) -> "Key":
        """The key for ``name``, cut as Records cut it."""
        return cls(kind, name[:NAME_CHARS_MAX])


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """Something to write down about a definition: ``known`` holds once that is durable. ``data`` is masked."""

    typ: str
    server: str
    key: Key
    known: Known
    data: bytes = dataclasses.field(repr=False)
    decision: JsonObject
    previous: str | None = None
    changed: tuple[str, ...] = ()
    view: str = dataclasses.field(default="", repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Schemas:
    """What a tool says of its arguments and of its structured content, as JSON Schema; ``size_bytes`` of both."""

    arguments: JsonObject | None = dataclasses.field(repr=False)
    result: JsonObject | None = dataclasses.field(repr=False)
    size_bytes: int = 0


NO_SCHEMAS: Final = Schemas(None, None)


class Catalog:
    """The definitions of one server. A tool that was never listed is unknown: rules read the worst case."""

    def __init__(self) -> None:
        self._hints: collections.OrderedDict[str, Annotations] = collections.OrderedDict()
        self._schemas: collections.OrderedDict[str, Schemas] = collections.OrderedDict()
        self._schemas_bytes = 0
        self._known: dict[Key, Known] = {}
        self.tool_names: set[str] = set()

    def learn(self, tool: str, hints: Json) -> None:
        """Take in the annotations of ``tool``, from a definition that is trusted."""
        self._hints[tool] = parse_annotations(hints)
        self._hints.move_to_end(tool)
        while len(self._hints) > TOOLS_COUNT_MAX:
            self._hints.popitem(last=False)

    def annotations(self, tool: str | None) -> Annotations | None:
        """What the server said of ``tool``, or None where it was never listed."""
        return self._hints.get(tool) if tool is not None else None

    def learn_schemas(self, tool: str, definition: JsonObject, size_bytes: int) -> None:
        """Take in the schemas of ``tool``, from a definition of ``size_bytes`` that is trusted."""
        before = self._schemas.pop(tool, NO_SCHEMAS)
        self._schemas_bytes -= before.size_bytes
        asked, told = definition.get("inputSchema"), definition.get("outputSchema")
        if size_bytes > SCHEMAS_BYTES_MAX or not (isinstance(asked, dict) or isinstance(told, dict)):
            return
        arguments, result = asked if isinstance(asked, dict) else None, told if isinstance(told, dict) else None
        self._schemas[tool] = Schemas(arguments, result, size_bytes)
        self._schemas_bytes += size_bytes
        while self._schemas_bytes > SCHEMAS_ALL_BYTES_MAX:
            self._schemas_bytes -= self._schemas.popitem(last=False)[1].size_bytes

    def schemas(self, message: Message) -> Schemas:
        """The schemas of the tool that ``message`` calls; empty where it calls none, or one that was never listed."""
        name = message.name if isinstance(message, Call) and message.method == "tools/call" else None
        return self._schemas.get(name, NO_SCHEMAS) if name is not None else NO_SCHEMAS

    def known(self, key: Key) -> Known | None:
        """What is known of a definition."""
        return self._known.get(key)

    def has_room(self, key: Key, coming_count: int = 0) -> bool:
        """Whether ``key`` is known, or may become so after ``coming_count`` others.

        Nothing is forgotten: that would be a way around a pin.
        """
        return key in self._known or len(self._known) + coming_count < KNOWN_COUNT_MAX

    def remember(self, key: Key, known: Known) -> None:
        """Take in what a durable Record says."""
        if self.has_room(key):
            self._known[key] = known
            if key.kind == "tool":
                self.tool_names.add(fold_name(key.name))

    def definition(self, tool: str | None) -> str | None:
        """The digest of the definition of ``tool`` (its masked name) as last seen, in hex."""
        known = self._known.get(Key.of("tool", tool)) if tool is not None else None
        return known.seen.digest_hex if known else None

    def items(self) -> list[tuple[Key, Known]]:
        """Everything that is known, in the order in which it was first seen."""
        return list(self._known.items())


class Texts:
    """Masked definitions by digest, for comparing; of too many bytes the oldest leave."""

    def __init__(self) -> None:
        self._texts: collections.OrderedDict[str, bytes] = collections.OrderedDict()
        self._bytes = 0

    def put(self, data: bytes) -> str:
        """Keep ``data``; its digest in hex."""
        digest_hex = object_digest(data)
        if digest_hex not in self._texts:
            self._texts[digest_hex] = data
            self._bytes += len(data)
            while self._bytes > TEXTS_BYTES_MAX:
                self._bytes -= len(self._texts.popitem(last=False)[1])
        return digest_hex

    def get(self, digest_hex: str) -> bytes | None:
        """The definition with that digest, where it is here."""
        return self._texts.get(digest_hex)


class Catalogs:
    """A catalog of its own for each server: two servers may have tools of one name."""

    def __init__(self) -> None:
        self._of: dict[str, Catalog] = {}
        self.texts = Texts()

    def of(self, server: str) -> Catalog:
        """The catalog of ``server``. There are no more than servers in the rules, and in the ledger."""
        return self._of.setdefault(server, Catalog())

    def servers(self) -> list[str]:
        """Every server of which something is known."""
        return list(self._of)

    def elsewhere(self, server: str) -> frozenset[str]:
        """The folded names of the tools of every other server."""
        return frozenset().union(*(catalog.tool_names for name, catalog in self._of.items() if name != server))
