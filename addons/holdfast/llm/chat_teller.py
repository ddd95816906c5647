"""Streams of OpenAI's chat completions: chunks with the deltas of each choice, then ``[DONE]``.

Text goes on in chunks of its own; a chunk that would say nothing else is not told. A choice's texts are finished before
the chunk that says why it ended.
"""

import dataclasses
from typing import Final

from holdfast.call import Direction, Id, Reply
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.llm.bodies import without_logprobs
from holdfast.llm.telling import DONE, Told, parsed, says_something
from holdfast.llm.texts import Key, Texts, index_of, lift, nest, put
from holdfast.sse import Event

_NOT_TOLD: Final = "obfuscation"  # random padding that hides how long a delta is; ours have other lengths


@dataclasses.dataclass(slots=True)
class _Choice:
    message: JsonObject = dataclasses.field(default_factory=dict)
    more: JsonObject = dataclasses.field(default_factory=dict)


class ChatTeller:
    """See :class:`~holdfast.llm.telling.Teller`."""

    def __init__(self, texts: Texts) -> None:
        self.ended = False
        self._texts = texts
        self._error: JsonObject | None = None
        self._around: JsonObject = {}
        self._choices: dict[int, _Choice] = {}

    async def take(self, event: Event) -> list[Told]:
        """See :meth:`Teller.take`."""
        if event.data == DONE and event.name is None:
            rest = await self._rest()
            self.ended = True
            return [*rest, Told(None)]
        data = parsed(event)
        if "error" in data and not data.get("choices"):
            self._error, self.ended = data, True
            return [Told(data, event.name)]
        chunk = without_logprobs({name: item for name, item in data.items() if name != _NOT_TOLD})
        if not isinstance(chunk, dict) or not isinstance(chunk.get("choices"), list):
            raise Refused(Cause.MALFORMED, "a chunk has no choices")
        return await self._chunk(chunk)

    async def _chunk(self, chunk: JsonObject) -> list[Told]:
        listed = chunk["choices"]
        assert isinstance(listed, list)
        self._around |= {name: item for name, item in chunk.items() if name != "choices" and item is not None}
        left: list[Json] = []
        told: list[Told] = []
        ends = says = False
        for choice in listed:
            index = index_of(choice)
            if not isinstance(choice, dict):
                raise Refused(Cause.MALFORMED, "a choice is no object")
            shell, found = await self._choice(index, choice)
            told += found
            if choice.get("finish_reason") is not None:
                ends = True
                told += await self._rest(index)
            left.append(shell)
            says = says or says_something({**shell, "index": None})
        says = says or not listed or chunk.get("usage") is not None
        shells = [Told({**chunk, "choices": left})] if says else []
        return [*told, *shells] if ends else [*shells, *told]

    async def _choice(self, index: int, choice: JsonObject) -> tuple[JsonObject, list[Told]]:
        known = self._choices.setdefault(index, _Choice())
        delta, texts = lift(choice.get("delta") or {})
        if not isinstance(delta, dict):
            raise Refused(Cause.MALFORMED, "a delta is no object")
        told = [one for key, text in texts for one in await self._add((index, *key), text)]
        if delta.get("role") is not None and delta["role"] == known.message.get("role"):
            del delta["role"]  # some servers repeat it with every token
        _merge(known.message, delta)
        known.more |= {name: item for name, item in choice.items() if name not in ("delta", "index")}
        return {**choice, "delta": delta}, told

    async def _add(self, key: Key, text: str) -> list[Told]:
        index, *path = key
        place = "/".join(str(step) for step in path)
        pair = await self._texts.add(key, text, f"/result/choices/{index}/message/{place}")
        return [self._text(key, pair)] if any(pair) else []

    async def _rest(self, *index: int) -> list[Told]:
        told = [(key, await self._texts.finish(key)) for key in self._texts.open_at(*index)]
        return [self._text(key, pair) for key, pair in told if any(pair)]

    def _text(self, key: Key, pair: tuple[str, str]) -> Told:
        index, *path = key
        delta, steps = nest(tuple(path))
        around = {name: item for name, item in self._around.items() if name != "usage"}
        data: JsonObject = {**around, "choices": [{"index": index, "delta": delta, "finish_reason": None}]}
        return Told(data, None, ("choices", 0, "delta", *steps), pair)

    def reply(self, call_id: Id) -> Reply:
        """See :meth:`Teller.reply`."""
        if self._error is not None:
            return Reply(call_id, None, self._error, Direction.TO_CLIENT)
        choices: list[Json] = []
        for index, choice in sorted(self._choices.items()):
            for (_, *steps), text in self._texts.raw(index):
                put(choice.message, tuple(steps), text)
            choices.append({"index": index, "message": choice.message, **choice.more})
        whole: JsonObject = {**self._around, "object": "chat.completion", "choices": choices}
        return Reply(call_id, whole, None, Direction.TO_CLIENT)


def _merge(target: JsonObject, delta: JsonObject) -> None:
    """Take over what ``delta`` says besides texts, which are put in at the end."""
    for name, item in delta.items():
        known = target.get(name)
        if isinstance(item, dict) and isinstance(known, dict):
            _merge(known, item)
        elif isinstance(item, list):
            _merge_list(target, name, item)
        elif says_something(item) or name not in target:
            target[name] = item


def _merge_list(target: JsonObject, name: str, items: list[Json]) -> None:
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            continue
        put(target, (name, index_of(item, place), "index"), index_of(item, place))
        known = target[name]
        assert isinstance(known, list)
        inner = known[index_of(item, place)]
        assert isinstance(inner, dict)
        _merge(inner, item)
