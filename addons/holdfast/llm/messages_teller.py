"""Streams of Anthropic's messages: a message that starts, content blocks with their deltas, a message that stops.

The texts of a block are finished before the event that ends it.
"""

from typing import Final

from holdfast import jsontext
from holdfast.call import Direction, Id, Reply
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.llm.telling import Told, integer, parsed, says_something
from holdfast.llm.texts import Key, Texts
from holdfast.masking.llm_shapes import LLM_SHAPES
from holdfast.sse import Event

PING: Final = Told({"type": "ping"}, "ping", is_fixed=True)
_DELTAS: Final = {"partial_json": "input_json_delta"}  # of any other member: its name and `_delta`


class MessagesTeller:
    """See :class:`~holdfast.llm.telling.Teller`."""

    def __init__(self, texts: Texts) -> None:
        self.ended = False
        self._texts = texts
        self._error: JsonObject | None = None
        self._message: JsonObject = {}
        self._blocks: dict[int, JsonObject] = {}

    async def take(self, event: Event) -> list[Told]:
        """See :meth:`Teller.take`."""
        data = parsed(event)
        match data.get("type"):
            case "ping":
                return [PING]
            case "content_block_start":
                return await self._start(data)
            case "content_block_delta":
                return await self._delta(data)
            case "content_block_stop":
                return [*await self._rest(integer(data, "index")), _told(data)]
            case "message_stop":
                self.ended = True
                return [*await self._rest(), _told(data)]
            case str():
                self._follow(data)
                return [_told(data)]
            case _:
                raise Refused(Cause.MALFORMED, "an event has no type")

    def _follow(self, data: JsonObject) -> None:
        """Take over what is about the message as a whole. An event of a later version is masked as it stands."""
        match data["type"]:
            case "message_start":
                self._message = _object(data, "message")
            case "message_delta":
                usage, known = data.get("usage"), self._message.get("usage")
                self._message |= _object(data, "delta")
                if isinstance(usage, dict):
                    self._message["usage"] = {**known, **usage} if isinstance(known, dict) else usage
            case "error":
                self._error, self.ended = data, True
            case _:
                pass

    async def _start(self, data: JsonObject) -> list[Told]:
        index, block = integer(data, "index"), _object(data, "content_block")
        if index in self._blocks:
            raise Refused(Cause.SERVER_FAULT, "a content block starts twice")
        left, texts = _lift(block)
        self._blocks[index] = left
        told = [one for name, text in texts for one in await self._add(index, name, text)]
        return [_told({**data, "content_block": left}), *told]

    async def _delta(self, data: JsonObject) -> list[Told]:
        index, delta = integer(data, "index"), _object(data, "delta")
        block = self._blocks.get(index)
        if block is None:
            raise Refused(Cause.SERVER_FAULT, "a delta belongs to no content block")
        left, texts = _lift(delta)
        told = [one for name, text in texts for one in await self._add(index, name, text)]
        more = {name: item for name, item in left.items() if name != "type" and says_something(item)}
        for name, item in more.items():
            if name == "citation":  # each delta brings one whole
                cited = block.get("citations")
                block["citations"] = [*(cited if isinstance(cited, list) else []), item]
            else:
                block[name] = item
        return [_told({**data, "delta": left}), *told] if more else told

    async def _add(self, index: int, name: str, text: str) -> list[Told]:
        member = "input" if name == "partial_json" else name
        pair = await self._texts.add((index, name), text, f"/result/content/{index}/{member}")
        return [_text((index, name), pair)] if any(pair) else []

    async def _rest(self, *index: int) -> list[Told]:
        told = [(key, await self._texts.finish(key)) for key in self._texts.open_at(*index)]
        return [_text(key, pair) for key, pair in told if any(pair)]

    def reply(self, call_id: Id) -> Reply:
        """See :meth:`Teller.reply`."""
        if self._error is not None:
            return Reply(call_id, None, self._error, Direction.TO_CLIENT)
        content: list[Json] = []
        for index, block in sorted(self._blocks.items()):
            for (_, name), text in self._texts.raw(index):
                block["input" if name == "partial_json" else str(name)] = (
                    _read(text) if name == "partial_json" else text
                )
            content.append(block)
        return Reply(call_id, {**self._message, "content": content}, None, Direction.TO_CLIENT)


def _told(data: JsonObject) -> Told:
    return Told(data, str(data["type"]))


def _text(key: Key, pair: tuple[str, str]) -> Told:
    index, name = key
    delta: JsonObject = {"type": _DELTAS.get(str(name), f"{name}_delta"), str(name): ""}
    data: JsonObject = {"type": "content_block_delta", "index": index, "delta": delta}
    return Told(data, "content_block_delta", ("delta", name), pair)


def _lift(value: JsonObject) -> tuple[JsonObject, list[tuple[str, str]]]:
    """``value`` with its own texts emptied, and those by name. What is inside its members comes whole."""
    members = LLM_SHAPES["llm.item"].members
    names = [name for name, item in value.items() if isinstance(item, str) and isinstance(members.get(name, ""), str)]
    texts = [(name, str(value[name])) for name in names if value[name]]
    return {**value, **dict.fromkeys(names, "")}, texts


def _object(data: JsonObject, name: str) -> JsonObject:
    value = data.get(name)
    if not isinstance(value, dict):
        raise Refused(Cause.MALFORMED, f"an event has no object {name}")
    return value


def _read(text: str) -> Json:
    try:
        return jsontext.parse_text(text)
    except jsontext.JsonError:
        return text
