"""The gate as an addon: it alone owns the hooks on the path, and it alone seals.

It stands at top level, outside the tree of the script that loaded it: editing or deleting that script changes nothing.
"""

import logging

from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer
from holdfast.gate import Gate
from holdfast.proxy.hooks import Ending, Unread
from holdfast.proxy.seals import Batch, Passing, with_length
from holdfast.streams import EventStream

log = logging.getLogger(__name__)


class GateAddon:
    """Hands messages to the gate, and seals what the gate lets pass. Until it is given a gate, nothing passes."""

    name = "holdfast-gate"

    def __init__(self) -> None:
        self.gate: Gate | None = None

    async def holdfast_admit(self, passing: Passing) -> None:
        """Seal the request, or the answer that the client gets instead."""
        if self.gate is None or passing.request is None:
            return
        admitted = await self.gate.admit(passing.request, passing)
        if isinstance(admitted, Answer):
            passing.answer = with_length(admitted)
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
        answer = await self.gate.release(passing.admission, passing.head, passing.body, passing)
        passing.answer = with_length(answer)

    async def holdfast_open(self, passing: Passing) -> None:
        """Seal the head of an event stream."""
        if self.gate is None or passing.admission is None or passing.head is None:
            return
        stream = EventStream(self.gate, passing.admission, passing)
        opened = await stream.open(passing.head)
        if opened is not None:
            passing.stream = stream
            passing.opened = Answer(opened.status, (*opened.headers, ("transfer-encoding", "chunked")), b"")

    async def holdfast_events(self, batch: Batch) -> None:
        """Release events of a stream."""
        if batch.passing.stream is not None:
            batch.out = await batch.passing.stream.release(batch.blocks)

    async def holdfast_end(self, ending: Ending) -> None:
        """Write down how an admitted exchange ended, and seal an answer if the client still waits for one."""
        passing = ending.passing
        if passing.stream is not None:
            await passing.stream.close(ending.reason)
        elif self.gate is not None and passing.admission is not None:
            refused = Refused(Cause.SERVER_FAULT, ending.reason or "the exchange ended early")
            passing.answer = with_length(await self.gate.lose(passing.admission, refused, passing))
