"""Facts as text for the temporary database of a Story: a JSON array of the fields, in order."""

import dataclasses
import datetime as dt
import functools
import json
import types
import typing
from collections.abc import Callable
from typing import Any

from holdfast.clock import utc_text

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=lambda value: _plain(value))  # noqa: PLW0108 -- it stands below


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return utc_text(value)
    return [getattr(value, name) for name in _names(value.__class__)]


@functools.cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def encode(fact: Any) -> str:
    """The text of a fact, of a class in facts.py."""
    return _ENCODER.encode(fact)


def decode(kind: Any, text: str) -> Any:
    """The inverse of :func:`encode`, for a fact of class ``kind``."""
    return _build(kind, json.loads(text))


def _build(kind: Any, values: list[Any]) -> Any:
    for place, make in _makers(kind):
        if values[place] is not None:
            values[place] = make(values[place])
    return kind(*values)


@functools.cache
def _makers(kind: Any) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """The fields that JSON does not give back as they were, each with what makes it again."""
    hints = typing.get_type_hints(kind)
    found = ((place, _maker(hints[name])) for place, name in enumerate(_names(kind)))
    return tuple((place, make) for place, make in found if make is not None)


def _maker(hint: Any) -> Callable[[Any], Any] | None:
    if isinstance(hint, types.UnionType):
        (hint,) = (item for item in typing.get_args(hint) if item is not types.NoneType)
    if hint is dt.datetime:
        return dt.datetime.fromisoformat
    if dataclasses.is_dataclass(hint):
        return functools.partial(_build, hint)
    if typing.get_origin(hint) is tuple:
        inner = _maker(typing.get_args(hint)[0])
        return tuple if inner is None else functools.partial(_tuple_of, inner)
    return None


def _tuple_of(make: Callable[[Any], Any], values: list[Any]) -> tuple[Any, ...]:
    return tuple(make(value) for value in values)
