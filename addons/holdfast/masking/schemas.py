"""What a tool's JSON Schema asks of the values in its arguments and results: would a mask still be one of them?

Only to choose between two masks. A schema is the server's word: what cannot be read here, or takes too long, asks for
nothing, and the rules' ordinary mask stands.
"""

import dataclasses
import functools
import ipaddress
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeGuard

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.jsontext import Json, JsonObject

DEPTH_MAX: Final = 16  # references and alternatives inside each other; schemas of tools have two or three
NODES_MAX: Final = 64  # alternatives for one value; more are not weighed
STEPS_MAX: Final = 256  # schemas looked at for one value: references that multiply each other end here
PATTERN_CHARS_MAX: Final = 512  # a longer one is no form that a mask could take
PATTERN_S_MAX: Final = 0.005  # of processor time for one pattern over one mask
SLOW_COUNT_MAX: Final = 512  # with more, no pattern of anybody is asked any more
_SLOW: Final[set[str]] = set()  # patterns that took longer: whoever wrote one does not get the time a second time
_MAIL: Final = r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@.]+"
_FORMATS: Final = {
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": r"\d{4}-\d\d-\d\d[Tt ].+",
    "email": _MAIL,
    "idn-email": _MAIL,
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>]*",
    "uuid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """What is asked of one value: it satisfies each of ``nodes``, schemas inside ``root``."""

    root: JsonObject = dataclasses.field(repr=False)
    nodes: tuple[JsonObject, ...] = dataclasses.field(repr=False)

    @classmethod
    def of_member(cls, name: str, value: JsonObject | None) -> "Schema | None":
        """What is asked of an object whose member ``name`` has the schema ``value``."""
        return cls(value, ({"properties": {name: value}},)) if value else None

    def member(self, name: str) -> "Schema | None":
        """What is asked of the member ``name``."""
        return self._inner(lambda node: _of_member(node, name))

    def item(self) -> "Schema | None":
        """What is asked of the items of an array."""
        return self._inner(lambda node: node.get("items"))

    def admits(self, value: str | float) -> bool:
        """Whether ``value`` is what is asked for, as far as this can tell."""
        steps = itertools.count()
        return all(self._admits(node, value, 0, steps) for node in self.nodes)

    def _inner(self, step: Callable[[JsonObject], Json]) -> "Schema | None":
        found: list[JsonObject] = []
        for node in self.nodes:
            for one in itertools.islice(self._all(node, 0), NODES_MAX):
                inner = step(one)
                if isinstance(inner, dict) and inner and len(found) < NODES_MAX:
                    found.append(inner)
        return Schema(self.root, tuple(found)) if found else None

    def _all(self, node: JsonObject, depth: int) -> Iterator[JsonObject]:
        """``node``, what it refers to, and its alternatives: a value in any of them has a form that is asked for."""
        yield node
        if depth >= DEPTH_MAX:
            return
        for one in (*_alternatives(node), *self._referred(node)):
            yield from self._all(one, depth + 1)

    def _referred(self, node: JsonObject) -> tuple[JsonObject, ...]:
        reference = node.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return ()
        found: Json = self.root
        for step in reference[2:].split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        return (found,) if isinstance(found, dict) else ()

    def _admits(self, node: JsonObject, value: str | float, depth: int, steps: Iterator[int]) -> bool:
        if depth >= DEPTH_MAX or next(steps) >= STEPS_MAX:
            return True
        if not all(check(node, value) for check in _CHECKS):
            return False
        each = [*_objects(node.get("allOf")), *self._referred(node)]
        if not all(self._admits(one, value, depth + 1, steps) for one in each):
            return False
        for name in ("anyOf", "oneOf"):
            some = list(_objects(node.get(name)))
            if some and not any(self._admits(one, value, depth + 1, steps) for one in some):
                return False
        return True


def _of_member(node: JsonObject, name: str) -> Json:
    stated = node.get("properties")
    if isinstance(stated, dict) and name in stated:
        return stated[name]
    return node.get("additionalProperties")


def _alternatives(node: JsonObject) -> Iterator[JsonObject]:
    for name in ("allOf", "anyOf", "oneOf"):
        yield from _objects(node.get(name))


def _objects(value: Json) -> Iterator[JsonObject]:
    if isinstance(value, list):
        yield from (item for item in value[:NODES_MAX] if isinstance(item, dict))


def _type(node: JsonObject, value: str | float) -> bool:
    stated = node.get("type")
    names = [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []
    if not names:
        return True
    if isinstance(value, str):
        return "string" in names
    return "number" in names or ("integer" in names and (isinstance(value, int) or value.is_integer()))


def _listed(node: JsonObject, value: str | float) -> bool:
    listed = node.get("enum")
    return ("const" not in node or node["const"] == value) and (not isinstance(listed, list) or value in listed)


def _length(node: JsonObject, value: str | float) -> bool:
    if not isinstance(value, str):
        return True
    return _between(len(value), node.get("minLength"), node.get("maxLength"))


def _range(node: JsonObject, value: str | float) -> bool:
    if isinstance(value, str):
        return True
    low, high, step = (node.get(name) for name in ("exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
    return (
        _between(value, node.get("minimum"), node.get("maximum"))
        and not (_is_number(low) and value <= low)
        and not (_is_number(high) and value >= high)
        and not (isinstance(step, int) and step > 0 and value % step != 0)
    )


def _between(value: float, low: Json, high: Json) -> bool:
    return not (_is_number(low) and value < low) and not (_is_number(high) and value > high)


def _is_number(value: Json) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pattern(node: JsonObject, value: str | float) -> bool:
    stated = node.get("pattern")
    if not isinstance(value, str) or not isinstance(stated, str) or len(stated) > PATTERN_CHARS_MAX:
        return True
    return _matches(stated, value)


def _format(node: JsonObject, value: str | float) -> bool:
    stated = node.get("format")
    if not isinstance(value, str) or not isinstance(stated, str):
        return True
    if stated in ("ipv4", "ipv6"):
        return _is_address(value, int(stated[-1]))
    known = _FORMATS.get(stated)
    # Nobody here knows what a server means by another word; a mask in angle brackets it hardly means.
    return regex.fullmatch(known, value) is not None if known is not None else "<" not in value


def _is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    if compiled is None or pattern in _SLOW or len(_SLOW) >= SLOW_COUNT_MAX:
        return True
    try:
        return compiled.search(value, timeout=PATTERN_S_MAX) is not None
    except TimeoutError:
        _SLOW.add(pattern)
        return True


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any | None:
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError):
        return None


_CHECKS: Final[tuple[Callable[[JsonObject, str | float], bool], ...]] = (
    _type,
    _listed,
    _length,
    _range,
    _pattern,
    _format,
)
