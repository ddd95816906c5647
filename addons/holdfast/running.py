"""Texts that run on from one message of a stream to the next: what a tool says while it works.

They stand in notifications, under names such as ``message`` or ``delta``. Two texts run on if they stand at the same
place of notifications of the same method, about the same thing (a progress token, a logger, a task).
"""

import dataclasses
from collections.abc import Iterator
from typing import Final

from holdfast import jsontext
from holdfast.call import Call, Direction, Message
from holdfast.jsontext import Json

type Steps = tuple[str | int, ...]
type Key = tuple[str, ...]

SPOTS_COUNT_MAX: Final = 16  # of one message; more is no running text but a table
_DEPTH_MAX: Final = 4  # {"data": {"content": [{"text": …
_ABOUT: Final = ("progressToken", "logger", "taskId", "requestId", "id", "itemId", "index", "uri")
_NAMES: Final = frozenset(
    {"message", "msg", "text", "content", "delta", "chunk", "output", "line", "data", "stdout", "stderr"}
    | {"statusMessage", "partial", "log"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Spot:
    """A text that may run on: what it runs on from and to by ``key``, and where it stands in the params."""

    key: Key
    steps: Steps
    text: str

    @property
    def path(self) -> str:
        """The pointer to it in the message."""
        return "/params" + "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.steps)


def spots_of(message: Message) -> tuple[Spot, ...]:
    """The texts of ``message`` that may run on; none where it is no notification of a server."""
    if not isinstance(message, Call) or message.id is not None or message.direction is not Direction.TO_CLIENT:
        return ()
    params = message.params
    if not isinstance(params, dict):
        return ()
    about = tuple(jsontext.wire(params[name]).decode() for name in _ABOUT if isinstance(params.get(name), str | int))
    found = []
    for steps, text in _texts(params, ()):
        found.append(Spot((message.method, *about, *map(str, steps)), steps, text))
        if len(found) == SPOTS_COUNT_MAX:
            break
    return tuple(found)


def with_text(message: Call, steps: Steps, text: str) -> Call:
    """``message`` with ``text`` at ``steps`` of its params."""
    return dataclasses.replace(message, params=_set(message.params, steps, text))


def _texts(value: Json, steps: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _NAMES:
                yield from _named(item, (*steps, name))
    elif isinstance(value, list):
        for index, item in enumerate(value[:SPOTS_COUNT_MAX]):
            yield from _named(item, (*steps, index))


def _named(value: Json, steps: Steps) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, str):
        if value:
            yield steps, value
    elif len(steps) < _DEPTH_MAX:
        yield from _texts(value, steps)


def _set(value: Json, steps: Steps, text: str) -> Json:
    if not steps:
        return text
    step, *rest = steps
    if isinstance(value, dict) and isinstance(step, str):
        return {**value, step: _set(value[step], tuple(rest), text)}
    if isinstance(value, list) and isinstance(step, int):
        return [*value[:step], _set(value[step], tuple(rest), text), *value[step + 1 :]]
    raise TypeError("the steps lead nowhere")
