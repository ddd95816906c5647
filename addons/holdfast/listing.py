"""Lists that a server sends: a Caller sees of them only what they may call.

The entries that stay are not touched, nor is the cursor of the next page: a page may come out empty and still name the
next one. What may be seen differs by Caller, so no cache that Callers share may keep it.
"""

import dataclasses
from collections.abc import Callable
from typing import Final

from holdfast.call import MODERN_VERSION, Call, Direction, Message, Reply
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.finding import Masked
from holdfast.passage import Admission
from holdfast.policy.names import fold_name
from holdfast.policy.showing import could_call, could_fill


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """One ``kind`` of list: the ``member`` of its result, what ``names`` an entry, and the Call that uses an entry."""

    kind: str
    member: str
    names: str
    method: str
    argument: str


LISTS: Final = {
    "tools/list": Shape("tool", "tools", "name", "tools/call", "name"),
    "prompts/list": Shape("prompt", "prompts", "name", "prompts/get", "name"),
    "resources/list": Shape("resource", "resources", "uri", "resources/read", "uri"),
    "resources/templates/list": Shape("template", "resourceTemplates", "uriTemplate", "resources/read", "uri"),
}
_TEMPLATES: Final = LISTS["resources/templates/list"]
GREETINGS: Final = frozenset({"initialize", "server/discover"})  # their results may have `instructions`
INSTRUCTIONS: Final = "instructions"
# MCP 2026-07-28, caching: "public" lets any intermediary serve a result across authorization contexts.
_SCOPED: Final = frozenset({*LISTS, "resources/read"})


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A Reply as its Caller may see it, and how many entries of a list were left out; None where it is no list."""

    masked: Masked
    hidden_count: int | None


def show(admission: Admission, server: str, asked: Call, reply: Reply, masked: Masked, hidden: frozenset[int]) -> Shown:
    """What the Caller may see of ``reply`` to ``asked``.

    Args:
        admission: on whose response it comes, and the rules in force.
        server: the name of the MCP server.
        asked: the Call that is answered, as the client sent it.
        reply: as the server sent it.
        masked: the same, masked.
        hidden: indices of entries that are not shown whoever asks; the instructions of a server are entry 0.

    Raises:
        Refused: SERVER_FAULT, a list whose entries cannot be told apart.
    """
    shape = LISTS.get(asked.method)
    if asked.method in GREETINGS and hidden:
        return Shown(_each(masked, _without_instructions), None)
    if reply.error is not None or asked.method not in _SCOPED:
        return Shown(masked, None)
    if shape is None:
        return Shown(_each(masked, _private), None)
    stays = [stay and index not in hidden for index, stay in enumerate(_stays(admission, server, shape, reply.result))]
    shown = _each(masked, lambda result: _only(result, shape.member, stays))
    if _is_modern(admission):
        shown = _each(shown, lambda result: {"cacheScope": "private"} | result)
    return Shown(_each(shown, _private), stays.count(False))


def _stays(admission: Admission, server: str, shape: Shape, result: Json) -> list[bool]:
    """Of each entry, whether it may be seen. An entry that names nothing cannot be judged, and is not shown."""
    members = result if isinstance(result, dict) else {}
    # A client that matches names in any case would read the entries that nobody judged.
    if any(name != shape.member and fold_name(name) == fold_name(shape.member) for name in members):
        raise Refused(Cause.SERVER_FAULT, "a list has a second spelling of the member with its entries")
    entries = members.get(shape.member, [])
    if not isinstance(entries, list):
        raise Refused(Cause.SERVER_FAULT, "the entries of a list are no array")
    judge = could_fill if shape is _TEMPLATES else could_call
    rules, caller = admission.force.rules.access, admission.caller
    return [(call := _use(shape, entry)) is not None and judge(rules, call, caller, server) for entry in entries]


def _use(shape: Shape, entry: Json) -> Call | None:
    name = entry.get(shape.names) if isinstance(entry, dict) else None
    return Call(shape.method, {shape.argument: name}, 1, Direction.TO_SERVER) if isinstance(name, str) else None


def _only(result: JsonObject, member: str, stays: list[bool]) -> JsonObject:
    entries = result.get(member)
    if not isinstance(entries, list) or all(stays):
        return result
    return result | {member: [entry for entry, stay in zip(entries, stays, strict=True) if stay]}


def _without_instructions(result: JsonObject) -> JsonObject:
    return {name: value for name, value in result.items() if name != INSTRUCTIONS}


def _private(result: JsonObject) -> JsonObject:
    return result | {"cacheScope": "private"} if "cacheScope" in result else result


def _is_modern(admission: Admission) -> bool:
    said = admission.base.get("mcp")
    return isinstance(said, dict) and said.get("version") == MODERN_VERSION


def _each(masked: Masked, change: Callable[[JsonObject], JsonObject]) -> Masked:
    return dataclasses.replace(masked, forward=_result(masked.forward, change), keep=_result(masked.keep, change))


def _result(message: Message, change: Callable[[JsonObject], JsonObject]) -> Message:
    if not isinstance(message, Reply) or not isinstance(message.result, dict):
        return message
    return dataclasses.replace(message, result=change(message.result))
