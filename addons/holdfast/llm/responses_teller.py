"""Streams of OpenAI's responses: typed events, of which those with a ``delta`` bring the pieces of a text.

What repeats a text whole (``….done``, the items, the response at the end) is masked whole, like any text. The events
are numbered anew, since several deltas become one.
"""

from typing import Final

from holdfast.call import Direction, Id, Reply
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.llm.bodies import without_logprobs
from holdfast.llm.telling import DONE, Told, parsed
from holdfast.llm.texts import Key, Texts
from holdfast.sse import Event

_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})
_IDS: Final = ("output_index", "content_index", "summary_index", "item_id")
_NOT_TOLD: Final = "obfuscation"  # random padding that hides how long a delta is; ours have other lengths


class ResponsesTeller:
    """See :class:`~holdfast.llm.telling.Teller`."""

    def __init__(self, texts: Texts) -> None:
        self.ended = False
        self._texts = texts
        self._last: JsonObject = {}
        self._deltas: dict[Key, JsonObject] = {}  # what a delta of each text looks like
        self._number = 0

    async def take(self, event: Event) -> list[Told]:
        """See :meth:`Teller.take`."""
        if event.data == DONE and self.ended:  # what some compatible servers say in the end
            return []
        data = without_logprobs({name: item for name, item in parsed(event).items() if name != _NOT_TOLD})
        if not isinstance(data, dict) or not isinstance(kind := data.get("type"), str):
            raise Refused(Cause.MALFORMED, "an event has no type")
        if kind.endswith(".delta") and isinstance(data.get("delta"), str):
            return await self._delta(kind, data)
        told = await self._rest_before(kind, data)
        if kind in _ENDS:
            self.ended, self._last = True, data
        return [*told, self._told(data)]

    async def _delta(self, kind: str, data: JsonObject) -> list[Told]:
        key = _key(data, kind.removesuffix(".delta"))
        self._deltas[key] = {**data, "delta": ""}
        pair = await self._texts.add(key, str(data["delta"]), _path(key))
        return [self._text(key, pair)] if any(pair) else []

    async def _rest_before(self, kind: str, data: JsonObject) -> list[Told]:
        """The rest of every text that ``data`` ends: its own, those of its item, or all."""
        if kind in _ENDS:
            keys = self._texts.open_at()
        elif kind == "response.output_item.done":
            keys = self._texts.open_at(_step(data.get("output_index")))
        elif kind.endswith(".done"):
            keys = [key for key in self._texts.open_at() if key == _key(data, kind.removesuffix(".done"))]
        else:
            keys = []
        told = [(key, await self._texts.finish(key)) for key in keys]
        return [self._text(key, pair) for key, pair in told if any(pair)]

    def _text(self, key: Key, pair: tuple[str, str]) -> Told:
        return self._told(self._deltas[key], ("delta",), pair)

    def _told(self, data: JsonObject, at: Key = (), text: tuple[str, str] = ("", "")) -> Told:
        if "sequence_number" in data:
            data = {**data, "sequence_number": self._number}
        self._number += 1
        return Told(data, str(data["type"]), at, text)

    def reply(self, call_id: Id) -> Reply:
        """See :meth:`Teller.reply`."""
        response = self._last.get("response")
        if self._last.get("type") in ("error", "response.failed") or not isinstance(response, dict):
            return Reply(call_id, None, self._last, Direction.TO_CLIENT)
        return Reply(call_id, response, None, Direction.TO_CLIENT)


def _key(data: JsonObject, kind: str) -> Key:
    return (*(_step(data.get(name)) for name in _IDS), kind)


def _step(value: Json) -> str | int:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise Refused(Cause.MALFORMED, "an index is no number")
    return "" if value is None else value


def _path(key: Key) -> str:
    output, content, summary, _, kind = key
    name = str(kind).rpartition(".")[2]
    if name == "output_text":
        return f"/result/output/{output}/content/{content}/text"
    if name.endswith("arguments"):
        return f"/result/output/{output}/arguments"
    return f"/result/output/{output}/{summary if content == '' else content}/{name}"
