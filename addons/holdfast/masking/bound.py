r"""What a query calls the values that are handed over beside it: ``login(password: $p)``, ``WHERE ssn = $1``.

Whoever sends a query sends its values apart: by name (``$p``, ``:p``, ``@p``, ``%(p)s``) or in their order (``$1``,
``?``, ``%s``). What stands before each of them, or its column in an ``INSERT``, is what the value is called.
"""

import re
from typing import Final

from holdfast.jsontext import Json, JsonObject

QUERIES: Final = ("query", "sql", "statement", "mutation", "text", "command")
HELD: Final = frozenset({"variables", "params", "parameters", "args", "arguments", "values", "bindings", "binds"})
_CHARS_MAX: Final = 16_384  # a longer query is not read
_VALUE: Final = (
    r"(?:\$(?P<dollar>\w{1,64})|[:@](?P<named>[A-Za-z_]\w{0,63})|%\((?P<percent>\w{1,64})\)s|(?P<next>\?|%s))"
)
_ONE: Final = re.compile(
    rf"(?P<name>[A-Za-z_][\w.]{{0,63}})[\"`\]]?\s{{0,3}}(?:=|:|<>|!=|\blike\b)\s{{0,3}}{_VALUE}", re.IGNORECASE
)
_INSERT: Final = re.compile(
    r"\binto\s{1,3}[\w.\"`\[\]]{1,128}\s{0,3}\((?P<columns>[^()]{1,2048})\)\s{0,9}values\s{0,3}\((?P<items>[^()]{1,2048})\)",
    re.IGNORECASE,
)
_ITEM: Final = re.compile(_VALUE)


def bound_in(value: JsonObject) -> dict[str, str]:
    """What the values are called that ``value`` hands over beside its query, by their name or number from 0 on."""
    if HELD.isdisjoint(value):  # as most objects are
        return {}
    query = next((one for name in QUERIES if isinstance(one := value.get(name), str)), None)
    if query is None or len(query) > _CHARS_MAX or not any(mark in query for mark in "$:@?%"):
        return {}
    found = [(match.start("name"), match["name"], match) for match in _ONE.finditer(query)]
    for insert in _INSERT.finditer(query):
        columns = [column.strip(' \t\r\n"`[]') for column in insert["columns"].split(",")]
        items = [_ITEM.search(item) for item in insert["items"].split(",")]
        found += [(insert.start("items"), name, item) for name, item in zip(columns, items, strict=False) if item]
    return _by_place(sorted(found, key=_start))


def _by_place(found: list[tuple[int, str, re.Match[str]]]) -> dict[str, str]:
    bound: dict[str, str] = {}
    count = 0
    for _, name, match in found:
        said = match["dollar"] or match["named"] or match["percent"]
        if match["next"]:
            said, count = str(count), count + 1
        elif said and match["dollar"] and said.isdigit():
            said = str(int(said) - 1)
        if said:
            bound.setdefault(said, name)
    return bound


def columns_of(bound: dict[str, str], items: list[Json]) -> tuple[tuple[str, ...], ...]:
    """What each of ``items`` is called, where they are handed over in their order."""
    return tuple((bound[str(at)],) if str(at) in bound else () for at in range(len(items)))


def _start(one: tuple[int, str, re.Match[str]]) -> int:
    return one[0]
