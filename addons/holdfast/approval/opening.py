"""Making a Hold out of a held Call: its id, its view, its time."""

import datetime as dt

from holdfast.approval.holds import Hold, HoldRequest, RandomBytes, State, new_id, new_nonce, requester_of
from holdfast.approval.judging import Rules
from holdfast.approval.view import Shown, build_view, view_digest_hex


def new_hold(request: HoldRequest, rules: Rules, now: dt.datetime, random_bytes: RandomBytes) -> Hold:
    """A Hold for ``request`` in state opening.

    Raises:
        Refused: DENIED_BY_RULE, the call is too large to be shown.
    """
    hold_id = new_id(random_bytes)
    expires_at = now + dt.timedelta(seconds=request.rule.expires_s)
    view = build_view(
        Shown(
            hold=hold_id,
            call=request.call,
            digest_hex=request.digest_hex,
            caller=request.caller,
            rule=request.rule,
            server=request.server,
            counts=request.counts,
            opened_at=now,
            expires_at=expires_at,
            rules_digest_hex=rules.digest_hex,
            path=request.path,
            notes=request.notes,
            restored=request.restored,
        )
    )
    return Hold(
        id=hold_id,
        state=State.OPENING,
        call_id=request.call_id,
        requester=requester_of(request.caller),
        digest_hex=request.digest_hex,
        rule=request.rule.id,
        rules_digest_hex=rules.digest_hex,
        server=request.server,
        method=request.call.method,
        name=request.call.name,
        view=view,
        view_digest_hex=view_digest_hex(view),
        nonce=new_nonce(random_bytes),
        opened_at=now,
        expires_at=expires_at,
    )
