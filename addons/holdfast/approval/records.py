"""The Records of the desk: a Hold opened, decided, refused a decision, closed."""

import hashlib
import hmac
from typing import Final, Protocol

from holdfast.approval.approvers import Rejected
from holdfast.approval.dsse import MEDIA_TYPE
from holdfast.approval.holds import Hold, HoldRequest
from holdfast.approval.judging import Accepted
from holdfast.clock import utc_text
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft, Payload, Receipt

VIEW_MEDIA_TYPE: Final = "text/plain; charset=utf-8"
_ATTEMPT_DOMAIN: Final = b"holdfast/decision/v1\0"


class Appends(Protocol):
    """What the desk needs of the ledger: Records that are durable when ``append`` returns."""

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """Append all of ``drafts`` in one transaction. Raises LedgerError."""


def opened_draft(request: HoldRequest, hold: Hold) -> Draft:
    """``hold.opened``: what is held, by which rule, and the view that approvers will see."""
    body: JsonObject = request.base | {
        "call": request.call_id,
        "appr": {"id": hold.id, "request": hold.digest_hex},
        "dec": {"effect": "hold", "rule": request.rule.id, "reason": request.rule.description},
        "rules": hold.rules_digest_hex,
        "expires": utc_text(hold.expires_at),
    }
    mask = body.get("mask")
    if isinstance(mask, dict):
        counts: JsonObject = dict(request.counts)
        body["mask"] = mask | {"counts": counts}
    return Draft("hold.opened", body, {"view": Payload(VIEW_MEDIA_TYPE, hold.view)}, None)


def approval_draft(hold: Hold, accepted: Accepted, source: str) -> Draft:
    """``approval``: an accepted decision, with its signed statement.

    ``source`` is where it came from: ``unix:uid=1000`` for a process of that user at the desk's socket.
    """
    statement = accepted.statement
    body: JsonObject = {
        "call": hold.call_id,
        "ref": [hold.opened_index],
        "appr": {"id": hold.id, "request": hold.digest_hex, "by": accepted.decider.id},
        "decision": statement.decision,
        "reason": statement.reason,
        "assurance": statement.assurance,
        "approver": accepted.decider.to_json(),
        "rules": hold.rules_digest_hex,
        "src": {"ip": source},
    }
    return Draft("approval", body, {"statement": Payload(MEDIA_TYPE, accepted.envelope)}, None)


def closed_draft(hold: Hold, outcome: str, reason: str, call_id: str | None = None) -> Draft:
    """``hold.closed``: how the wait of one call (``call_id``, else the first) ended.

    ``pending`` and ``interrupted`` end a wait and leave the Hold open to a decision; every other outcome is final.
    """
    ref: list[Json] = [
        index for index in (hold.opened_index, *(one.record_index for one in hold.decisions)) if index >= 0
    ]
    body: JsonObject = {
        "call": call_id or hold.call_id,
        "ref": ref,
        "appr": {"id": hold.id, "request": hold.digest_hex},
        "outcome": outcome,
        "reason": reason,
    }
    return Draft("hold.closed", body, {}, None)


def refused_draft(hold: Hold | None, rejected: Rejected, key: bytes, attempt: bytes, source: str) -> Draft:
    """``refused``: a decision that was not accepted; of what was sent only its size and keyed digest are kept."""
    body: JsonObject = {
        "cause": rejected.cause.value,
        "reason": rejected.reason,
        "rule": None if hold is None else hold.rule,
        "bytes": len(attempt),
        "digest": hmac.new(key, _ATTEMPT_DOMAIN + attempt, hashlib.sha256).hexdigest(),
        "src": {"ip": source},
    }
    if hold is not None:
        appr: JsonObject = {"id": hold.id, "request": hold.digest_hex}
        body |= {"call": hold.call_id, "ref": [hold.opened_index], "appr": appr}
        if rejected.approver is not None:
            appr["by"] = rejected.approver
    return Draft("refused", body, {}, None)
