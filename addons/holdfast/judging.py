"""The stages between parsing and recording a Call: version, session, access, approval."""

import re
import uuid
from typing import Final

from holdfast import wireheaders
from holdfast.call import (
    BATCH_VERSION,
    HANDSHAKE_VERSIONS,
    MODERN_VERSION,
    Body,
    Call,
    Direction,
    Message,
    Reply,
    version_of,
)
from holdfast.capture import call_draft, reply_draft
from holdfast.capture import outcome as capture_outcome
from holdfast.doubting import Doubt, doubt, settled
from holdfast.errors import Cause, Refused, Specified
from holdfast.held import approved, hold_request
from holdfast.identity.caller import Caller
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft, Use
from holdfast.masking.finding import Masked
from holdfast.meters import now_s, spender_of
from holdfast.passage import Admitted, Watch
from holdfast.policy.access import judge_access
from holdfast.policy.decision import Deny, Hold
from holdfast.policy.holding import judge_approval
from holdfast.policy.scope import Facts
from holdfast.stations import Stations, Trail

UNSUPPORTED_VERSION: Final = -32022  # MCP 2026-07-28, schema: UnsupportedProtocolVersionError
PROBE: Final = "server/discover"  # how a client of the modern era finds out which era a server is of
_VERSION_LIKE: Final = re.compile(r"[A-Za-z0-9.-]{1,32}")  # what may be said back to whoever asked for it


def agree_on_version(trail: Trail, body: Body) -> str:
    """The one protocol version that governs every message of ``body``.

    Raises:
        Refused: an unknown version, a mixed batch, a batch outside 2025-03-26, or headers that contradict the body.
    """
    header = trail.request.header("mcp-protocol-version")
    calls = [message for message in body.messages if isinstance(message, Call)]
    probes = [message.method for message in calls] == [PROBE]
    if probes and trail.on_stream and not wireheaders.mirrors(trail.request.headers):
        # HTTP+SSE has no headers that repeat the body: a client may still ask whether the server knows the modern era.
        return HANDSHAKE_VERSIONS[0]
    versions = {version_of(call, header) for call in calls} or {header or BATCH_VERSION}
    if len(versions) > 1:
        raise Refused(Cause.MALFORMED, "a batch mixes protocol versions")
    for call in calls:
        wireheaders.check_mirrors(trail.request, call)
    version = check_version(versions.pop(), initializes=any(call.method == "initialize" for call in calls))
    if body.is_batch and version != BATCH_VERSION:
        raise Refused(Cause.MALFORMED, f"only protocol version {BATCH_VERSION} has batches")
    if version == MODERN_VERSION and len(calls) < len(body.messages):
        raise Refused(Cause.MALFORMED, "clients of this protocol version send no replies")
    return version


def check_version(version: str, *, initializes: bool = False) -> str:
    """``version``, if the gateway can judge it.

    An `initialize` may offer any version: the server answers with one that it speaks.

    Raises:
        Refused: UNSUPPORTED.
    """
    known = (*HANDSHAKE_VERSIONS, MODERN_VERSION)
    if version in known:
        return version
    if initializes:
        return HANDSHAKE_VERSIONS[-1]
    raise Refused(
        Cause.UNSUPPORTED,
        "the protocol version is not one that the gateway can judge",
        next_step=f"Use one of {', '.join(known)}.",
        specified=Specified(UNSUPPORTED_VERSION, {"supported": [MODERN_VERSION], "requested": _plain(version)}),
    )


def _plain(version: str) -> str:
    return version if _VERSION_LIKE.fullmatch(version) else "unknown"


def enter_session(stations: Stations, trail: Trail, session: str | None, caller: Caller) -> None:
    """Note the session that a request belongs to, if it is the Caller's own.

    Raises:
        Refused: NO_SESSION or FORBIDDEN.
    """
    # In the modern era too, which has no sessions: a server could still read what the request says of one.
    if session is None:
        return
    stations.sessions.check(trail.server.id, session, caller)
    if wireheaders.tells(session, trail.force.masker.keep_text):
        raise Refused(Cause.MALFORMED, "the session id holds a regulated value")
    trail.session = session
    trail.base["sid"] = stations.sessions.digest_hex(trail.server.id, session)


def judge(stations: Stations, trail: Trail, caller: Caller, message: Message, scope: str) -> str:
    """The id of the access rule that lets ``message`` pass; a Reply passes if it answers an open Call.

    Raises:
        Refused: DENIED_BY_RULE, OVER_BUDGET, or MALFORMED for a Reply to nothing.
    """
    if isinstance(message, Reply):
        if stations.open_calls.find(scope, Direction.TO_CLIENT, message.id) is None:
            raise Refused(Cause.MALFORMED, "a reply answers no open call of the server")
        return ""
    if stations.open_calls.find(scope, Direction.TO_SERVER, message.id) is not None:
        # Its Reply could not be told from the other one's.
        raise Refused(
            Cause.MALFORMED, "a call with this id is still open", next_step="Give each call an id of its own."
        )
    decision = judge_access(trail.force.rules.access, message, caller, trail.server.id)
    if isinstance(decision, Deny):
        raise Refused(
            Cause.DENIED_BY_RULE,
            decision.reason,
            rule=decision.rule,
            next_step="Ask whoever keeps the access rules, or do without this call.",
        )
    facts = Facts(message, caller, trail.server.id)
    stations.meters.take(trail.force.rules.budgets, facts, spender_of(trail.base, caller), now_s(stations.clock))
    return decision.rule


async def draft(
    stations: Stations, trail: Trail, caller: Caller, message: Message, masked: Masked, rule: str, watch: Watch
) -> Draft:
    """The Record to be written about ``message``, after a person agreed where an approval rule asks for one.

    Raises:
        Refused: its definition is refused, or the approval was denied, expired, or is pending.
    """
    if isinstance(message, Reply):
        return _client_reply_draft(stations, trail, message, masked)
    call_id = str(uuid.uuid4())
    decision: JsonObject = {"effect": "allow", "rule": rule, "reason": "an access rule allows it"}
    found = await _doubt(stations, trail, message, masked.keep)
    held = judge_approval(
        trail.force.rules.approval,
        message,
        caller,
        trail.server.id,
        masked.findings,
        stations.catalogs.of(trail.server.id).annotations(message.name),
        trusted=found is None,
    )
    held = settled(held, found)
    if not isinstance(held, Hold):
        return _defined(stations, trail, call_draft(trail.base, call_id, masked, trail.force.engine, decision, None))
    request = hold_request(stations, trail, caller, masked, held.rule, call_id, found)
    grant = await approved(stations, trail, caller, message, request, watch)
    decision = {"effect": "allow", "rule": held.rule.id, "reason": "a person approved it"}
    # Identity and session were judged when the call came; it goes out now.
    if stations.clock.now_at() > caller.expires_at:
        raise Refused(Cause.UNAUTHENTICATED, "the credential expired while the call was held")
    if trail.session is not None:
        stations.sessions.check(trail.server.id, trail.session, caller)
    written = call_draft(
        trail.base, call_id, masked, trail.force.engine, decision, Use(grant.approval_id, grant.use_no)
    )
    written.body["appr"] = {
        "id": grant.approval_id,
        "use": grant.use_no,
        "request": request.digest_hex,
        "by": grant.by,
    }
    written.body["ref"] = [grant.record_index]
    return _defined(stations, trail, written)


async def _doubt(stations: Stations, trail: Trail, message: Call, kept: Message) -> Doubt | None:
    if not isinstance(kept, Call):
        raise TypeError("a Call is masked to a Call")
    return await doubt(stations, trail.force.rules, trail.server.id, message, kept)


def _defined(stations: Stations, trail: Trail, draft: Draft) -> Draft:
    """``draft``, with what the tool was described as when it was called."""
    shared, rpc_member = draft.body.get("mcp"), draft.body.get("rpc")
    if not isinstance(shared, dict) or not isinstance(rpc_member, dict) or rpc_member.get("method") != "tools/call":
        return draft
    digest_hex = stations.catalogs.of(trail.server.id).definition(str(shared.get("name")))
    if digest_hex is not None:
        draft.body["mcp"] = {**shared, "definition": digest_hex}
    return draft


def _client_reply_draft(stations: Stations, trail: Trail, message: Reply, masked: Masked) -> Draft:
    scope = trail.scope
    asked = stations.open_calls.find(scope, Direction.TO_CLIENT, message.id)
    if asked is None:
        raise Refused(Cause.MALFORMED, "a reply answers no open call of the server")
    stations.open_calls.close(scope, asked)
    result = reply_outcome(stations, message, asked)
    return reply_draft(trail.base, asked, masked, trail.force.engine, result, None)


def reply_outcome(stations: Stations, reply: Reply, answered: Admitted) -> JsonObject:
    """The member ``out`` of the Record about ``reply``."""
    code: str | int = "ok"
    if reply.error is not None:
        stated = reply.error.get("code")
        code = stated if isinstance(stated, int) else "error"
    elif reply.is_error:
        code = "tool_error"
    elapsed_ns = stations.clock.monotonic_ns() - answered.at_ns
    return capture_outcome(ok=not reply.is_error, code=code, elapsed_ns=elapsed_ns)
