"""What comes back from the server, message by message: correlate, judge, mask, draft a Record.

Shared by JSON replies (``gate.py``) and event streams (``streams.py``): a message is vouched for here, and released
there once its Record is durable.
"""

import asyncio
import dataclasses
import itertools
import uuid
from typing import Protocol

from holdfast import answers, capture, definitions, jsontext, judging, restoring
from holdfast.call import Call, Direction, Message, Reply
from holdfast.catalog import Definition
from holdfast.errors import Cause, Refused
from holdfast.exchange import Head
from holdfast.failing import of_server
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft, Receipt
from holdfast.listing import show
from holdfast.masking.finding import Issued, Masked
from holdfast.meters import now_s, spender_of, weighing
from holdfast.passage import Admission, Admitted
from holdfast.policy.access import judge_access
from holdfast.policy.decision import Deny
from holdfast.policy.scope import Facts
from holdfast.stations import Stations
from holdfast.wireheaders import media_type

_ACCEPTED = 202
NOT_MODIFIED = 304
ERRORS = 400
DRAFTS_PER_APPEND = 100  # the ledger takes a few more at once
OBJECTS_AT_ONCE = 64  # a server that lists thousands of tools may not fill the ledger's queue, in which others wait
LATE = "a value was split over messages: its beginning had gone before it was known"
# What tools say, and the shapes of what may be said: not what the protocol asks.
_CONTENT = frozenset({"content", "structuredContent", "inputSchema", "outputSchema", "requestedSchema"})


class Masking(Protocol):
    """What masks a message; see :meth:`holdfast.masking.masker.Masker.mask`."""

    async def __call__(self, message: Message, *, server: str) -> Masked:
        """``message`` as it travels and as it is kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class Vouched:
    """A message from the server that may be released once ``draft`` is durable.

    ``answers`` is the Call it replies to; ``asks`` is itself, where it is a Call of the server. ``forward`` is None for
    a message that the client will not see. ``defines`` are the tools that it describes for the first time, or anew;
    ``issued`` are masks in it that the client may send back.
    """

    draft: Draft
    forward: Message | None
    kept: Message
    answers: Admitted | None = None
    asks: str | None = None
    defines: tuple[Definition, ...] = ()
    issued: tuple[Issued, ...] = ()


def is_events(head: Head) -> bool:
    """Whether the body of ``head`` comes as events.

    Raises:
        Refused: SERVER_FAULT, for a status or an encoding that is never carried.
    """
    if head.status < 200 or 300 <= head.status < ERRORS:  # noqa: PLR2004 -- HTTP status classes
        raise Refused(Cause.SERVER_FAULT, f"the server answered with status {head.status}")
    if head.header("content-encoding") not in (None, "identity"):
        raise Refused(Cause.SERVER_FAULT, "the server compressed its reply although it was asked not to")
    media = media_type(head.header("content-type"))
    if media == "text/event-stream":
        if head.status != 200:  # noqa: PLR2004 -- HTTP 200
            raise Refused(Cause.SERVER_FAULT, f"the server sent events with status {head.status}")
        return True
    if media not in ("", "application/json") and head.status < ERRORS:
        raise Refused(Cause.SERVER_FAULT, "the server's content type is neither JSON nor an event stream")
    return False


async def vouch(
    stations: Stations, admission: Admission, message: Message, status: int | None, masking: Masking | None = None
) -> Vouched:
    """What may be released of ``message``.

    Args:
        stations: the gateway's stations.
        admission: the request on whose response the message came.
        message: a Reply, or a Call of the server.
        status: the HTTP status, for a message that is a whole response.
        masking: what masks a Call of the server instead of the masker alone.

    Raises:
        Refused: a Reply to no open Call, or a whole response that may not come back. In place of an event that may not,
            the client is told why.
        MaskingError: the masker cannot vouch for it.
    """
    if isinstance(message, Call):
        return await _vouch_call(stations, admission, message, masking or admission.force.masker.mask)
    answered = _answered(stations, admission, message)
    try:
        return await _vouch_reply(stations, admission, answered, message, status)
    except Refused as refused:
        if status is not None:  # the gate answers in place of a whole response
            raise
        # A client would wait for ever for an event that was left out.
        return withheld(stations, admission, answered, of_server(refused))


async def _vouch_reply(
    stations: Stations, admission: Admission, answered: Admitted, message: Reply, status: int | None
) -> Vouched:
    _check_input_requests(admission, message.result)
    server, asked = admission.server.id, answered.message
    tool = asked.name if isinstance(asked, Call) else None
    schema = stations.catalogs.of(server).schemas(asked).result
    masked = await admission.force.masker.mask(message, server=server, tool=tool, schema=schema)
    refused = masked.refusal()
    if refused is not None:
        return withheld(stations, admission, answered, refused)
    examined = await definitions.of_reply(stations, admission, answered.message, message, masked.keep)
    if examined.refused is not None:
        told = withheld(stations, admission, answered, examined.refused)
        return dataclasses.replace(told, defines=examined.definitions)
    out = judging.reply_outcome(stations, message, answered)
    if isinstance(answered.message, Call):
        shown = show(admission, admission.server.id, answered.message, message, masked, examined.hidden)
        masked = shown.masked
        out |= {} if shown.hidden_count is None else {"hidden": shown.hidden_count}
    over = over_budget(stations, admission, answered, masked.forward)
    if over is not None:
        return withheld(stations, admission, answered, over)
    draft = capture.reply_draft(admission.base, answered, masked, admission.force.engine, out, status)
    defines, issued = examined.definitions, masked.issued
    return Vouched(draft, masked.forward, masked.keep, answers=answered, defines=defines, issued=issued)


async def _vouch_call(stations: Stations, admission: Admission, message: Call, masking: Masking) -> Vouched:
    _check_input_requests(admission, message.params)
    masked = await masking(message, server=admission.server.id)
    if stations.open_calls.find(admission.scope, Direction.TO_CLIENT, message.id) is not None:
        raise Refused(Cause.SERVER_FAULT, "a call of the server with this id is still open")
    decision = judge_access(admission.force.rules.access, message, admission.caller, admission.server.id)
    refused = masked.refusal()
    if isinstance(decision, Deny):
        refused = Refused(Cause.DENIED_BY_RULE, decision.reason, rule=decision.rule)
    if refused is not None:
        return Vouched(refusal_draft(stations, admission, refused, b"", masked.keep), None, masked.keep)
    call_id = str(uuid.uuid4())
    allowed: JsonObject = {"effect": "allow", "rule": decision.rule, "reason": "an access rule allows it"}
    draft = capture.call_draft(admission.base, call_id, masked, admission.force.engine, allowed, None)
    if masked.late_count:
        draft.body["reason"] = LATE
    return Vouched(draft, masked.forward, masked.keep, asks=call_id, issued=masked.issued)


def over_budget(stations: Stations, admission: Admission, answered: Admitted, forward: Message) -> Refused | None:
    """The refusal of a result that is more than a budget has; it is counted otherwise."""
    if not isinstance(answered.message, Call):
        return None
    facts = Facts(answered.message, admission.caller, admission.server.id)
    weighed = weighing(admission.force.rules.budgets, facts)
    if not weighed:
        return None
    size_bytes = len(jsontext.wire(forward.to_json()))
    try:
        stations.meters.weigh(weighed, spender_of(admission.base, admission.caller), size_bytes, now_s(stations.clock))
    except Refused as refused:
        return refused
    return None


def withheld(stations: Stations, admission: Admission, answered: Admitted, refused: Refused) -> Vouched:
    """What goes to the client in place of a Reply that it may not have: why, in words that a model can read."""
    call, kept = answered.message, answered.kept
    if not isinstance(call, Call) or not isinstance(kept, Call):
        raise TypeError("only a Call is answered")
    waited_ms = (stations.clock.monotonic_ns() - answered.at_ns) // 1_000_000
    draft = capture.lost_draft(admission, answered, refused, waited_ms)
    return Vouched(draft, told(refused, call), told(refused, kept), answers=answered)


def told(refused: Refused, call: Call) -> Reply:
    """What the client hears of ``call``, as a message."""
    message = answers.reply_to(refused, call)
    error = message.get("error")
    return Reply(call.id, message.get("result"), error if isinstance(error, dict) else None, Direction.TO_CLIENT)


async def record(
    stations: Stations, admission: Admission, vouched: list[Vouched], more: list[Draft]
) -> tuple[Receipt, ...]:
    """Make all of ``vouched`` durable, then ``more``; what they define first. Returns their Receipts in that order.

    Raises:
        Refused: SERVER_FAULT, another Reply to the same Call came first.
        LedgerError: it cannot be recorded; nothing may be released.
    """
    with stations.open_calls.answering(admission.scope, [one.answers for one in vouched if one.answers is not None]):
        return await _record(stations, admission, vouched, more)


async def _record(
    stations: Stations, admission: Admission, vouched: list[Vouched], more: list[Draft]
) -> tuple[Receipt, ...]:
    defined = [definition for one in vouched for definition in one.defines]
    for some in itertools.batched(defined, OBJECTS_AT_ONCE, strict=False):
        await asyncio.gather(*(stations.ledger.put_object(capture.JSON_TYPE, one.data) for one in some))
    drafts = [one.draft for one in vouched] + more
    drafts += [capture.definition_draft(admission.base, definition) for definition in defined]
    receipts: list[Receipt] = []
    for group in itertools.batched(drafts, DRAFTS_PER_APPEND, strict=False):
        receipts += await stations.ledger.append(*group)
    # From here on every message has a durable Record: it may come back.
    for definition in defined:
        stations.catalogs.of(definition.server).remember(definition.key, definition.known)
    return tuple(receipts)


def check_answered_once(vouched: list[Vouched]) -> None:
    """Refuse a second Reply to one Call among messages that are released together.

    Raises:
        Refused: SERVER_FAULT.
    """
    answered = [one.answers.index for one in vouched if one.answers is not None]
    if len(set(answered)) < len(answered):
        raise Refused(Cause.SERVER_FAULT, "a call is answered twice")


def refusal_draft(
    stations: Stations, admission: Admission, refused: Refused, data: bytes, kept: Message | None
) -> Draft:
    """The Record of something from the server that the client will not see."""
    return capture.refused_draft(admission.base, refused, data, stations.request_key, kept, admission.force.engine)


def settle(stations: Stations, admission: Admission, vouched: Vouched, index: int) -> None:
    """Open or close the Call that ``vouched`` asks or answers, now that its Record is at ``index``."""
    restoring.give(stations, admission, vouched.issued)
    if vouched.answers is not None:
        stations.open_calls.close(admission.scope, vouched.answers)
        stations.counters.replies += vouched.draft.typ == "reply"
        stations.counters.lost += vouched.draft.typ == "call.lost"
    elif vouched.asks is not None and vouched.forward is not None:
        now_ns = stations.clock.monotonic_ns()
        stations.open_calls.add(admission.scope, Admitted(vouched.forward, vouched.kept, vouched.asks, index, now_ns))


def _check_input_requests(admission: Admission, value: Json) -> None:
    """MCP 2026-07-28: a result may carry requests to the client (MRTR). They are Calls of the server like any other."""
    level = [value]
    while level:
        members = [item for item in level if isinstance(item, dict)]
        for item in members:
            _judge_input_requests(admission, item.get("inputRequests"))
        inner = [value for item in members for name, value in item.items() if name not in _CONTENT]
        level = inner + [value for item in level if isinstance(item, list) for value in item]


def _judge_input_requests(admission: Admission, asked: Json) -> None:
    if asked is None:
        return
    for request in asked.values() if isinstance(asked, dict) else [None]:
        method = request.get("method") if isinstance(request, dict) else None
        if not isinstance(request, dict) or not isinstance(method, str):
            raise Refused(Cause.SERVER_FAULT, "an input request names no method")
        call = Call(method, request.get("params"), "input", Direction.TO_CLIENT)
        decision = judge_access(admission.force.rules.access, call, admission.caller, admission.server.id)
        if isinstance(decision, Deny):
            raise Refused(Cause.DENIED_BY_RULE, decision.reason, rule=decision.rule)


def _answered(stations: Stations, admission: Admission, reply: Reply) -> Admitted:
    waiting = admission.waiting()
    # Servers answer what they could not parse without an id; that is the answer if only one call was asked.
    asked = waiting[0].message.id if reply.id is None and len(waiting) == 1 else reply.id
    found = stations.open_calls.find(admission.scope, Direction.TO_SERVER, asked)
    if found is None:
        raise Refused(Cause.SERVER_FAULT, "a reply answers no open call")
    return found


def are_none(admission: Admission, head: Head, body: bytes) -> bool:
    """Whether a response has no Reply, and need have none.

    HTTP+SSE (2024-11-05) answers a POST with 202 and replies on the stream: the Call stays open. Servers put a word of
    text in that answer, which nobody reads and which is not passed on.
    """
    if head.status == _ACCEPTED:
        return not body or media_type(head.header("content-type")) != "application/json"
    return not body and head.status in (200, 204) and not admission.waiting()
