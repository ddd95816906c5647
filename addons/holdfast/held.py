"""A Call that a person must approve: how long it waits where, and what its client hears meanwhile.

::

    modern era           legs of at most 45 s, each answered `input_required` with a sealed state; then a ticket
    handshake era        one wait of the rule's `wait_s`, the client kept alive by an event stream; then a ticket
    HTTP+SSE (2024)      a moment, since the POST must be answered soon; then a ticket on the session's stream

Whatever the way, the call goes out by a grant for exactly this request, and a repeat of it finds its Hold again.
"""

from typing import Final

from holdfast import wireheaders
from holdfast.approval import legs
from holdfast.approval.desk import Grant, HoldRequest
from holdfast.approval.digest import Around, request_digest_hex
from holdfast.approval.page import page_url
from holdfast.call import Body, Call, Message
from holdfast.capture import mcp, rpc
from holdfast.doubting import Doubt
from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller
from holdfast.jsontext import JsonObject
from holdfast.keepalive import keep_alive_for
from holdfast.masking.finding import Masked, counts_of
from holdfast.passage import Watch
from holdfast.policy.holding import HoldRule
from holdfast.stations import Stations, Trail

POST_WAIT_S: Final = 3  # clients of HTTP+SSE give a POST 5 s, and lose their session then


async def approved(
    stations: Stations, trail: Trail, caller: Caller, message: Call, request: HoldRequest, watch: Watch
) -> Grant:
    """The Grant for ``request``, once there is one.

    Args:
        stations: the gateway's stations.
        trail: how far the request has come.
        caller: whose it is.
        message: the Call as it is judged, before masking.
        request: the same, as the desk holds it.
        watch: the proxy's side.

    Raises:
        Refused: the approval was denied, expired, or is pending: then with what brings a modern client back.
    """
    leg = trail.leg
    if leg.digest_hex not in (None, request.digest_hex):
        raise Refused(
            Cause.MALFORMED,
            "the call is not the one that its requestState was given for",
            next_step="Repeat the call without requestState.",
        )
    watch.note({"decision": "hold", "rule": request.rule.id})
    if not trail.on_stream and not legs.can_resume(message):
        trail.signs = keep_alive_for(trail.request, message, trail.version)
        if trail.signs is not None:
            watch.keep_alive(trail.signs)
    try:
        with stations.cancellations.waiting(whose(trail, caller), message.id) as cancelled:
            return await stations.desk.hold(request, watch.gone, cancelled)
    except Refused as refused:
        if refused.cause is not Cause.HOLD_PENDING or not legs.can_resume(message) or stations.desk.is_stopping:
            raise
        raise _with_state(stations, trail, caller, message, request, refused) from None


def _with_state(
    stations: Stations, trail: Trail, caller: Caller, message: Call, request: HoldRequest, refused: Refused
) -> Refused:
    """``refused``, with the result that lets the client come back for another leg where it may."""
    expires_s = request.rule.expires_s
    state = stations.legs.next_state(message, trail.leg, request.digest_hex, caller, expires_s)
    if state is None:
        return refused
    shows = trail.leg.number == 0 and legs.shows_pages(message)
    url = page_url(stations.resource, refused.ticket) if shows and refused.ticket else None
    return Refused(
        refused.cause,
        refused.reason,
        rule=refused.rule,
        next_step=refused.next_step,
        ticket=refused.ticket,
        resume=legs.input_required(state, url),
    )


def hold_request(
    stations: Stations, trail: Trail, caller: Caller, masked: Masked, rule: HoldRule, call_id: str, doubt: Doubt | None
) -> HoldRequest:
    """The Call in ``masked`` as the desk holds it; ``doubt`` is what its definition speaks against it."""
    kept, forward = masked.keep, masked.forward
    if not isinstance(kept, Call) or not isinstance(forward, Call):
        raise TypeError("only a Call can be held")
    shared = trail.base.get("mcp")
    base: JsonObject = {**trail.base, "rpc": rpc(kept)}
    if isinstance(shared, dict):
        base["mcp"] = mcp(shared, kept)
    return HoldRequest(
        call_id=call_id,
        call=kept,
        digest_hex=request_digest_hex(
            stations.request_key,
            trail.server.id,
            forward,
            Around(trail.path, wireheaders.mirrors(trail.request.headers), caller.act, doubt.pin if doubt else ""),
        ),
        caller=caller,
        rule=rule,
        server=trail.server.id,
        counts=masked.counts(),
        base=base,
        path=trail.path,
        notes=doubt.lines if doubt else (),
        restored=counts_of(masked.restored),
        wait_s=_wait_s(trail, forward, rule),
    )


def resumed(stations: Stations, trail: Trail, caller: Caller, body: Body) -> Body:
    """``body`` as it was when it was held, where a client of the modern era comes back for another leg.

    Raises:
        Refused: MALFORMED or HOLD_EXPIRED; see :meth:`holdfast.approval.legs.Legs.resume`.
    """
    message = body.messages[0]
    if body.is_batch or not isinstance(message, Call):
        return body
    call, trail.leg = stations.legs.resume(message, caller)
    return body if call is message else Body((call,), is_batch=False)


def _wait_s(trail: Trail, call: Call, rule: HoldRule) -> int:
    if trail.on_stream:
        return min(rule.wait_s, POST_WAIT_S)
    if not legs.can_resume(call):
        return rule.wait_s
    # The user sees the page about the hold first; the waiting begins when the client comes back.
    return 0 if trail.leg.number == 0 and legs.shows_pages(call) else min(rule.wait_s, legs.LEG_S)


def whose(trail: Trail, caller: Caller) -> str:
    """Within what the ids of Calls are one client's own: the session, else the Caller, at one server."""
    return f"{trail.server.id} {trail.session or f'{caller.iss}|{caller.sub}'}"


def cancel(stations: Stations, trail: Trail, caller: Caller, messages: tuple[Message, ...]) -> None:
    """Take back the held Calls that ``messages`` cancel; their Records are durable."""
    for message in messages:
        if isinstance(message, Call) and message.method == "notifications/cancelled":
            stations.cancellations.cancel(whose(trail, caller), message.member("requestId"))
