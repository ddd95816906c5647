"""Paths into the params of a Call: an RFC 6901 JSON pointer in which ``*`` stands for every element.

A path that has no ``*`` may still lead to several places: servers written in some languages take ``AMOUNT`` for
``amount``. So a step follows every member whose name differs only as :func:`holdfast.policy.names.fold_name` ignores.
"""

import dataclasses
import enum
import itertools
from collections.abc import Iterator
from typing import Final

from holdfast.jsontext import Json
from holdfast.policy.names import fold_name

PATH_STEPS_MAX: Final = 16  # arguments nest a few levels
PLACES_COUNT_MAX: Final = 10_000  # as many elements as one judgement looks at; more cannot be judged


class Gap(enum.Enum):
    """Where a path leads to no value."""

    MISSING = "is not there"
    UNREADABLE = "runs through a value of another type"


type Place = Json | Gap


@dataclasses.dataclass(frozen=True, slots=True)
class Path:
    """A pointer into params, already split. ``text`` is how the rule spells it."""

    text: str
    steps: tuple[str, ...]

    def places(self, params: Json) -> list[Place]:
        """Every value or gap that the path leads to; at least one, and one UNREADABLE where there are too many."""
        places: list[Place] = [{} if params is None else params]
        for step in self.steps:
            found = (inner for place in places for inner in _step(place, step))
            places = list(itertools.islice(found, PLACES_COUNT_MAX + 1))
            if len(places) > PLACES_COUNT_MAX:
                return [Gap.UNREADABLE]
        return places


def parse_path(text: str, prefix: tuple[str, ...] = ()) -> Path:
    """The path that ``text`` spells, below ``prefix``.

    Raises:
        ValueError: no JSON pointer, or too long; the message says which.
    """
    if not text.startswith("/"):
        raise ValueError("does not begin with a slash")
    steps = text[1:].split("/")
    if len(steps) > PATH_STEPS_MAX:
        raise ValueError(f"has more than {PATH_STEPS_MAX} steps")
    if any(part[:1] not in {"0", "1"} for step in steps for part in step.split("~")[1:]):
        raise ValueError("has a ~ that is neither ~0 nor ~1")  # RFC 6901, section 3
    return Path(text, prefix + tuple(step.replace("~1", "/").replace("~0", "~") for step in steps))


def _step(place: Place, step: str) -> Iterator[Place]:
    match place:
        case Gap():
            yield place
        case dict() if step == "*":
            yield from place.values() or (Gap.MISSING,)
        case list() if step == "*":
            yield from place or (Gap.MISSING,)
        case dict():
            yield from _members(place, step)
        case list() if step.isascii() and step.isdigit():
            index = int(step)
            yield place[index] if index < len(place) else Gap.MISSING
        case _:
            yield Gap.UNREADABLE


def _members(place: dict[str, Json], step: str) -> Iterator[Place]:
    yield place.get(step, Gap.MISSING)
    if len(place) > PLACES_COUNT_MAX:
        yield Gap.UNREADABLE
        return
    folded = fold_name(step)
    for name, value in place.items():
        if name != step and fold_name(name) == folded:
            yield value
