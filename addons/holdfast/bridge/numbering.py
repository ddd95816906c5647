"""Ids for a child that several clients share: each request gets a number of its own, and its reply the id it came with.

Clients count from 1, all of them. Where a child belongs to one session, ids go through as they are.
"""

import dataclasses
import itertools
from typing import Protocol

from holdfast.bridge.message import SUBSCRIPTION, answers, asks, key, member
from holdfast.jsontext import Json, JsonObject


class Numbering(Protocol):
    """How messages change on their way to a child and back."""

    def to_child(self, message: JsonObject) -> JsonObject | None:
        """``message`` as the child gets it; None for one that it must not get."""

    def to_client(self, message: JsonObject) -> JsonObject:
        """``message`` as the client gets it."""


class Unchanged:
    """Every message as it is."""

    def to_child(self, message: JsonObject) -> JsonObject | None:
        """The same."""
        return message

    def to_client(self, message: JsonObject) -> JsonObject:
        """The same."""
        return message


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    id: Json
    token: Json


class Renumbered:
    """Ids and progress tokens are replaced by one number for each request, and put back in what belongs to it."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._asked: dict[int, _Asked] = {}

    def to_child(self, message: JsonObject) -> JsonObject | None:
        """A request under its number. A notification about a request names an id that means nothing here: None."""
        if asks(message) is None:
            return None if message.get("method") in ("notifications/cancelled", "notifications/progress") else message
        number = next(self._numbers)
        token = member(message, "params", "_meta", "progressToken")
        self._asked[number] = _Asked(message["id"], token)
        changed = {**message, "id": number}
        return changed if key(token) is None else _at(changed, number, "params", "_meta", "progressToken")

    def to_client(self, message: JsonObject) -> JsonObject:
        """A reply with the id of its request, a notification with its token or subscription."""
        number = message.get("id")
        if answers(message) is not None and isinstance(number, int) and number in self._asked:
            return {**message, "id": self._asked.pop(number).id}
        token = member(message, "params", "progressToken")
        if isinstance(token, int) and token in self._asked:
            return _at(message, self._asked[token].token, "params", "progressToken")
        subscription = member(message, "params", "_meta", SUBSCRIPTION)
        if isinstance(subscription, int) and subscription in self._asked:
            return _at(message, self._asked[subscription].id, "params", "_meta", SUBSCRIPTION)
        return message


def _at(message: JsonObject, value: Json, *path: str) -> JsonObject:
    """``message`` with ``value`` at the end of ``path``, which is there already."""
    name, *rest = path
    inner = message.get(name)
    changed = _at(inner, value, *rest) if rest and isinstance(inner, dict) else value
    return {**message, name: changed}
