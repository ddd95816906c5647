"""Masked values put together again: arrays and objects as forwarded and as kept, and how JSON in a text is written."""

import json
import re
from collections.abc import Callable
from typing import Final

from holdfast.jsontext import Json, JsonObject

type Pair = tuple[Json, Json]  # as forwarded and as kept
type Member = tuple[str, str, Json, Json]  # its name and value as forwarded and as kept: forward, kept, forward, kept

_INDENT: Final = re.compile(r"[\[{]\n([ \t]+)")
# The first separator outside of a string.
_SPACED: Final = re.compile(r'[\s{\[]*(?:"(?:[^"\\]|\\.)*+"|[^\s",:\]}]++)[,:] ')


def join_list(pairs: list[Pair], value: list[Json]) -> Pair:
    """The array of ``pairs``; ``value`` itself where none of them is new."""
    forward = [pair[0] for pair in pairs]
    kept = [pair[1] for pair in pairs]
    return (
        value if all(new is old for new, old in zip(forward, value, strict=True)) else forward,
        value if all(new is old for new, old in zip(kept, value, strict=True)) else kept,
    )


def join_dict(members: list[Member], value: JsonObject) -> Pair:
    """The object of ``members``; ``value`` itself where none of them is new."""
    forward = _joined([(name, item) for name, _, item, _ in members])
    kept = _joined([(name, item) for _, name, _, item in members])
    return (value if _same(forward, value) else forward), (value if _same(kept, value) else kept)


def writer_of(text: str) -> Callable[[Json], str]:
    """How JSON that was changed is written, so that it looks as ``text`` did."""
    indent = _INDENT.search(text)
    width = len(indent.group(1).expandtabs(2)) if indent else None
    separators = (",", ": ") if width is not None else (", ", ": ") if _SPACED.match(text) else (",", ":")
    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, indent=width, separators=separators).encode


def write_sequence(text: str, parts: list[tuple[int, int, Json]], values: Json) -> str:
    """``text``, whose ``parts`` (start, end, value) are JSON, with ``values`` in their place where they are others."""
    assert isinstance(values, list), "a list stays one"
    written: list[str] = []
    at = 0
    for (start, end, former), value in zip(parts, values, strict=True):
        said = text[start:end]
        written += [text[at:start], said if value is former else writer_of(said)(value)]
        at = end
    return "".join((*written, text[at:]))


def _joined(members: list[tuple[str, Json]]) -> JsonObject:
    joined: JsonObject = {}
    counts: dict[str, int] = {}  # thousands of names may have one mask
    for name, item in members:
        free = name
        while free in joined:  # none of the members may get lost
            counts[name] = counts.get(name, 1) + 1
            free = f"{name}-{counts[name]}"
        joined[free] = item
    return joined


def _same(new: JsonObject, old: JsonObject) -> bool:
    return all(name in old and item is old[name] for name, item in new.items())
