"""Signs of life for the client of a held Call, so that neither it nor a proxy between gives the connection up.

Measured: HTTP clients give up 300 s after the last byte; comments of an event stream count as bytes, and so does
progress, which some clients show and which keeps their own timer from running out. Nothing of these signs comes from
either side of the call, so they need no Record: that the call is held is one already.
"""

import dataclasses
from typing import Final, TypeGuard

from holdfast import jsontext
from holdfast.call import ID_CHARS_MAX, Call, Direction, Id, Message
from holdfast.exchange import Request
from holdfast.jsontext import Json, JsonObject
from holdfast.sse import KEEP_ALIVE, Event, format_event
from holdfast.wireheaders import media_type

# MCP: progress must rise with every notification. A server counts in whole steps or in hundredths; the gateway's signs
# of a whole day stay below the first of them.
STEP: Final = 1e-6
NO_MESSAGE_VERSION: Final = "2024-11-05"  # progress has `message` since 2025-03-26
_TEXT: Final = "waiting for a person's approval"


class KeepAlive:
    """The signs of life of one held Call, each ready to be sent; and how the server's progress goes on after them."""

    def __init__(self, token: Id | None, version: str) -> None:
        self._token = token
        self._version = version
        self._at = 0.0

    def sign(self) -> bytes:
        """The next sign, as bytes of an event stream: a comment, and progress where the client asked for it."""
        if self._token is None:
            return KEEP_ALIVE
        self._at += STEP
        params: JsonObject = {"progressToken": self._token, "progress": self._at}
        if self._version != NO_MESSAGE_VERSION:
            params["message"] = _TEXT
        said = Call("notifications/progress", params, None, Direction.TO_CLIENT)
        return KEEP_ALIVE + format_event(Event(jsontext.wire(said.to_json()).decode(), "message"))

    def carry_on(self, message: Message) -> Message:
        """``message`` from the server, its progress lifted just above the last sign where it would fall behind it."""
        if self._at == 0.0 or not isinstance(message, Call) or message.method != "notifications/progress":
            return message
        params = message.params
        if not isinstance(params, dict) or not self._is_ours(params.get("progressToken")):
            return message
        progress = params.get("progress")
        if isinstance(progress, bool) or not isinstance(progress, int | float) or progress > self._at:
            return message
        self._at += STEP
        return dataclasses.replace(message, params={**params, "progress": self._at})

    def _is_ours(self, token: object) -> bool:
        return type(token) is type(self._token) and token == self._token


def keep_alive_for(request: Request, call: Call, version: str) -> KeepAlive | None:
    """The signs of life for ``call``, or None where its client reads no event stream in answer to it."""
    if call.is_notification:  # its answer is a status
        return None
    if call.method.startswith("llm/"):  # SDKs accept JSON alone, whatever they ask for
        return KeepAlive(None, version) if call.member("stream") is True else None
    accepted = {media_type(part) for value in request.headers_named("accept") for part in value.split(",")}
    if "text/event-stream" not in accepted:
        return None
    token = call.meta.get("progressToken")
    return KeepAlive(token if _is_short_id(token) else None, version)


def _is_short_id(token: Json) -> TypeGuard[Id]:
    # Every sign repeats it. One of megabytes, in some dozens of held calls, would use up the gateway's memory.
    return isinstance(token, str | int) and not isinstance(token, bool) and len(str(token)) <= ID_CHARS_MAX
