"""A streamed reply of an LLM API: its texts held back as far as a value can reach, every part recorded before it goes.

Events come in batches, whatever came while the last one was written down. What may be told of a batch is one Record,
`reply.part`, with what was told, masked as it is kept. With the last event comes the Record of the whole Reply, as if
it had come in one; nothing follows it.
"""

import asyncio
import logging
from typing import Final

from holdfast import capture, jsontext, replies
from holdfast.call import Direction, Reply
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Head
from holdfast.failing import failure, of_server, or_cut
from holdfast.gate import Gate
from holdfast.jsontext import Json
from holdfast.ledger.draft import Draft
from holdfast.llm import headers, releasing, serving
from holdfast.llm.apis import Api
from holdfast.llm.bodies import to_bytes
from holdfast.llm.chat_teller import ChatTeller
from holdfast.llm.messages_teller import MessagesTeller
from holdfast.llm.responses_teller import ResponsesTeller
from holdfast.llm.telling import DONE, Teller, Told
from holdfast.llm.texts import Texts, put
from holdfast.masking.pieces import Pieces, Terms
from holdfast.outbox import Outbox
from holdfast.passage import Admission, Watch
from holdfast.sse import KEEP_ALIVE, Event, format_event, parse_event

log = logging.getLogger(__name__)

HTTP_OK: Final = 200
_LATE: Final = "a value was longer than what is held back: its beginning had gone before it was known"


class LlmStream:
    """One streamed reply on its way to the client. Used like :class:`~holdfast.streams.EventStream`."""

    outbox: Outbox | None = None  # the gateway says nothing of its own here
    listens: Final = False  # and nothing waits that its own events do not bring on

    def __init__(self, gate: Gate, admission: Admission, watch: Watch) -> None:
        self._gate = gate
        self._stations = gate.stations
        self._admission = admission
        self._watch = watch
        self.stirred = asyncio.Event()
        self._texts = Texts(self._opened)
        self._teller: Teller | None = None
        self._cut_by: Refused | None = None  # why nothing more may be released

    def _opened(self, path: str, whole: bool) -> Pieces:  # noqa: FBT001 -- called by Texts alone
        server = self._admission.server
        terms = Terms(server.hold_back_chars, whole)
        return self._admission.force.masker.pieces(path, Direction.TO_CLIENT, terms, server=server.id)

    def _cut(self, refused: Refused) -> None:
        self._cut_by = refused

    async def open(self, head: Head) -> Answer | None:
        """Status and headers that may go to the client now; None where the stream must be cut."""
        return await or_cut(self._open(head), self._cut)

    async def _open(self, head: Head) -> Answer:
        self._teller = _teller_of(serving.api_of(self._admission.server, self._admission.path), self._texts)
        sent = headers.to_client(head, self._admission.force.masker.keep_text)
        return Answer(HTTP_OK, (("content-type", "text/event-stream"), *sent), b"")

    async def release(self, blocks: list[bytes]) -> bytes | None:
        """The bytes that may go to the client for ``blocks``; None where the stream must be cut."""
        return await or_cut(self._release(blocks), self._cut)

    async def release_last(self, blocks: list[bytes]) -> bytes | None:
        """The same for the last ``blocks`` of the stream."""
        return await self.release(blocks) if blocks else b""

    async def release_due(self) -> bytes | None:
        """Nothing: what is held back here waits for its text to go on, and for no clock."""
        return b""

    def wait_s(self) -> float | None:
        """No time."""
        return None

    async def _release(self, blocks: list[bytes]) -> bytes:
        teller = self._teller
        if teller is None:
            raise Refused(Cause.SERVER_FAULT, "the stream was not opened")
        had_ended = teller.ended
        told: list[Told] = []
        alive = b""
        for block in blocks:
            event = parse_event(block)
            if event.data is None:
                alive = KEEP_ALIVE  # a comment, an id or a time alone
            else:
                told += await self._take(teller, event)
        out = [await self._masked(one) for one in told]
        forward = b"".join(_formatted(one, data) for one, (data, _) in zip(told, out, strict=True))
        says = any(not one.is_fixed for one in told)
        if teller.ended and not had_ended:
            await self._record_whole(teller)
        elif says:
            kept: list[Json] = [data for _, data in out]
            await self._record(self._part(kept, forward), jsontext.wire(kept))
        # From here on what is told has a durable Record: it may come back.
        return forward or alive

    async def _take(self, teller: Teller, event: Event) -> list[Told]:
        if not teller.ended:
            return await teller.take(event)
        if event.data == DONE or event.name == "ping":
            return []
        raise Refused(Cause.SERVER_FAULT, "an event comes after the last one")

    async def _masked(self, one: Told) -> tuple[Json, Json]:
        """The data of an event as it is forwarded and as it is kept."""
        if one.data is None:
            return DONE, DONE
        if one.is_fixed:
            return one.data, one.data
        shell = Reply(None, one.data, None, Direction.TO_CLIENT)
        masked = await self._admission.force.masker.mask(shell, server=self._admission.server.id, shape="llm.event")
        pair = tuple(getattr(message, "result", None) for message in (masked.forward, masked.keep))
        refused = masked.refusal()
        if refused is not None:
            raise refused
        if not one.at:
            return pair[0], pair[1]
        forward, kept = (_copied(data) for data in pair)
        put(forward, one.at, one.text[0])
        put(kept, one.at, one.text[1])
        return forward, kept

    def _part(self, kept: list[Json], forward: bytes) -> Draft:
        admission = self._admission
        digest_hex = capture.part_digest_hex(self._stations.request_key, forward)
        part = capture.Part(kept, len(forward), digest_hex)
        return capture.part_draft(admission.base, admission.admitted[0], part, admission.force.engine)

    async def _record(self, draft: Draft, shown: bytes) -> None:
        await self._stations.ledger.append(draft)
        self._watch.show_reply(shown + b"\n", {})

    async def _record_whole(self, teller: Teller) -> None:
        call_id = self._admission.admitted[0].message.id
        one = await releasing.vouch(self._stations, self._admission, teller.reply(call_id or 0), HTTP_OK)
        if self._texts.late_count:
            one.draft.body["reason"] = _LATE
            log.warning("%s", _LATE)
        (receipt,) = await self._stations.ledger.append(one.draft)
        # From here on the whole Reply has a durable Record.
        replies.settle(self._stations, self._admission, one, receipt.index)
        self._watch.show_reply(to_bytes(one.kept) + b"\n", {"reply": str(receipt.index)})

    async def close(self, reason: str | None) -> None:
        """Write down how the stream ended; ``reason`` is None where the server ended it in good order."""
        answered = self._admission.admitted[0]
        asked = answered.message
        if self._stations.open_calls.find(self._admission.scope, asked.direction, asked.id) is not answered:
            return  # the Reply is recorded
        try:
            ended = Refused(Cause.SERVER_FAULT, reason or "the stream ended before its last event")
            refused = ended if self._cut_by is None else of_server(self._cut_by)
            await self._gate.lose(self._admission, refused, self._watch)
        except Exception as error:  # noqa: BLE001 -- the stream has ended; what is left is to tell the operator
            failure(error)


def _teller_of(api: Api | None, texts: Texts) -> Teller:
    match api:
        case Api.CHAT:
            return ChatTeller(texts)
        case Api.RESPONSES:
            return ResponsesTeller(texts)
        case Api.MESSAGES:
            return MessagesTeller(texts)
        case _:
            raise Refused(Cause.SERVER_FAULT, "this API sends no events")


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _formatted(one: Told, data: Json) -> bytes:
    text = DONE if one.data is None else jsontext.wire(data).decode()
    return format_event(Event(text, one.name))
