"""From a refusal to the bytes that a client of its era understands, and survives.

Measured on MCP clients: a policy refusal is HTTP 200, since some clients lose their whole session on any 4xx
or 5xx; 401 and 403 are for identity alone, 503 for a gateway that cannot do its duty.
"""

from typing import Final, assert_never

from holdfast import jsontext
from holdfast.call import Body, Call, Id, is_modern
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Headers
from holdfast.jsontext import Json, JsonObject

# JSON-RPC reserves -32768..-32000 and MCP -32020..-32099 of it; a gateway's own codes lie outside.
_CODES: Final = {
    Cause.UNAUTHENTICATED: -31001,
    Cause.FORBIDDEN: -31002,
    Cause.MALFORMED: -31003,
    Cause.UNSUPPORTED: -31004,
    Cause.TOO_LARGE: -31005,
    Cause.NO_SESSION: -31006,
    Cause.NOT_FOUND: -31007,
    Cause.DENIED_BY_RULE: -31010,
    Cause.DENIED_BY_APPROVER: -31011,
    Cause.HOLD_EXPIRED: -31012,
    Cause.HOLD_PENDING: -31013,
    Cause.OVER_BUDGET: -31014,
    Cause.SERVER_FAULT: -31020,
    Cause.UNAVAILABLE: -31030,
}


def status_of(refused: Refused) -> int:
    """The HTTP status that carries ``refused``."""
    return 400 if refused.specified is not None else _status_of(refused.cause)


def _status_of(cause: Cause) -> int:
    match cause:
        case Cause.UNAUTHENTICATED:
            return 401
        case Cause.FORBIDDEN:
            return 403
        case Cause.MALFORMED:
            return 400
        case Cause.UNSUPPORTED:
            return 415
        case Cause.TOO_LARGE:
            return 413
        case Cause.NO_SESSION | Cause.NOT_FOUND:
            return 404
        case Cause.SERVER_FAULT:
            return 502
        case Cause.UNAVAILABLE:
            return 503
        case (
            Cause.DENIED_BY_RULE
            | Cause.DENIED_BY_APPROVER
            | Cause.HOLD_EXPIRED
            | Cause.HOLD_PENDING
            | Cause.OVER_BUDGET
        ):
            return 200
        case _ as never:
            assert_never(never)


def sentence(refused: Refused) -> str:
    """What a person or a model reads: what happened, by which rule, what to do next."""
    parts = [f"Holdfast refused this: {refused.reason.rstrip('.')}."]
    if refused.rule:
        parts.append(f"Rule: {refused.rule}.")
    if refused.ticket:
        parts.append(f"Ticket: {refused.ticket}.")
    if refused.next_step:
        parts.append(refused.next_step)
    return " ".join(parts)


def refusal(refused: Refused, body: Body | None, headers: Headers = ()) -> Answer:
    """The answer to a request of which ``body`` is as much as was understood."""
    status = status_of(refused)
    calls = [message for message in body.messages if isinstance(message, Call)] if body else []
    asked = [call for call in calls if call.id is not None]
    if status == 200 and body is None:  # noqa: PLR2004 -- HTTP 200
        status = 403  # a stream, or the end of a session: there is no message that could carry the refusal
    if status == 200 and not asked:  # noqa: PLR2004 -- HTTP 200
        # Nobody waits for an answer to a notification; an error status would only break the transport.
        return Answer(202, headers, b"")
    if status == 200 and body:  # noqa: PLR2004 -- HTTP 200
        replies: list[Json] = [reply_to(refused, call) for call in asked]
        data = jsontext.wire(replies if body.is_batch else replies[0])
    else:
        errors: list[Json] = [_error(refused, call.id, modern=is_modern(call)) for call in asked]
        alone = errors[0] if errors else _error(refused, None, modern=False)
        # Where an event stream carries it, there is no status that would tell a client that all of its calls failed.
        data = jsontext.wire(errors if body and body.is_batch and errors else alone)
    return Answer(status, (("content-type", "application/json"), *headers), data)


def reply_to(refused: Refused, call: Call) -> JsonObject:
    """The JSON-RPC message that tells a client what became of ``call``."""
    if refused.resume is not None:
        return {"jsonrpc": "2.0", "id": call.id, "result": refused.resume}
    if call.method != "tools/call":
        return _error(refused, call.id)
    result: JsonObject = {"content": [{"type": "text", "text": sentence(refused)}], "isError": True}
    if is_modern(call):
        result["resultType"] = "complete"  # MCP 2026-07-28: required on every result
    return {"jsonrpc": "2.0", "id": call.id, "result": result}


def _error(refused: Refused, call_id: Id | None, *, modern: bool = False) -> JsonObject:
    code = _CODES[refused.cause]
    data: JsonObject = {"cause": refused.cause.value}
    if refused.specified is not None and modern:
        code, data = refused.specified.code, data | refused.specified.data
    if refused.rule:
        data["rule"] = refused.rule
    if refused.ticket:
        data["ticket"] = refused.ticket
    error: JsonObject = {"code": code, "message": sentence(refused), "data": data}
    return {"jsonrpc": "2.0", "id": call_id, "error": error}
