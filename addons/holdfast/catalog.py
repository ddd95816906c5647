"""What the server says of its tools: annotations and definitions, learnt from the `tools/list` replies that pass."""

import collections
import dataclasses
from typing import Final

from holdfast import jsontext
from holdfast.jsontext import Json
from holdfast.ledger.record import object_digest
from holdfast.policy.annotations import Annotations, parse_annotations

TOOLS_COUNT_MAX: Final = 5_000  # more tools than any server has; beyond it the oldest is unknown again
NAME_CHARS_MAX: Final = 300  # what a Record keeps of a name


@dataclasses.dataclass(frozen=True, slots=True)
class Definition:
    """A tool as its server described it, masked: ``data`` is canonical JSON, ``previous`` the digest seen before."""

    name: str
    digest_hex: str
    data: bytes = dataclasses.field(repr=False)
    previous: str | None


class Catalog:
    """Tool name to annotations and definition. A tool that was never listed is unknown: rules read the worst case."""

    def __init__(self) -> None:
        self._tools: collections.OrderedDict[str, Annotations] = collections.OrderedDict()
        self._definitions: collections.OrderedDict[str, str] = collections.OrderedDict()

    def learn(self, result: Json) -> None:
        """Take in the annotations in the result of a `tools/list`. Whatever is not shaped like one is passed over."""
        for tool in _tools(result):
            self._tools[str(tool["name"])] = parse_annotations(tool.get("annotations"))
            self._tools.move_to_end(str(tool["name"]))
        _forget(self._tools)

    def annotations(self, tool: str | None) -> Annotations | None:
        """What the server said of ``tool``, or None where it was never listed."""
        return self._tools.get(tool) if tool is not None else None

    def changed(self, result: Json) -> tuple[Definition, ...]:
        """The definitions in a masked result that are new or not as they were; nothing is remembered yet."""
        found: dict[str, Definition] = {}
        for tool in _tools(result):
            name, data = str(tool["name"])[:NAME_CHARS_MAX], jsontext.canonical(tool)
            digest_hex, previous = object_digest(data), self._definitions.get(name)
            if digest_hex != previous:
                found[name] = Definition(name, digest_hex, data, previous)
        return tuple(found.values())

    def remember(self, name: str, digest_hex: str) -> None:
        """Take in a definition whose Record is durable."""
        self._definitions[name] = digest_hex
        self._definitions.move_to_end(name)
        _forget(self._definitions)

    def definition(self, tool: str | None) -> str | None:
        """The digest of the definition of ``tool`` (its masked name) as last seen, in hex."""
        return self._definitions.get(tool[:NAME_CHARS_MAX]) if tool is not None else None


class Catalogs:
    """A catalog of its own for each server: two servers may have tools of one name."""

    def __init__(self) -> None:
        self._of: dict[str, Catalog] = {}

    def of(self, server: str) -> Catalog:
        """The catalog of ``server``. There are no more than servers in the rules."""
        return self._of.setdefault(server, Catalog())


def _tools(result: Json) -> list[dict[str, Json]]:
    tools = result.get("tools") if isinstance(result, dict) else None
    listed = tools if isinstance(tools, list) else []
    return [tool for tool in listed if isinstance(tool, dict) and isinstance(tool.get("name"), str)]


def _forget[T](known: collections.OrderedDict[str, T]) -> None:
    while len(known) > TOOLS_COUNT_MAX:
        known.popitem(last=False)
