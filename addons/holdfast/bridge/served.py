"""A stdio server over streamable HTTP, on loopback and for the gateway alone.

Whoever else is on the machine could reach the port and so go around the gateway; without the secret they are refused.
"""

import asyncio
import contextlib
import hmac
import logging
from collections.abc import Awaitable
from typing import Final, override

import tornado.httpserver
import tornado.iostream
import tornado.netutil
import tornado.web

from holdfast import jsontext
from holdfast.bridge.children import Children, TooManyChildrenError
from holdfast.bridge.message import NotMessagesError, asks, error_reply, is_modern, parse
from holdfast.bridge.relay import Exchange, Relay
from holdfast.call import BODY_BYTES_MAX
from holdfast.errors import SettingsError
from holdfast.jsontext import JsonObject
from holdfast.sse import KEEP_ALIVE

log = logging.getLogger(__name__)

PATHS: Final = r"/(?:mcp)?"
CALLER_HEADER: Final = "x-holdfast-caller"
SESSION_HEADER: Final = "mcp-session-id"
HEAD_S: Final = 2  # a reply that takes longer comes on a stream, so that the client hears something
KEEP_ALIVE_S: Final = 15
_NO_PROCESS: Final = -32603  # JSON-RPC 2.0, 5.1: internal error
_HEADER_BYTES_MAX: Final = 64 * 1024


class Endpoint(tornado.web.RequestHandler):
    """The endpoint: POST, GET and DELETE of MCP 2025-03-26 and later."""

    def initialize(self, children: Children, secret: str) -> None:
        """What every request shares."""
        self._children = children
        self._secret = secret
        self._gone = asyncio.Event()

    @override
    def prepare(self) -> None:
        stated = self.request.headers.get_list("authorization")
        if len(stated) != 1 or not hmac.compare_digest(stated[0].encode("latin-1"), f"Bearer {self._secret}".encode()):
            log.warning("refused a request that did not come from the gateway")
            self._end(401)

    @override
    def on_connection_close(self) -> None:
        self._gone.set()

    @override
    def write_error(self, status_code: int, **_kwargs: object) -> None:
        self.finish()

    def _end(self, status: int) -> None:
        self.set_status(status)
        self.clear_header("Content-Type")
        self.finish()

    def _end_asked(self, status: int, messages: list[JsonObject], text: str) -> None:
        """End with a reply to what is asked first, for clients that read no status."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        asked = next((message["id"] for message in messages if asks(message)), None)
        self.finish(jsontext.wire(error_reply(asked, _NO_PROCESS, text)))

    @property
    def _caller(self) -> str:
        return self.request.headers.get(CALLER_HEADER, "")

    def _relay(self) -> Relay | None:
        session = self.request.headers.get(SESSION_HEADER)
        return None if session is None else self._children.session(self._caller, session)

    async def post(self) -> None:
        """Give the child messages; answer with what it replies."""
        try:
            messages = parse(self.request.body)
        except NotMessagesError:
            self._end(400)
            return
        try:
            relay = await self._relay_for(messages)
        except (SettingsError, TooManyChildrenError) as error:
            log.error("a request found no process to answer it: %s", error)  # noqa: TRY400 -- the text is ours
            self._end_asked(503, messages, "no process of the server can be started")
            return
        if relay is None:
            return
        is_batch = self.request.body.lstrip().startswith(b"[")
        if not any(asks(message) for message in messages):
            await relay.tell(messages, is_batch=is_batch)
            self._end(202)
            return
        accepts_stream = "text/event-stream" in self.request.headers.get("accept", "")
        exchange = await relay.ask(messages, is_batch=is_batch, is_stream=accepts_stream)
        try:
            await self._reply(exchange, is_batch=is_batch)
        finally:
            left = relay.leave(exchange)
            if any(is_modern(message) for message in messages):
                await relay.cancel(left)

    async def _relay_for(self, messages: list[JsonObject]) -> Relay | None:
        """The relay that the messages are for; None where the request has been answered already."""
        if self.request.headers.get(SESSION_HEADER) is not None:
            relay = self._relay()
            if relay is None:
                self._end_asked(404, messages, "the session is unknown, or its process has ended")
            return relay
        if any(message.get("method") == "initialize" for message in messages):
            session, relay = await self._children.open_session(self._caller)
            self.set_header(SESSION_HEADER, session)
            return relay
        if all(is_modern(message) for message in messages if asks(message)):
            return await self._children.shared(self._caller)
        self._end_asked(400, messages, "a request of this version needs a session")
        return None

    async def _reply(self, exchange: Exchange, *, is_batch: bool) -> None:
        if not exchange.is_stream:
            await self._reply_at_once([], exchange, is_batch=is_batch)
            return
        try:
            first = await self._next(exchange, HEAD_S)
        except TimeoutError:
            await self._stream(exchange, [])
            return
        if first is not None and exchange.has_said_all:
            await self._reply_at_once([first], exchange, is_batch=is_batch)
        elif first is not None:
            await self._stream(exchange, [first])

    async def _reply_at_once(self, lines: list[bytes], exchange: Exchange, *, is_batch: bool) -> None:
        """Everything there is to say, as JSON."""
        while (line := await self._next(exchange, None)) is not None:
            lines.append(line)
        if self._gone.is_set():
            return
        self.set_header("Content-Type", "application/json")
        elements = [line[1:-1] if line.startswith(b"[") else line for line in lines]
        self.finish(b"[" + b",".join(elements) + b"]" if is_batch else lines[0])

    async def _next(self, exchange: Exchange, within_s: float | None) -> bytes | None:
        """The next line of an exchange; None at its end, and where the client has left."""
        leaving = asyncio.create_task(self._gone.wait())
        hearing = asyncio.create_task(exchange.next(within_s))
        await asyncio.wait({leaving, hearing}, return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        if hearing.done():
            return hearing.result()
        hearing.cancel()
        return None

    async def get(self) -> None:
        """The stream for what belongs to no request."""
        if self.request.headers.get(SESSION_HEADER) is None:
            self._end(405)  # MCP 2026-07-28 has no such stream
            return
        relay = self._relay()
        if relay is None:
            self._end(404)
            return
        exchange = relay.listen()
        try:
            await self._stream(exchange, [])
        finally:
            relay.leave(exchange)

    async def _stream(self, exchange: Exchange, lines: list[bytes]) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        with contextlib.suppress(tornado.iostream.StreamClosedError):
            await self._send(self.flush())
            for line_before in lines:
                await self._event(line_before)
            while not self._gone.is_set():
                try:
                    line = await self._next(exchange, KEEP_ALIVE_S)
                except TimeoutError:
                    self.write(KEEP_ALIVE)
                    await self._send(self.flush())
                    continue
                if line is None:
                    break
                await self._event(line)
            if not self._gone.is_set():
                await self._send(self.finish())

    async def _event(self, line: bytes) -> None:
        self.write(b"event: message\ndata: " + line + b"\n\n")
        await self._send(self.flush())

    @staticmethod
    async def _send(sent: Awaitable[None]) -> None:
        await sent

    async def delete(self) -> None:
        """End a session and its child."""
        session = self.request.headers.get(SESSION_HEADER)
        ended = session is not None and await self._children.end_session(self._caller, session)
        self._end(200 if ended else 404)


def listen(children: Children, secret: str, port: int = 0) -> tuple[tornado.httpserver.HTTPServer, int]:
    """Serve on loopback until the server that this returns is stopped; also the port.

    Raises:
        SettingsError: the port cannot be bound.
    """
    shared = {"children": children, "secret": secret}
    application = tornado.web.Application([(PATHS, Endpoint, shared)], log_function=lambda _handler: None)
    server = tornado.httpserver.HTTPServer(
        application,
        max_body_size=BODY_BYTES_MAX,
        max_buffer_size=BODY_BYTES_MAX + _HEADER_BYTES_MAX,
        max_header_size=_HEADER_BYTES_MAX,
    )
    try:
        sockets = tornado.netutil.bind_sockets(port, "127.0.0.1")
    except OSError as error:
        raise SettingsError(f"cannot listen on 127.0.0.1:{port}: {error.strerror}") from None
    server.add_sockets(sockets)
    return server, int(sockets[0].getsockname()[1])
