"""Seals: what the gate has agreed may leave, byte for byte, and what the monitor compares with.

Only the gate addon puts a seal on a passing. A stage that failed, is missing or was unloaded puts none, and without one
the monitor lets nothing out. Seals hang on the passing object itself, so a copied, replayed or imported flow has none.
"""

import asyncio
import dataclasses
from typing import Final

from mitmproxy import ctx, hooks, http

from holdfast.exchange import Answer, Head, Outgoing, Request
from holdfast.keepalive import KeepAlive
from holdfast.llm.stream import LlmStream
from holdfast.passage import Admission
from holdfast.sse import Event, format_event
from holdfast.streams import EventStream

SHOWN_BYTES_MAX: Final = 256 * 1024  # a viewer's memory; the ledger has all of it


MARKERS: Final = {"allow": ":white_check_mark:", "refused": ":no_entry:", "hold": ":hourglass:"}
_COMMENT: Final = ("decision", "tool", "method", "caller")


class Chunk(bytes):
    """Bytes of an event stream that the gate released. The monitor lets no other type of bytes stream to a client."""

    __slots__ = ()


@dataclasses.dataclass(eq=False, slots=True)
class Passing:
    """One HTTP exchange on its way through the proxy: what came, what was decided, what is sealed."""

    flow: http.HTTPFlow
    request: Request | None = None
    head: Head | None = None
    body: bytes = b""
    gone: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    admission: Admission | None = None
    stream: EventStream | LlmStream | None = None
    shown: bytes | None = None  # the masked reply, as viewers see it
    # The seals.
    outgoing: Outgoing | None = None
    answer: Answer | None = None
    opened: Answer | None = None  # status and headers of an event stream
    sign: Chunk | None = None  # of a held call: what its client hears now, while the gate goes on
    last: Chunk | None = None  # what ends a stream that was opened while the call was held
    said: Chunk | None = None  # what goes on a stream while its server is quiet
    # A held call.
    admitting: asyncio.Task[Admission | Answer] | None = None
    signs: KeepAlive | None = None
    takes_chunks: bool = True  # HTTP/1.0 has no body of unknown length that can be told from a broken one

    def keep_alive(self, signs: KeepAlive) -> None:
        """From now on the client may hear ``signs``."""
        self.signs = signs if self.takes_chunks else None

    def seal_answer(self, answer: Answer) -> None:
        """Seal a whole answer: as it is, or as the last event where a stream has begun."""
        if self.opened is None:
            self.answer = with_length(answer)
        else:
            self.last = Chunk(format_event(Event(answer.body.decode(), answer.event)) if answer.body else b"")

    def show_call(self, text: bytes, note: dict[str, str]) -> None:
        """Let viewers see the masked request and what was decided about it."""
        self.flow.request.data.content = text
        self.note(note)

    def show_reply(self, text: bytes, note: dict[str, str]) -> None:
        """Let viewers see the masked reply. A stream adds to what it showed, up to a limit."""
        self.shown = ((self.shown or b"") + text)[-SHOWN_BYTES_MAX:]
        if self.flow.response is not None:  # a stream, whose head has been shown
            self.flow.response.data.content = self.shown
        self.note(note)

    def note(self, note: dict[str, str]) -> None:
        """Tell viewers what was decided. Strings without content, since metadata is saved with the flow."""
        self.flow.metadata.update({f"holdfast.{key}": value for key, value in note.items()})
        if "path" in note:
            self.flow.request.data.path = note["path"].encode()
        marker = MARKERS.get(note.get("decision", ""))
        if marker is not None:
            self.flow.marked = marker
            said = {key: str(self.flow.metadata.get(f"holdfast.{key}") or "") for key in _COMMENT}
            self.flow.comment = " ".join(value for value in said.values() if value)
        if note.get("decision") == "hold":  # it may stay like this for minutes: viewers must hear of it now
            ctx.master.addons.trigger(hooks.UpdateHook([self.flow]))


@dataclasses.dataclass(eq=False, slots=True)
class Batch:
    """Complete events of one stream, and what of them may go out; None until the gate released them.

    ``is_last`` says that nothing comes behind them.
    """

    passing: Passing
    blocks: list[bytes]
    is_last: bool = False
    out: bytes | None = None


def with_length(answer: Answer) -> Answer:
    """``answer`` with its ``Content-Length``, as it is sealed and sent."""
    if answer.status == HTTP_NO_CONTENT:  # RFC 9110 8.6: no Content-Length with 204
        return answer
    return dataclasses.replace(answer, headers=(*answer.headers, ("content-length", str(len(answer.body)))))


HTTP_NO_CONTENT: Final = 204


def _own(status: int, text: str) -> Answer:
    body = f'{{"jsonrpc":"2.0","id":null,"error":{{"code":-31030,"message":"{text}"}}}}'.encode()
    return with_length(Answer(status, (("content-type", "application/json"), ("connection", "close")), body))


# The only answers that need no seal: fixed texts for when there is no gate to ask, or nothing that it could be asked.
NOT_HTTP: Final = _own(400, "Holdfast refused this: the request is not well-formed HTTP for an MCP endpoint.")
UNSEALED: Final = _own(503, "Holdfast refused this: the gateway cannot do its duty now. Nothing was passed on.")
OWN_ANSWERS: Final = (NOT_HTTP, UNSEALED)
