"""START HERE: the gate, and the order in which a message meets its stages.

::

    admit(request)   screen -> identify -> parse -> judge -> mask -> hold -> record     -> Admission, or an Answer
    release(reply)   parse  -> judge    -> mask  -> record                              -> Answer

A stage raises :class:`~holdfast.errors.Refused` to stop a message; any other exception is a failure of the gateway and
stops it too. Both are caught here and nowhere else, written down, and answered. What :meth:`Gate.admit` returns has a
durable Record; what it did not return has not been let out. ``streams.py`` does the same for replies that come as
events.
"""

import dataclasses
from typing import Final

from holdfast import answers, batch, capture, held, jsontext, judging, notes, replies, routing, wireheaders
from holdfast.approval.page import HOLD_PATH, page_of
from holdfast.call import HANDSHAKE_VERSIONS, Body, Call, Direction, Message, parse_body
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Head, Headers, Peer, Request
from holdfast.failing import failure, of_server
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json
from holdfast.ledger.draft import Draft
from holdfast.llm import admitting, refusing, releasing, serving
from holdfast.passage import Admission, Admitted, Kind, Watch
from holdfast.policy.servers import Kind as ServerKind
from holdfast.screen import METADATA_PATH, Screened, screen
from holdfast.stations import Stations, Trail

_JSON: Final = (("content-type", "application/json"),)
HTTP_OK: Final = 200
HTTP_ACCEPTED: Final = 202
# A server's own error status steers its client (404: the session is gone); its text is not passed on.
_PASSED_STATUS: Final = frozenset({400, 404, 405, 406, 409, 415, 429})


class Gate:
    """Lets Calls out and Replies back, each only after its Record is durable."""

    def __init__(self, stations: Stations) -> None:
        self.stations = stations

    # -- towards the server -----------------------------------------------------------------------------------------

    async def admit(self, request: Request, watch: Watch) -> Admission | Answer:
        """What may travel to the server, or the answer for the client instead. Never raises an ``Exception``."""
        trail = Trail(request, self.stations.in_force())
        try:
            agent = trail.force.masker.keep_text(request.header("user-agent") or "")
            trail.base = capture.base(self.stations.gateway, trail.force, request, agent)
            return await self._admit(trail, watch)
        except Refused as refused:
            return await self._refuse(trail, refused, watch)
        except Exception as error:  # noqa: BLE001 -- the one place where a failed stage becomes a refusal
            return await self._refuse(trail, failure(error), watch)

    async def _admit(self, trail: Trail, watch: Watch) -> Admission | Answer:
        screened = screen(trail.request, self.stations.origins | {self.stations.resource}, self.stations.hosts)
        if screened.kind is Kind.METADATA:
            suffix = screened.path.removeprefix(METADATA_PATH)
            if suffix and suffix not in trail.force.servers.by_path:
                raise Refused(Cause.NOT_FOUND, "this resource is not here")
            metadata = trail.force.identifier.metadata(self.stations.resource + suffix)
            watch.note({"decision": "metadata", "path": METADATA_PATH})
            watch.show_reply(metadata, {})
            return Answer(200, _JSON, metadata)
        if screened.kind is Kind.HOLD_PAGE:
            watch.note({"decision": "hold page", "path": HOLD_PATH})
            return page_of(self.stations.desk.standing(screened.path.removeprefix(HOLD_PATH)))
        routing.find(self.stations, trail, screened)
        api = serving.api_of(trail.found, trail.path)
        trail.caller = await trail.force.identifier.identify(serving.credentialed(trail.request, api))
        trail.base["who"] = capture.who(trail.caller)
        routing.require(trail)
        watch.note({"path": trail.path, "server": trail.server.id})
        if api is not None:
            return await admitting.admit(self.stations, trail, screened, trail.caller, api, watch)
        if screened.kind is Kind.POST:
            return await self._admit_messages(trail, screened, trail.caller, watch)
        return await self._admit_bodiless(trail, screened, trail.caller, watch)

    async def _admit_messages(
        self, trail: Trail, screened: Screened, caller: Caller, watch: Watch
    ) -> Admission | Answer:
        trail.body = body = parse_body(trail.request.body, Direction.TO_SERVER)
        routing.check_caller(trail, caller)
        trail.version = version = judging.agree_on_version(trail, body)
        trail.base["mcp"] = {"version": version, "transport": "post"}
        judging.enter_session(self.stations, trail, screened.session, caller)
        trail.body = body = held.resumed(self.stations, trail, caller, body)
        with self.stations.open_calls.coming(trail.scope, body.messages):
            return await self._admit_elements(trail, caller, body, watch)

    async def _admit_elements(self, trail: Trail, caller: Caller, body: Body, watch: Watch) -> Admission | Answer:
        stations = self.stations
        elements = await batch.judged(stations, trail, caller, body)
        note = notes.of_call(caller, [one.masked for one in elements])
        if elements:
            trail.kept = elements[0].masked.keep
            # It may refuse a header: before a Record says that the call goes out, or an approval is spent on it.
            routing.outgoing(stations, trail, caller, b"")
            watch.show_call(Body(tuple(one.masked.keep for one in elements), body.is_batch).to_bytes(), note)
        ready = await batch.drafted(stations, trail, caller, body, elements, watch)
        drafts = [one.draft for one in ready] + await batch.turned_drafts(stations, trail)
        receipts = await stations.ledger.append(*drafts)
        # From here on every message of this body has a durable Record: it may travel.
        if not ready:
            return self._turned_away(trail, watch)
        held.cancel(stations, trail, caller, tuple(one.message for one in ready))
        now_ns = stations.clock.monotonic_ns()
        admitted = tuple(
            Admitted(one.message, one.masked.keep, str(one.draft.body["call"]), receipt.index, now_ns)
            for one, receipt in zip(ready, receipts, strict=False)
        )
        note |= {"decision": "allow", "record": str(receipts[0].index)}
        forward = Body(tuple(one.masked.forward for one in ready), body.is_batch)
        outgoing = routing.outgoing(stations, trail, caller, forward.to_bytes())
        for one in ready:
            headers = wireheaders.mirror(outgoing.headers, one.message, one.masked.forward)
            outgoing = dataclasses.replace(outgoing, headers=headers)
        admission = trail.admission(Kind.POST, caller, outgoing, admitted, note)
        turned = batch.answers_of(trail)
        if turned and not (trail.on_stream and self._say(trail, Body(turned, is_batch=True).to_bytes())):
            admission = dataclasses.replace(admission, turned=turned)
        for one_admitted in admission.waiting():
            stations.open_calls.add(admission.scope, one_admitted)
        stations.counters.calls += len(admitted)
        return admission

    async def _admit_bodiless(self, trail: Trail, screened: Screened, caller: Caller, watch: Watch) -> Admission:
        routing.check_caller(trail, caller)
        version = trail.request.header("mcp-protocol-version") or HANDSHAKE_VERSIONS[0]
        judging.check_version(version)
        trail.base["mcp"] = {"version": version, "transport": screened.kind.value}
        judging.enter_session(self.stations, trail, screened.session, caller)
        ends = screened.kind is Kind.END_SESSION
        if ends and trail.session is None:
            raise Refused(Cause.MALFORMED, "a DELETE names no session")
        outgoing = routing.outgoing(self.stations, trail, caller, b"")
        note = notes.of_call(caller, []) | {"decision": "allow"}
        watch.show_call(b"", note)
        typ = "session.closed" if ends else "stream.opened"
        (receipt,) = await self.stations.ledger.append(Draft(typ, dict(trail.base), {}, None))
        # From here on the Record is durable: the request may travel.
        if ends and trail.session is not None:
            self.stations.sessions.end(trail.server.id, trail.session)
            self.stations.announced.pop(self.stations.sessions.digest_hex(trail.server.id, trail.session), None)
        note["record"] = str(receipt.index)
        return trail.admission(screened.kind, caller, outgoing, (), note)

    async def _refuse(self, trail: Trail, refused: Refused, watch: Watch) -> Answer:
        stations = self.stations
        stations.counters.refused += 1
        headers: Headers = ()
        if refused.cause in (Cause.UNAUTHENTICATED, Cause.FORBIDDEN):
            headers = trail.force.identifier.challenge(refused, self._metadata_url(trail))
        try:
            kept = trail.kept or await self._masked_for_record(trail, refused)
            data, engine = trail.request.body, trail.force.engine
            draft = capture.refused_draft(trail.base, refused, data, stations.request_key, kept, engine)
            await stations.ledger.append(draft)
            watch.show_call(jsontext.wire(kept.to_json()) if kept else b"", notes.of_refusal(trail, refused, kept))
            watch.show_reply(jsontext.wire({"refused": answers.sentence(refused)}), {})
        except Exception as error:  # noqa: BLE001 -- nothing passes either way; the client is told why
            refused = failure(error)
        api = serving.api_of(trail.found, trail.path)
        if api is not None:
            return refusing.refusal(refused, api, headers)
        return self._said_on_stream(trail, answers.refusal(refused, trail.body, headers))

    def _turned_away(self, trail: Trail, watch: Watch) -> Answer:
        """The answer to a batch of which nothing is left."""
        sentences: list[Json] = [answers.sentence(refused) for _, refused in trail.turned]
        watch.show_call(b"", {"decision": "refused", "caller": trail.caller.name if trail.caller else ""})
        watch.show_reply(jsontext.wire({"refused": sentences}), {})
        told = batch.answers_of(trail)
        answer = Answer(HTTP_OK, _JSON, Body(told, is_batch=True).to_bytes())
        return self._said_on_stream(trail, answer) if told else Answer(HTTP_ACCEPTED, (), b"")

    def _said_on_stream(self, trail: Trail, answer: Answer) -> Answer:
        """A client of HTTP+SSE (2024-11-05) reads the POST's status alone: what it must know goes on its stream."""
        said = trail.on_stream and answer.status == HTTP_OK and self._say(trail, answer.body)
        return Answer(HTTP_ACCEPTED, (), b"") if said else answer

    def _say(self, trail: Trail, body: bytes) -> bool:
        outbox = self.stations.outboxes.get(self.stations.sessions.digest_hex(trail.server.id, trail.session or ""))
        return outbox is not None and outbox.put(body)

    def _metadata_url(self, trail: Trail) -> str:
        """RFC 9728 3.1: the well-known path goes before the path of the resource."""
        path = trail.request.path.partition("?")[0]
        known = path if path in trail.force.servers.by_path else ""
        return self.stations.resource + METADATA_PATH + known

    async def _masked_for_record(self, trail: Trail, refused: Refused) -> Message | None:
        """Of a message that was refused before it was masked, what its Record may say; nothing if masking fails."""
        # Where masking has failed or run out of time, it would do so again.
        if trail.body is None or refused.cause is Cause.UNAVAILABLE:
            return None
        try:
            masked = await trail.force.masker.mask(trail.body.messages[0], server=trail.server.id)
        except Exception:  # noqa: BLE001 -- it is refused already; its Record then says less
            return None
        return masked.keep

    async def write_unread(self, peer: Peer, refused: Refused, size_bytes: int) -> None:
        """Write down a request that was no acceptable HTTP, which no stage has seen. Never raises an ``Exception``."""
        self.stations.counters.refused += 1
        try:
            asked = Request("", "", (), b"", peer)
            shared = capture.base(self.stations.gateway, self.stations.in_force(), asked, "")
            await self.stations.ledger.append(capture.unread_draft(shared, refused, size_bytes))
        except Exception as error:  # noqa: BLE001 -- it is refused either way
            failure(error)

    # -- back to the client -----------------------------------------------------------------------------------------

    async def release(self, admission: Admission, head: Head, body: bytes, watch: Watch) -> Answer:
        """What may come back of a response that is no event stream. Never raises an ``Exception``."""
        try:
            return await self._release(admission, head, body, watch)
        except Refused as refused:
            return await self.lose(admission, of_server(refused), watch, status=head.status)
        except Exception as error:  # noqa: BLE001 -- the one place where a failed stage becomes a refusal
            return await self.lose(admission, failure(error), watch)

    async def _release(self, admission: Admission, head: Head, body: bytes, watch: Watch) -> Answer:
        if admission.server.kind is ServerKind.LLM:
            return await releasing.release(self.stations, admission, head, body, watch)
        headers = wireheaders.to_client(head, admission.force.masker.keep_text)
        if replies.are_none(admission, head, body):
            watch.show_reply(b"", {"status": str(head.status)})
            return _beside(admission, Body((), is_batch=False), Answer(head.status, headers, b""))
        if head.status in (401, 403):  # the gateway's own credential, not the client's
            raise Refused(Cause.SERVER_FAULT, f"the server refused the gateway with status {head.status}")
        if wireheaders.media_type(head.header("content-type")) != "application/json":
            raise Refused(Cause.SERVER_FAULT, f"the server answered {head.status} without JSON")
        parsed = parse_body(body, Direction.TO_CLIENT)
        vouched = [await replies.vouch(self.stations, admission, m, head.status) for m in parsed.messages]
        replies.check_answered_once(vouched)
        opened = self._opened_session(admission, head, parsed.messages)
        if opened:
            self.stations.sessions.open(admission.server.id, head.header("mcp-session-id") or "", admission.caller)
        receipts = await replies.record(self.stations, admission, vouched, [opened] if opened else [])
        # From here on every message of the reply has a durable Record: it may come back.
        for one, receipt in zip(vouched, receipts, strict=False):
            replies.settle(self.stations, admission, one, receipt.index)
        shown = Body(tuple(one.kept for one in vouched), parsed.is_batch)
        watch.show_reply(shown.to_bytes(), {"status": str(head.status), "reply": str(receipts[0].index)})
        forward = tuple(one.forward for one in vouched if one.forward is not None)
        if not forward and not admission.turned:
            raise Refused(Cause.SERVER_FAULT, "no message of the reply may be released")
        return _beside(admission, Body(forward, parsed.is_batch), Answer(head.status, headers, b""))

    def _opened_session(self, admission: Admission, head: Head, messages: tuple[Message, ...]) -> Draft | None:
        session = head.header("mcp-session-id")
        asked = [a.message for a in admission.admitted if isinstance(a.message, Call)]
        if session is None or not any(call.method == "initialize" for call in asked) or not messages:
            return None
        return session_draft(self.stations, admission, session)

    async def lose(self, admission: Admission, refused: Refused, watch: Watch, *, status: int | None = None) -> Answer:
        """Write down that calls of ``admission`` got no Reply, and answer the client with the reason."""
        stations = self.stations
        lost = [a for a in admission.waiting() if stations.open_calls.close(admission.scope, a)]
        stations.counters.lost += len(lost)
        now_ns = stations.clock.monotonic_ns()
        drafts = [capture.lost_draft(admission, a, refused, (now_ns - a.at_ns) // 1_000_000) for a in lost]
        try:
            if drafts:
                await stations.ledger.append(*drafts)
        except Exception as error:  # noqa: BLE001 -- nothing passes either way; the client is told why
            refused = failure(error)
        watch.show_reply(jsontext.wire({"refused": answers.sentence(refused)}), {"cause": refused.cause.value})
        api = serving.api_of(admission.server, admission.path)
        if api is not None:
            return refusing.refusal(refused, api, status=refusing.passed(status))
        messages = tuple(a.message for a in admission.admitted)
        answer = answers.refusal(refused, Body(messages, len(messages) > 1) if messages else None)
        if refused.cause is Cause.SERVER_FAULT and status is not None and status in _PASSED_STATUS:
            answer = dataclasses.replace(answer, status=status)
        return answer


def _beside(admission: Admission, body: Body, answer: Answer) -> Answer:
    """``answer`` with the messages of ``body``, and beside them what the gateway says of elements that it refused."""
    messages = (*body.messages, *admission.turned)
    if not messages:
        return answer
    status = answer.status if body.messages else HTTP_OK
    whole = Body(messages, body.is_batch or bool(admission.turned))
    return Answer(status, (*_JSON, *answer.headers), whole.to_bytes())


def session_draft(stations: Stations, admission: Admission, session: str) -> Draft:
    """The Record without which a session's id does not reach the client."""
    digest_hex = stations.sessions.digest_hex(admission.server.id, session)
    return Draft("session.opened", {**admission.base, "sid": digest_hex}, {}, None)
