"""Facts as bytes for the temporary database of a Story: the fields in order, in Python's own `marshal` format.

Nobody but the process that wrote them reads them. JSON would take three times as long, and every Record is written.
"""

import dataclasses
import datetime as dt
import functools
import marshal
import operator
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

from holdfast.evidence.files.times import time_text

_NO_CHANGES: Final[Mapping[str, Any]] = types.MappingProxyType({})


def pack(values: Any) -> bytes:
    """Plain values as bytes: texts, numbers, None, and tuples, lists and dicts of them."""
    return marshal.dumps(values)


def unpack(data: bytes) -> Any:
    """The inverse of :func:`pack`, for what this process has packed."""
    return marshal.loads(data)  # noqa: S302 -- never anything from a package


def encode(fact: Any) -> bytes:
    """The bytes of a fact, of a class in facts.py."""
    return marshal.dumps(_plain(fact))


def decode(kind: Any, data: bytes, **changes: Any) -> Any:
    """The inverse of :func:`encode`, for a fact of class ``kind``; ``changes`` replace fields of it."""
    return _build(kind, unpack(data), changes)


def _plain(fact: Any) -> list[Any]:
    kind = fact.__class__
    values = list(_values(kind)(fact))
    for place, make in _plainers(kind):
        if values[place] is not None:
            values[place] = make(values[place])
    return values


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@functools.cache
def _values(kind: Any) -> Callable[[Any], tuple[Any, ...]]:
    return operator.attrgetter(*_names(kind))


@functools.cache
def _plainers(kind: Any) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """The fields that are not plain, each with what makes it so."""
    hints = typing.get_type_hints(kind)
    found = ((place, _plainer(hints[name])) for place, name in enumerate(_names(kind)))
    return tuple((place, make) for place, make in found if make is not None)


def _plainer(hint: Any) -> Callable[[Any], Any] | None:
    hint = _without_none(hint)
    if hint is dt.datetime:
        return time_text
    if dataclasses.is_dataclass(hint):
        return _plain
    inner = _plainer(typing.get_args(hint)[0]) if typing.get_origin(hint) is tuple else None
    return None if inner is None else functools.partial(_tuple_of, inner)


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        (hint,) = (item for item in typing.get_args(hint) if item is not types.NoneType)
    return hint


def _build(kind: Any, values: list[Any], changes: Mapping[str, Any] = _NO_CHANGES) -> Any:
    for place, make in _makers(kind):
        if values[place] is not None:
            values[place] = make(values[place])
    for name, value in changes.items():
        values[_names(kind).index(name)] = value
    return kind(*values)


@functools.cache
def _makers(kind: Any) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """The fields that are not plain, each with what makes it again."""
    hints = typing.get_type_hints(kind)
    found = ((place, _maker(hints[name])) for place, name in enumerate(_names(kind)))
    return tuple((place, make) for place, make in found if make is not None)


def _maker(hint: Any) -> Callable[[Any], Any] | None:
    hint = _without_none(hint)
    if hint is dt.datetime:
        return dt.datetime.fromisoformat
    if dataclasses.is_dataclass(hint):
        return functools.partial(_build, hint)
    if typing.get_origin(hint) is tuple:
        inner = _maker(typing.get_args(hint)[0])
        return None if inner is None else functools.partial(_tuple_of, inner)
    return None


def _tuple_of(make: Callable[[Any], Any], values: list[Any]) -> tuple[Any, ...]:
    return tuple(make(value) for value in values)
