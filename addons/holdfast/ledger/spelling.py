"""Reading Records fast: one regular expression for each typ, made of the same table as every other check.

A Record has one spelling, its members are sorted and known, and none nests in itself: so what :func:`record.decode`
accepts is a regular language, and `re` decides it in C. An expression here accepts less than `decode` does, never more:
texts with escapes, integers of 16 digits and what is rare are left to `decode`, which has the last word on all that an
expression does not match. Standard library only.
"""

import functools
import json
import re
from typing import Final, NamedTuple

from holdfast import jsontext
from holdfast.errors import LedgerError
from holdfast.ledger import fields, record
from holdfast.ledger.shape import (
    TEXT_CHARS_MAX,
    Boolean,
    Either,
    Field,
    Integer,
    ListOf,
    MapOf,
    Members,
    Null,
    OneOf,
    Pattern,
    Shape,
    Text,
)

_TYP: Final = b'"typ":"'
_LEFT_TO_DECODE: Final = frozenset({"payload.erased", "ledger.rotated", "ledger.genesis"})
_MAPS_KEPT: Final = 512  # counts of Findings repeat; counters of heartbeats do not
_INTEGER_LOWS: Final = {0: "(?:0|[1-9][0-9]{0,14})", 1: "[1-9][0-9]{0,14}", 100: "[1-9][0-9]{2,14}"}


class Stated(NamedTuple):
    """What a payload's member of a Record says."""

    member: str
    commitment: str
    size_bytes: int
    content_type: str


class Spelled(NamedTuple):
    """Of a Record that is as it should be, what it must agree with others about."""

    log: str
    n: int
    typ: str
    at: str
    mono_ns: int
    boot: str
    payloads: tuple[Stated, ...]
    erased: tuple[str, ...] = ()


def read(entry: bytes) -> Spelled | None:
    """What the Record ``entry`` says, checked in full; None where only :func:`record.decode` can tell."""
    start = entry.find(_TYP) + len(_TYP)
    typ = entry[start : entry.find(b'"', start)].decode("ascii", "replace")
    if typ not in record.KINDS or typ in _LEFT_TO_DECODE or len(entry) > record.RECORD_BYTES_MAX:
        return None
    try:
        match = _expression(typ).fullmatch(entry.decode("utf-8", "strict"))
    except UnicodeDecodeError:
        return None
    return None if match is None else _spelled(typ, match)


def _spelled(typ: str, match: re.Match[str]) -> Spelled | None:
    found = match.groupdict()
    index = int(found["n"])
    refs = found.get("ref")
    if refs and any(int(ref) >= index for ref in refs.split(",")):
        return None
    for name, shape in _maps(typ):
        if found[name] is not None and not _is_map(shape, found[name]):
            return None
    payloads = tuple(
        Stated(member, commitment, int(found[f"{member}_bytes"]), found[f"{member}_ct"])
        for member in fields.PAYLOAD_MEMBERS
        if (commitment := found.get(f"{member}_c")) is not None
    )
    return Spelled(found["log"], index, typ, found["ts"], int(found["mono"]), found["boot"], payloads)


def of_decoded(value: jsontext.JsonObject) -> Spelled:
    """The same of a Record that :func:`record.decode` has returned."""
    payloads = tuple(
        Stated(member, str(one["c"]), int(str(one["bytes"])), str(one["ct"]))
        for member, one in record.commitments_in(value)
    )
    log, typ, at, boot = (str(value[name]) for name in ("log", "typ", "ts", "boot"))
    erased = tuple(record.erased_by(value))
    return Spelled(log, int(str(value["n"])), typ, at, int(str(value["mono"])), boot, payloads, erased)


@functools.cache
def _expression(typ: str) -> re.Pattern[str]:
    kind = record.KINDS[typ]
    body = {field.name: field for field in fields.BODY}
    required = {*kind.required, *(field.name for field in fields.HEAD)}
    names = {*required, *kind.optional}
    listed = list(fields.HEAD) + [body[name] for name in names if name in body]
    members = "".join(
        _member(field, _top(typ, field), is_required=field.name in required)
        for field in sorted(listed, key=lambda item: item.name)
    )
    return re.compile(rf"\{{{members}\}}")


def _top(typ: str, field: Field) -> str:
    """The expression for a member of the Record itself; what is asked for later stands in a named group."""
    match field.name:
        case "v":
            return str(record.VERSION)
        case "typ":
            return f'"{re.escape(typ)}"'
        case "n" | "mono":
            return f"(?P<{field.name}>{_pattern(field.shape)})"
        case "log" | "ts" | "boot":
            return f'"(?P<{field.name}>{_pattern(field.shape)[1:-1]})"'
        case "ref":
            return rf"\[(?P<ref>(?:{_INTEGER_LOWS[0]}(?:,(?!\])|(?=\]))){{0,{fields.REFS_MAX}}}+)\]"
        case _:
            return _pattern(field.shape, field.name)


def _member(field: Field, pattern: str, *, is_required: bool) -> str:
    # After a member comes a comma and the next one, or the end of the object.
    one = rf'"{field.name}":{pattern}(?:,(?!\}})|(?=\}}))'
    return one if is_required else f"(?:{one})?+"


def _pattern(shape: Shape, path: str = "") -> str:
    match shape:
        case Either():
            return f"(?:{'|'.join(_pattern(one) for one in shape.shapes)})"
        case ListOf():
            return rf"\[(?:{_pattern(shape.item)}(?:,(?!\])|(?=\]))){{0,{shape.count_max}}}+\]"
        case MapOf():
            return rf"(?P<{path}>\{{[^{{}}\[\]]*+\}})"
        case Members():
            return rf"\{{{''.join(_inner(path, field) for field in sorted(shape.fields, key=_name))}\}}"
        case _:
            return _scalar(shape)


def _scalar(shape: Shape) -> str:
    match shape:
        case Text():
            return rf'"[^"\\\x00-\x1f]{{0,{TEXT_CHARS_MAX}}}+"'
        case Pattern():
            return f'"(?:{shape.regex.pattern})"'
        case Integer():
            wide = "(?:0|-?[1-9][0-9]{0,14})" if shape.low < -(10**15) else _NOTHING
            return _INTEGER_LOWS.get(shape.low, wide)
        case Boolean():
            return "(?:true|false)"
        case Null():
            return "null"
        case OneOf():
            return f"(?:{'|'.join(json.dumps(value) for value in shape.values)})"
        case _:
            return _NOTHING


_NOTHING: Final = "(?!)"  # matches nowhere: such a Record is left to decode


def _name(field: Field) -> str:
    return field.name


def _inner(path: str, field: Field) -> str:
    if (path, field.name) == ("appr", "use"):
        return ""  # not expected here, so a Record that uses an Approval is left to decode
    pattern = _pattern(field.shape, f"{path}_{field.name}")
    if path in fields.PAYLOAD_MEMBERS and field.name in ("c", "ct"):
        pattern = f'"(?P<{path}_{field.name}>{pattern[1:-1]})"'
    elif path in fields.PAYLOAD_MEMBERS and field.name == "bytes":
        pattern = f"(?P<{path}_bytes>{pattern})"
    return _member(field, pattern, is_required=field.is_required)


@functools.cache
def _maps(typ: str) -> tuple[tuple[str, MapOf], ...]:
    """The groups of an expression that hold a map, whose names no expression can put in order."""
    groups = _expression(typ).groupindex
    tops = [(field.name, field.shape) for field in fields.BODY]
    inner = [
        (f"{field.name}_{one.name}", one.shape)
        for field in fields.BODY
        if isinstance(field.shape, Members)
        for one in field.shape.fields
    ]
    return tuple((name, shape) for name, shape in tops + inner if isinstance(shape, MapOf) and name in groups)


@functools.lru_cache(maxsize=_MAPS_KEPT)
def _is_map(shape: MapOf, text: str) -> bool:
    try:
        value = json.loads(text)
        shape.check(value, "map")
        return jsontext.canonical(value).decode() == text
    except (ValueError, LedgerError):
        return False
