"""The gate as an addon: it alone owns the hooks on the path, and it alone seals.

It stands at top level, outside the tree of the script that loaded it: editing or deleting that script changes nothing.
"""

import asyncio
import contextlib
import logging
from typing import Final

from mitmproxy.connection import Client
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer
from holdfast.gate import Gate
from holdfast.llm.stream import LlmStream
from holdfast.passage import Admission
from holdfast.policy.servers import Kind
from holdfast.proxy.hooks import Ending, Unread
from holdfast.proxy.seals import Batch, Chunk, Passing
from holdfast.proxy.transports import hang_up, hang_up_after
from holdfast.streams import EventStream

log = logging.getLogger(__name__)

KEEP_ALIVE_S: Final = 10  # proxies give a silent connection up after 15 s at the earliest
# How the answer to a held call begins, before anybody knows how it ends.
EARLY_HEAD: Final = Answer(
    200,
    (
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-accel-buffering", "no"),  # MCP 2026-07-28, transports: proxies must not collect the signs of life
        ("transfer-encoding", "chunked"),
    ),
    b"",
)


class GateAddon:
    """Hands messages to the gate, and seals what the gate lets pass. Until it is given a gate, nothing passes."""

    name = "holdfast-gate"

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.keep_alive_s = KEEP_ALIVE_S

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Let no server wait for a client who is gone."""
        hang_up_after(data.server)

    def client_disconnected(self, client: Client) -> None:
        """Let no client wait for an exchange that is over; its task has ended."""
        hang_up(client)

    async def holdfast_admit(self, passing: Passing) -> None:
        """Seal the request, or the answer that the client gets instead; or a sign of life, and be asked again."""
        passing.sign = None
        if passing.admitting is None:
            if self.gate is None or passing.request is None:
                return
            passing.admitting = asyncio.ensure_future(self.gate.admit(passing.request, passing))
        await asyncio.wait({passing.admitting}, timeout=self.keep_alive_s)
        while not passing.admitting.done():
            if passing.signs is not None:
                passing.opened = EARLY_HEAD
                passing.sign = Chunk(passing.signs.sign())
                return
            if passing.flow.error is not None:  # killed in mitmweb: nobody waits any more
                passing.gone.set()
            await asyncio.wait({passing.admitting}, timeout=self.keep_alive_s)
        self._seal_admitted(passing, passing.admitting.result())

    def _seal_admitted(self, passing: Passing, admitted: Admission | Answer) -> None:
        if isinstance(admitted, Answer):
            passing.seal_answer(admitted)
            passing.note({"status": str(admitted.status)})
            return
        passing.admission = admitted
        passing.note(admitted.note)
        passing.outgoing = admitted.outgoing

    async def holdfast_unread(self, unread: Unread) -> None:
        """Write down a request that could not be read."""
        if self.gate is not None:
            refused = Refused(Cause.MALFORMED, unread.reason)
            await self.gate.write_unread(unread.peer, refused, unread.size_bytes)

    async def holdfast_release(self, passing: Passing) -> None:
        """Seal the reply, or the answer that the client gets instead."""
        if self.gate is None or passing.admission is None or passing.head is None:
            return
        passing.seal_answer(await self.gate.release(passing.admission, passing.head, passing.body, passing))

    async def holdfast_open(self, passing: Passing) -> None:
        """Seal the head of an event stream."""
        if self.gate is None or passing.admission is None or passing.head is None:
            return
        kind = LlmStream if passing.admission.server.kind is Kind.LLM else EventStream
        stream = kind(self.gate, passing.admission, passing)
        opened = await stream.open(passing.head)
        if opened is not None:
            passing.stream = stream
            passing.opened = passing.opened or Answer(
                opened.status, (*opened.headers, ("transfer-encoding", "chunked")), b""
            )

    async def holdfast_events(self, batch: Batch) -> None:
        """Release events of a stream."""
        stream = batch.passing.stream
        if stream is not None:
            batch.out = await (stream.release_last(batch.blocks) if batch.is_last else stream.release(batch.blocks))

    async def holdfast_listen(self, passing: Passing) -> None:
        """Release what the gateway itself says on a stream, and what has waited its time; or something has happened."""
        stream = passing.stream
        if stream is None:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stream.stirred.wait(), stream.wait_s())
        stream.stirred.clear()
        due = await stream.release_due()
        if due is not None:
            passing.said = Chunk((stream.outbox.take() if stream.outbox is not None else b"") + due)

    async def holdfast_end(self, ending: Ending) -> None:
        """Write down how an admitted exchange ended, and seal an answer if the client still waits for one."""
        passing = ending.passing
        if passing.stream is not None:
            await passing.stream.close(ending.reason)
        elif self.gate is not None and passing.admission is not None:
            refused = Refused(Cause.SERVER_FAULT, ending.reason or "the exchange ended early")
            passing.seal_answer(await self.gate.lose(passing.admission, refused, passing))
