"""A client that speaks stdio alone, led to the gateway: each line is a POST, each reply and event a line.

The session, the version and the credential that HTTP wants are the bridge's business; the messages are not touched. A
client that gives up a request of MCP 2026-07-28 says so by closing its stream, on stdio by a notification: the one is
made of the other.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.bridge.http import Http, HttpError, Response
from holdfast.bridge.message import (
    Key,
    NotMessagesError,
    answers,
    asks,
    error_reply,
    is_modern,
    key,
    line_of,
    member,
    parse,
)
from holdfast.bridge.mirrors import Mirrors
from holdfast.call import BODY_BYTES_MAX
from holdfast.errors import Refused
from holdfast.exchange import Headers
from holdfast.jsontext import JsonObject
from holdfast.sse import Event, Splitter, parse_event
from holdfast.wireheaders import media_type

log = logging.getLogger(__name__)

RETRY_S: Final = 1.0  # before a stream is opened again, unless the server says otherwise
TRIES_MAX: Final = 60  # a stream that broke off is opened again so often: a minute or so, a restart of the gateway
GOODBYE_S: Final = 5
OWN_CODE: Final = -31040  # JSON-RPC reserves -32768..-32000; the gateway's own codes are around here
TOKEN_BYTES_MAX: Final = 16 * 1024
_PARSE_ERROR: Final = -32700
_ACCEPT: Final = ("accept", "application/json, text/event-stream")
HTTP_OK: Final = 200
HTTP_ERRORS: Final = 400


class StreamEnd:
    """Where a stream broke off: the last event's id, and how long to wait before asking for more."""

    def __init__(self) -> None:
        self.event_id: str | None = None
        self.retry_s = RETRY_S


class ClientBridge:
    """One client at our stdin and stdout. ``say`` writes it a line; ``token_path`` is read before every request."""

    def __init__(self, http: Http, target: str, token_path: Path | None, say: Callable[[bytes], None]) -> None:
        self._http = http
        self._target = target
        self._token_path = token_path
        self._say = say
        self._mirrors = Mirrors()
        self._session: str | None = None
        self._version: str | None = None
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._modern: set[Key] = set()
        self._listening: asyncio.Task[None] | None = None

    async def hear(self, line: bytes) -> None:
        """Take a line of the client's. Returns when the next may be taken; replies come when they come."""
        try:
            messages = parse(line)
        except NotMessagesError:
            self._say(jsontext.wire(error_reply(None, _PARSE_ERROR, "not a JSON-RPC message")))
            return
        asked = [found for message in messages if (found := asks(message)) is not None]
        if not asked:
            await self._tell(messages, line)
            return
        task = asyncio.create_task(self._ask(messages, line, set(asked)))
        for one in asked:
            self._asking[one] = task
        if all(is_modern(message) for message in messages):
            self._modern.update(asked)
        if any(message.get("method") == "initialize" for message in messages):
            await task  # what comes next needs the session

    async def _tell(self, messages: list[JsonObject], line: bytes) -> None:
        """Pass on what nobody answers, before the next line is taken: order matters."""
        if messages[0].get("method") == "notifications/cancelled":
            cancelled = key(member(messages[0], "params", "requestId"))
            if cancelled in self._modern and cancelled in self._asking:
                self._asking[cancelled].cancel()
                return
        try:
            async with self._request("POST", self._headers(messages), line_of(messages, line)) as response:
                await response.read(BODY_BYTES_MAX)
            if response.status >= HTTP_ERRORS:
                log.warning("a notification or reply was refused with HTTP %d", response.status)
        except HttpError as error:
            log.warning("a notification or reply did not arrive: %s", error)
        if messages[0].get("method") == "notifications/initialized" and self._listening is None:
            self._listening = asyncio.create_task(self._listen(), name="stream of the session")

    async def _ask(self, messages: list[JsonObject], line: bytes, waiting: set[Key]) -> None:
        """Pass on requests; every one of them gets a reply, if only from here."""
        asked = set(waiting)
        end = StreamEnd()
        try:
            async with self._request("POST", self._headers(messages), line_of(messages, line)) as response:
                self._session = self._session or response.header("mcp-session-id")
                await self._take(response, waiting, end)
            await self._resume(waiting, end)
            failed = response.status >= HTTP_ERRORS
            why = f"the gateway answered with HTTP {response.status}" if failed else "the stream ended without one"
        except HttpError as error:
            why = str(error)
        finally:
            for one in asked:
                self._asking.pop(one, None)
                self._modern.discard(one)
        for _, call_id in waiting:
            self._say(jsontext.wire(error_reply(call_id, OWN_CODE, f"no reply: {why}")))

    def _request(self, method: str, headers: Headers, body: bytes) -> contextlib.AbstractAsyncContextManager[Response]:
        return self._http.request(method, self._target, headers, body)

    async def _take(self, response: Response, waiting: set[Key], end: StreamEnd) -> None:
        """Pass on what a response says; ids that it answers leave ``waiting``."""
        if media_type(response.header("content-type")) == "text/event-stream":
            await self._take_events(response, waiting, end)
            return
        body = await response.read(BODY_BYTES_MAX)
        with contextlib.suppress(NotMessagesError):
            messages = parse(body)
            if len(waiting) == 1 and len(messages) == 1 and "error" in messages[0] and messages[0].get("id") is None:
                # A refusal before the id was read: the client would not know what it answers.
                messages = [{**messages[0], "id": next(iter(waiting))[1]}]
                body = jsontext.wire(messages[0])
            self._pass_on(messages, body, waiting)

    async def _take_events(self, response: Response, waiting: set[Key], end: StreamEnd) -> None:
        async for event in _events(response):
            end.event_id = event.id if event.id is not None else end.event_id
            end.retry_s = event.retry_ms / 1000 if event.retry_ms is not None else end.retry_s
            data = (event.data or "").encode()
            with contextlib.suppress(NotMessagesError):
                self._pass_on(parse(data), data, waiting)

    def _pass_on(self, messages: list[JsonObject], data: bytes, waiting: set[Key]) -> None:
        for message in messages:
            answered = answers(message)
            if answered is not None:
                waiting.discard(answered)
            version = member(message, "result", "protocolVersion")
            if isinstance(version, str):
                self._version = version
            self._mirrors.learn(message)
        self._say(line_of(messages, data))

    async def _resume(self, waiting: set[Key], end: StreamEnd) -> None:
        """Ask for what is missing of a stream that broke off, where its events have ids (2025-03-26 and later)."""
        tries = 0
        while waiting and end.event_id is not None and tries < TRIES_MAX:
            tries += 1
            await asyncio.sleep(end.retry_s)
            if await self._hear_stream(waiting, end) not in (None, HTTP_OK):
                return

    async def _listen(self) -> None:
        """Keep the stream of the session open: what the server says there belongs to no request."""
        end, tries = StreamEnd(), 0
        while tries < TRIES_MAX:
            status = await self._hear_stream(set(), end)
            if status not in (None, HTTP_OK):
                return  # 405: the server has none
            tries = 0 if status == HTTP_OK else tries + 1
            await asyncio.sleep(end.retry_s)

    async def _hear_stream(self, waiting: set[Key], end: StreamEnd) -> int | None:
        """Take what comes on a GET, from where it broke off before; its status, or None where it was not to be had."""
        resumed = (("last-event-id", end.event_id),) if end.event_id is not None else ()
        status = None
        with contextlib.suppress(HttpError):
            async with self._request("GET", (*self._headers([]), *resumed), b"") as response:
                status = response.status
                if status == HTTP_OK:
                    await self._take(response, waiting, end)
        return status

    def _headers(self, messages: list[JsonObject]) -> Headers:
        headers = [_ACCEPT, ("user-agent", "holdfast-stdio")]
        token = self._token()
        if token:
            headers.append(("authorization", f"Bearer {token}"))
        if messages:
            headers.append(("content-type", "application/json"))
        mirrors = self._mirrors.headers(messages[0]) if len(messages) == 1 else []
        if not mirrors and self._session is not None:
            headers.append(("mcp-session-id", self._session))
        if not mirrors and self._version is not None:
            headers.append(("mcp-protocol-version", self._version))
        return (*headers, *mirrors)

    def _token(self) -> str:
        """The credential as it is now: tokens live for minutes, clients for days."""
        if self._token_path is None:
            return ""
        try:
            token = self._token_path.read_bytes()[:TOKEN_BYTES_MAX].decode("ascii").strip()
        except (OSError, UnicodeDecodeError):
            token = ""
        if not token or any(character.isspace() for character in token):
            raise HttpError("the token file cannot be read, or holds no token")
        return token

    async def leave(self) -> None:
        """Hang up on what is open, and end the session."""
        tasks = [*self._asking.values(), *([self._listening] if self._listening else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            with contextlib.suppress(HttpError, TimeoutError):
                async with asyncio.timeout(GOODBYE_S), self._request("DELETE", self._headers([]), b"") as response:
                    await response.read(BODY_BYTES_MAX)
        self._http.close()


async def _events(response: Response) -> AsyncIterator[Event]:
    splitter = Splitter()
    async for data in response.chunks():
        try:
            events = [parse_event(block) for block in splitter.feed(data)]
        except Refused as refused:
            raise HttpError(refused.reason) from None
        for event in events:
            yield event
