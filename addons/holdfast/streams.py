"""Replies that come as events: every event is judged, masked and recorded before a byte of it goes on.

Events arrive in batches, whatever came while the last batch was being written down; one batch is one commit. What ends
in half a value waits for the next of its kind, and what is behind it waits as well; see ``window.py``.
"""

import asyncio
import dataclasses
import re
import urllib.parse
from typing import Final

from holdfast import replies, wireheaders
from holdfast.call import Body, Direction, Message
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Head
from holdfast.failing import failure, of_server, or_cut
from holdfast.gate import Gate, session_draft
from holdfast.joining import Joining
from holdfast.ledger.draft import Draft
from holdfast.outbox import Outbox
from holdfast.passage import Admission, Kind, Watch
from holdfast.policy.servers import PATH
from holdfast.replies import Vouched
from holdfast.running import Spot
from holdfast.screen import SESSION_QUERY
from holdfast.sse import Event, format_event, parse_event
from holdfast.stations import scope_of
from holdfast.window import Waiting, Window, waiting_of

_ENDPOINT: Final = re.compile(
    rf"(?P<path>{PATH.pattern})\?(?P<query>(?:{'|'.join(sorted(SESSION_QUERY))})=(?P<session>[A-Za-z0-9._~-]{{1,256}}))"
)


class EventStream:
    """One response of type text/event-stream on its way to the client."""

    def __init__(self, gate: Gate, admission: Admission, watch: Watch) -> None:
        self._gate = gate
        self._stations = gate.stations
        self._admission = admission
        self._watch = watch
        self._resumable = False
        self._indices: list[str] = []
        self.stirred = asyncio.Event()  # set when somebody has done something on the stream, or the gateway may
        self.outbox: Outbox | None = None  # what the gateway itself says, on streams of HTTP+SSE
        self._terms = admission.force.rules.masking.streams
        self._window = Window(self._terms.hold_back_chars, self._is_found)
        self._endpoint_hex = ""
        self._cut_by: Refused | None = None  # why nothing more may be released

    def _cut(self, refused: Refused) -> None:
        self._cut_by = refused

    async def open(self, head: Head) -> Answer | None:
        """Status and headers that may go to the client now; None where the stream must be cut."""
        return await or_cut(self._open(head), self._cut)

    async def _open(self, head: Head) -> Answer:
        session = head.header("mcp-session-id")
        initializes = any(
            getattr(admitted.message, "method", "") == "initialize" for admitted in self._admission.admitted
        )
        if session is not None and initializes:
            # Whose it is comes first: a Record must not give one Caller's session to another.
            self._stations.sessions.open(self._admission.server.id, session, self._admission.caller)
            await self._stations.ledger.append(session_draft(self._stations, self._admission, session))
        headers = wireheaders.to_client(head, self._admission.force.masker.keep_text)
        return Answer(200, (("content-type", "text/event-stream"), *headers), b"")

    async def release(self, blocks: list[bytes]) -> bytes | None:
        """The bytes that may go to the client for ``blocks``; None where the stream must be cut."""
        return await or_cut(self._release(blocks), self._cut)

    async def release_due(self) -> bytes | None:
        """The bytes of events whose time to wait is up; None where the stream must be cut."""
        return await or_cut(self._release_due(), self._cut)

    async def release_last(self, blocks: list[bytes]) -> bytes | None:
        """The bytes that may go for ``blocks`` and all that waits, since nothing comes any more; None: cut."""
        return await or_cut(self._release_last(blocks), self._cut)

    @property
    def listens(self) -> bool:
        """Whether anything may have to be sent though the server is quiet: what the gateway says, what waits."""
        return self.outbox is not None or self._window.due_ns is not None

    def wait_s(self) -> float | None:
        """How long the first event that waits may still do so; None where none waits."""
        due_ns = self._window.due_ns
        return None if due_ns is None else max(0.0, (due_ns - self._now_ns()) / 1e9)

    def _is_found(self, path: str, text: str, start: int) -> bool:
        admission = self._admission
        return admission.force.masker.is_found(path, text, start, Direction.TO_CLIENT, server=admission.server.id)

    def _now_ns(self) -> int:
        return self._stations.clock.monotonic_ns()

    async def _release(self, blocks: list[bytes]) -> bytes:
        self._read(blocks)
        return await self._let_go(self._window.ready(self._now_ns()))

    async def _release_due(self) -> bytes:
        count = self._window.ready(self._now_ns())
        return await self._let_go(count) if count else b""

    async def _release_last(self, blocks: list[bytes]) -> bytes:
        self._read(blocks)
        return await self._let_go(self._window.count)

    def _read(self, blocks: list[bytes]) -> None:
        due_ns = self._now_ns() + self._terms.hold_back_ms * 1_000_000
        for block in blocks:
            event = parse_event(block)
            self._check_fields(event)
            if not event.is_empty:
                self._window.add(waiting_of(event, due_ns))

    async def _let_go(self, count: int) -> bytes:
        """The bytes of the first ``count`` events that wait, once their Records are durable."""
        self._check_credential()
        drafts: list[Draft] = []
        vouched: list[Vouched] = []
        out: list[tuple[Event, list[Vouched], bool]] = []
        for _ in range(count):
            one = self._window.take()
            if one.event.name == "endpoint":
                event, draft = self._endpoint(one.event)
                drafts.append(draft)
                out.append((event, [], False))
            elif one.body is not None:
                found = await self._vouch(one, one.body, drafts, vouched)
                vouched += found
                out.append((one.event, found, isinstance(one.body, Body) and one.body.is_batch))
            else:
                out.append((one.event, [], False))
        receipts = await replies.record(self._stations, self._admission, vouched, drafts)
        # From here on every event of the batch has a durable Record: it may come back.
        for told, receipt in zip(vouched, receipts, strict=False):
            replies.settle(self._stations, self._admission, told, receipt.index)
            self._indices.append(str(receipt.index))
        self._show(vouched)
        first = self._said_first()
        return first + b"".join(_formatted(event, found, is_batch=is_batch) for event, found, is_batch in out)

    def _said_first(self) -> bytes:
        """What the gateway itself answers to elements of a batch, once: their Records are durable since the request."""
        turned = self._admission.turned
        if not turned:
            return b""
        self._admission = dataclasses.replace(self._admission, turned=())
        return format_event(Event(Body(turned, is_batch=True).to_bytes().decode(), "message"))

    def _check_credential(self) -> None:
        """A stream that outlives the credential it was opened with is cut; a client opens it anew with a fresh one."""
        admission = self._admission
        listens = admission.kind is Kind.STREAM or any(
            getattr(admitted.message, "method", "") == "subscriptions/listen" for admitted in admission.admitted
        )
        if listens and self._stations.clock.now_at() > admission.caller.expires_at:
            raise Refused(Cause.UNAUTHENTICATED, "the credential of the stream has expired")

    def _check_fields(self, event: Event) -> None:
        if event.name not in (None, "message", "endpoint"):
            raise Refused(Cause.SERVER_FAULT, "an event has a name that MCP does not have")
        if event.id is not None and wireheaders.tells(event.id, self._admission.force.masker.keep_text):
            raise Refused(Cause.SERVER_FAULT, "an event's id holds a regulated value")
        self._resumable = self._resumable or event.id is not None

    async def _vouch(
        self, one: Waiting, body: Body | Refused, drafts: list[Draft], before: list[Vouched]
    ) -> list[Vouched]:
        try:
            if isinstance(body, Refused):
                raise body
            found = [
                await self._vouch_message(message, spots)
                for message, spots in zip(body.messages, one.spots, strict=True)
            ]
            replies.check_answered_once([*before, *found])
        except Refused as refused:
            # One event that cannot be vouched for is left out; the others of the stream still count.
            data = (one.event.data or "").encode()
            drafts.append(replies.refusal_draft(self._stations, self._admission, refused, data, None))
            self._stations.counters.refused += 1
            return []
        return [self._carried_on(one) for one in found]

    async def _vouch_message(self, message: Message, spots: tuple[Spot, ...]) -> Vouched:
        joining = Joining(self._admission.force.masker, self._window, spots)
        return await replies.vouch(self._stations, self._admission, message, None, joining)

    def _carried_on(self, one: Vouched) -> Vouched:
        """Progress of the server's goes on where the signs of life ended that the client of a held call has heard."""
        signs = self._admission.signs
        if signs is None or one.forward is None:
            return one
        return dataclasses.replace(one, forward=signs.carry_on(one.forward))

    def _endpoint(self, event: Event) -> tuple[Event, Draft]:
        """HTTP+SSE (2024-11-05): where to POST. The client stays at the endpoint it knows; only the session goes on."""
        admission, keep_text = self._admission, self._admission.force.masker.keep_text
        # It may be relative to what was asked (RFC 3986 5.2); whose host it names makes no difference.
        whole = urllib.parse.urljoin(f"http://server{admission.outgoing.path}", event.data or "")
        target = _ENDPOINT.fullmatch(urllib.parse.urlsplit(whole)._replace(scheme="", netloc="").geturl())
        if target is None or any(wireheaders.tells(target[part], keep_text) for part in ("path", "session")):
            raise Refused(Cause.SERVER_FAULT, "the endpoint event names no plain address with a session")
        if admission.kind is not Kind.STREAM or admission.session is not None:
            raise Refused(Cause.SERVER_FAULT, "an endpoint event where none belongs")
        session = target["session"]
        self._stations.sessions.open(admission.server.id, session, admission.caller)
        draft = session_draft(self._stations, admission, session)
        digest_hex = self._stations.sessions.digest_hex(admission.server.id, session)
        self._stations.announce(digest_hex, target["path"])
        self.outbox, self._endpoint_hex = Outbox(self.stirred), digest_hex
        self._stations.outboxes[digest_hex] = self.outbox
        # What the client asks at that address is answered on this stream.
        base = {**admission.base, "sid": digest_hex}
        scope = scope_of(admission.server, session)
        self._admission = dataclasses.replace(admission, session=session, scope=scope, base=base)
        return Event(f"{admission.path}?{target['query']}", "endpoint", event.id), draft

    def _show(self, vouched: list[Vouched]) -> None:
        if vouched:
            shown = b"\n".join(Body((one.kept,), is_batch=False).to_bytes() for one in vouched)
            self._watch.show_reply(shown + b"\n", {"reply": ",".join(self._indices[-20:])})

    async def close(self, reason: str | None) -> None:
        """Write down how the stream ended; ``reason`` is None where the server ended it in good order."""
        if self.outbox is not None and self._stations.outboxes.get(self._endpoint_hex) is self.outbox:
            del self._stations.outboxes[self._endpoint_hex]
        try:
            if self._admission.kind is Kind.STREAM:
                why = self._cut_by.reason if self._cut_by else reason
                body = {**self._admission.base, "reason": why or "the server ended the stream"}
                await self._stations.ledger.append(Draft("stream.closed", body, {}, None))
            if reason is not None or not self._resumable:
                ended = Refused(Cause.SERVER_FAULT, reason or "the stream ended without a reply")
                refused = ended if self._cut_by is None else of_server(self._cut_by)
                await self._gate.lose(self._admission, refused, self._watch)
        except Exception as error:  # noqa: BLE001 -- the stream has ended; what is left is to tell the operator
            failure(error)


def _formatted(event: Event, found: list[Vouched], *, is_batch: bool) -> bytes:
    if event.name == "endpoint" or not event.data:
        return format_event(event)
    forward = tuple(one.forward for one in found if one.forward is not None)
    if not forward:
        # The id still goes on: a client that resumes must not ask for this event again.
        return format_event(Event(id=event.id, retry_ms=event.retry_ms, data="")) if event.id is not None else b""
    data = Body(forward, is_batch).to_bytes().decode()
    return format_event(Event(data, event.name, event.id, event.retry_ms))
