"""Between one child and the HTTP exchanges about it: who gets which line.

stdio has one stream where HTTP has many, and says of few messages what they belong to. A reply belongs to its request,
progress to its token, a change to its subscription. Of the rest: where one request is open, it goes on that request's
stream, which keeps the order in which the child spoke; where several are, or none, on the stream that the client opened
for what belongs to no request (GET), and without one on the newest request's. What nobody can hear yet waits.
"""

import asyncio
import collections
import logging
import time
from typing import Final

from holdfast import jsontext
from holdfast.bridge.child import Child
from holdfast.bridge.message import (
    SUBSCRIPTION,
    Key,
    NotMessagesError,
    answers,
    asks,
    error_reply,
    key,
    member,
    parse,
    progress_token,
)
from holdfast.bridge.numbering import Numbering
from holdfast.jsontext import JsonObject

log = logging.getLogger(__name__)

WAITING_MAX: Final = 1000  # lines that nobody hears yet; the oldest is dropped first, which is written to the log
_GONE: Final = -32603  # JSON-RPC 2.0, 5.1: internal error


class Exchange:
    """What of a child's lines goes to one HTTP request; ``is_stream`` where it can take more than its replies."""

    def __init__(self, asked: dict[Key, JsonObject], *, is_stream: bool) -> None:
        self.asked = asked
        self.tokens = {token for message in asked.values() if (token := progress_token(message)) is not None}
        self.is_stream = is_stream
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()

    def put(self, line: bytes | None) -> None:
        """Add a line, or None: there will be no more."""
        self._lines.put_nowait(line)

    @property
    def has_said_all(self) -> bool:
        """Whether what was taken last was the last line."""
        return not self.asked and self._lines.qsize() == 1

    async def next(self, within_s: float | None) -> bytes | None:
        """The next line; None where there will be no more.

        Raises:
            TimeoutError: nothing was said within ``within_s`` seconds.
        """
        return await asyncio.wait_for(self._lines.get(), within_s)


class Relay:
    """One child and the exchanges about it. The child is given when it has been started: see :meth:`attach`."""

    def __init__(self, numbering: Numbering) -> None:
        self.numbering = numbering
        self._child: Child | None = None
        self._open: list[Exchange] = []
        self._listening: Exchange | None = None
        self._waiting: collections.deque[bytes] = collections.deque(maxlen=WAITING_MAX)
        self._watching: asyncio.Task[None] | None = None
        self._has_succeeded = False
        self.used_at_s = time.monotonic()

    def attach(self, child: Child) -> None:
        """The child that this relay is about."""
        self._child = child
        self._watching = asyncio.create_task(self._watch(child), name=f"end of {child.pid}")

    @property
    def has_ended(self) -> bool:
        """Whether the child has said its last."""
        return self._child is None or self._child.ended.is_set()

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for anything."""
        return not self._open and self._listening is None

    @property
    def is_untouched(self) -> bool:
        """Whether the child has done nothing but refuse, and nobody waits for it: a version that it does not know."""
        return self.is_idle and not self._has_succeeded

    async def tell(self, messages: list[JsonObject], *, is_batch: bool) -> None:
        """Give the child what needs no answer."""
        await self._say([self.numbering.to_child(message) for message in messages], is_batch=is_batch)

    async def ask(self, messages: list[JsonObject], *, is_batch: bool, is_stream: bool) -> Exchange:
        """Give the child requests, alone or among others; their replies come on the exchange."""
        said = [self.numbering.to_child(message) for message in messages]
        asked = {found: message for message in said if message is not None and (found := asks(message)) is not None}
        exchange = Exchange(asked, is_stream=is_stream)
        self._open.append(exchange)
        if is_stream and self._listening is None:
            self._drain(exchange)
        await self._say(said, is_batch=is_batch)
        if self.has_ended:
            self._fail(exchange)
        return exchange

    async def _say(self, messages: list[JsonObject | None], *, is_batch: bool) -> None:
        self.used_at_s = time.monotonic()
        said = [message for message in messages if message is not None]
        if said and self._child is not None:
            await self._child.say(jsontext.wire([*said] if is_batch else said[0]))

    def listen(self) -> Exchange:
        """The exchange for what belongs to no request; another that was open ends."""
        if self._listening is not None:
            self._listening.put(None)
        self._listening = Exchange({}, is_stream=True)
        self._drain(self._listening)
        if self.has_ended:
            self._listening.put(None)
        return self._listening

    def _drain(self, exchange: Exchange) -> None:
        while self._waiting:
            exchange.put(self._waiting.popleft())

    def leave(self, exchange: Exchange) -> list[Key]:
        """Forget an exchange whose client has gone; the ids of the child's that it still waits for."""
        self.used_at_s = time.monotonic()
        if exchange is self._listening:
            self._listening = None
        if exchange not in self._open:
            return []
        self._open.remove(exchange)
        return list(exchange.asked)

    async def cancel(self, asked: list[Key]) -> None:
        """Tell the child that nobody waits for these any more (MCP 2026-07-28: hanging up is how a client cancels)."""
        for _, one in asked if not self.has_ended else []:
            params: JsonObject = {"requestId": one, "reason": "the client left"}
            await self._say([{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}], is_batch=False)

    def hear(self, line: bytes) -> None:
        """Take a line that the child said."""
        try:
            messages = parse(line)
        except NotMessagesError as error:
            log.warning("the server said a line that is passed over: %s", error)
            return
        exchange = self._whose(messages)
        said = [self.numbering.to_client(message) for message in messages]
        data = line if said == messages else jsontext.wire([*said] if line.startswith(b"[") else said[0])
        if exchange is None:
            if any(answers(message) is not None for message in messages):
                return  # to a request whose client has left
            if len(self._waiting) == WAITING_MAX:
                log.warning("more than %d lines wait for a client that does not listen", WAITING_MAX)
            self._waiting.append(data)
            return
        exchange.put(data)
        for message in messages:
            answered = answers(message)
            if answered is not None:
                exchange.asked.pop(answered, None)
                self._has_succeeded = self._has_succeeded or "result" in message
        if exchange is not self._listening and not exchange.asked:
            self._open.remove(exchange)
            exchange.put(None)

    def _whose(self, messages: list[JsonObject]) -> Exchange | None:
        for message in messages:
            answered = answers(message)
            if answered is not None:
                return next((one for one in self._open if answered in one.asked), None)
        streams = [one for one in self._open if one.is_stream]
        token = key(member(messages[0], "params", "progressToken"))
        subscription = key(member(messages[0], "params", "_meta", SUBSCRIPTION))
        for one in streams:
            if token in one.tokens or subscription in one.asked:
                return one
        if len(streams) == 1:
            return streams[0]
        return self._listening or (streams[-1] if streams else None)

    async def _watch(self, child: Child) -> None:
        await child.ended.wait()
        for exchange in self._open:
            self._fail(exchange)
        self._open.clear()
        if self._listening is not None:
            self._listening.put(None)

    def _fail(self, exchange: Exchange) -> None:
        """Answer what the child will not answer any more: some clients would wait for ever."""
        for asked in exchange.asked:
            reply = error_reply(asked[1], _GONE, "the server's process has ended")
            exchange.put(jsontext.wire(self.numbering.to_client(reply)))
        exchange.asked.clear()
        exchange.put(None)

    async def stop(self) -> None:
        """End the child."""
        if self._child is not None:
            await self._child.stop()
        if self._watching is not None:
            await self._watching
