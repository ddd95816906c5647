"""Decisions about Holds: what approvers see, and what happens when they say yes or no.

A decision is judged whole, then recorded, then takes effect. One that is not accepted is recorded too, and changes
nothing.
"""

import base64
import hmac
from collections.abc import Callable
from typing import Protocol

from holdfast.approval.approvers import Rejected, by_token, enrolled_by_key
from holdfast.approval.board import Board, Place
from holdfast.approval.endings import Endings
from holdfast.approval.holds import Decided, Hold, State
from holdfast.approval.judging import Accepted, Rules, check_decider, check_statement, open_signed, rule_of, template
from holdfast.approval.keys import Signs, sign_statement
from holdfast.approval.records import approval_draft, closed_draft, refused_draft
from holdfast.approval.statement import REASON_CHARS_MAX, Choice
from holdfast.clock import Clock, utc_text
from holdfast.errors import Cause, MaskingError, Refused
from holdfast.identity.caller import Caller
from holdfast.jsontext import JsonObject
from holdfast.policy.holding import HoldRule


class IdentifiesTokens(Protocol):
    """What the desk needs of identity."""

    async def identify_token(self, token: str, audience: str | None = None) -> Caller:
        """Who the token speaks for. Raises Refused."""


class Decisions:
    """The approver's side of the desk. ``source`` is where a decision came from, as in :func:`approval_draft`."""

    def __init__(
        self,
        board: Board,
        endings: Endings,
        rules: Callable[[], Rules],
        identifier: Callable[[], IdentifiesTokens],
        *,
        request_key: bytes,
        clock: Clock,
        signer: Signs,
        keep_text: Callable[[str], str],
    ) -> None:
        self._board = board
        self._endings = endings
        self._rules = rules
        self._identifier = identifier
        self._request_key = request_key
        self._clock = clock
        self._signer = signer
        self._keep_text = keep_text

    def listing(self) -> list[JsonObject]:
        """The Holds that can be decided now, oldest first: see :meth:`show` for the members."""
        return [self._summary(place.hold) for place in self._board.places() if place.hold.state.is_undecided]

    def show(self, prefix: str, public: bytes | None = None) -> JsonObject:
        """One Hold: ``hold`` (a summary), ``view`` (text), ``statement`` (to be completed and signed), ``approver``.

        Args:
            prefix: the id of the Hold, or an unambiguous beginning of it.
            public: the raw Ed25519 key of who asks; ``approver`` is the id it is enrolled as.

        Raises:
            Rejected: there is no such Hold, or more than one.
        """
        hold = self._only(prefix).hold
        rules = self._rules()
        rule = rule_of(rules, hold.rule)
        answer: JsonObject = {"hold": self._summary(hold), "view": None, "statement": None, "approver": None}
        if rule is None or not hold.state.is_undecided:
            return answer
        decider = None if public is None else enrolled_by_key(rules.approval.approvers, public)
        approver = "" if decider is None else decider.id
        statement = template(hold, rule, self._clock.now_at())("approve", approver, "", None)
        return answer | {
            "view": hold.view.decode("utf-8"),
            "statement": statement.to_json(),
            "approver": approver or None,
            "reason_required": rule.reason_required,
        }

    async def decide_signed(self, hold_id: str, envelope: bytes, source: str) -> JsonObject:
        """Take a decision that an approver's own key signed: a DSSE envelope as canonical JSON.

        Raises:
            Rejected: the decision is not accepted; recorded as ``refused``.
            LedgerError: it cannot be recorded, so it has no effect.
        """

        def judge(hold: Hold, rule: HoldRule) -> Accepted:
            statement, decider = open_signed(envelope, self._rules().approval.approvers)
            try:
                check_statement(statement, hold, rule, self._clock.now_at())
            except Rejected as rejected:
                raise Rejected(rejected.cause, rejected.reason, approver=decider.id) from None
            return Accepted(statement, decider, envelope)

        return await self._decide(hold_id, envelope, source, judge)

    async def decide_by_token(
        self, hold_id: str, token: str, choice: Choice, reason: str, *, view_digest_hex: str, source: str
    ) -> JsonObject:
        """Take a decision of an approver who proves identity by a token; the gateway signs that it did.

        Args:
            hold_id: the Hold, in full.
            token: the approver's own access token.
            choice: yes or no.
            reason: in the approver's words.
            view_digest_hex: SHA-256 of the view that the approver was shown.
            source: where this came from.

        Raises:
            Rejected: the decision is not accepted; recorded as ``refused``.
            LedgerError: it cannot be recorded, so it has no effect.
        """
        attempt = f"{hold_id}\0{token}\0{choice}\0{reason}\0{view_digest_hex}".encode("utf-8", "replace")
        try:
            # Before the lock: keys may have to be fetched, and no held call shall wait for that.
            caller = await self._identifier().identify_token(token)
        except Refused as refused:
            rejected = Rejected(refused.cause, refused.reason)
            await self._record(self._place(hold_id), rejected, attempt, source)
            raise rejected from None

        def judge(hold: Hold, rule: HoldRule) -> Accepted:
            decider = by_token(self._rules().approval.approvers, caller)
            if not hmac.compare_digest(
                view_digest_hex.encode("utf-8", "replace"), hold.view_digest_hex.encode("ascii")
            ):
                raise Rejected(Cause.FORBIDDEN, "the view that was shown is not this hold's", approver=decider.id)
            if len(reason) > REASON_CHARS_MAX:
                raise Rejected(Cause.MALFORMED, f"the reason has more than {REASON_CHARS_MAX} characters")
            make = template(hold, rule, self._clock.now_at())
            statement = make(choice, decider.id, reason, caller.token_digest_hex)
            return Accepted(statement, decider, sign_statement(statement, self._signer))

        return await self._decide(hold_id, attempt, source, judge)

    async def _decide(
        self, hold_id: str, attempt: bytes, source: str, judge: Callable[[Hold, HoldRule], Accepted]
    ) -> JsonObject:
        place = self._place(hold_id)
        if place is None:
            rejected = Rejected(Cause.FORBIDDEN, "there is no such hold here")
            await self._record(None, rejected, attempt, source)
            raise rejected
        try:
            async with place.lock:
                rule = await self._undecided(place)
                accepted = judge(place.hold, rule)
                self._check(accepted, place.hold, rule)
                await self._take(place, rule, accepted, source)
                return self._summary(place.hold) | {"approver": accepted.decider.id}
        except Rejected as rejected:
            await self._record(place, rejected, attempt, source)
            raise

    async def _undecided(self, place: Place) -> HoldRule:
        await self._endings.end_if_over(place)
        rule = rule_of(self._rules(), place.hold.rule)
        if rule is None or not place.hold.state.is_undecided:
            note = f": {place.hold.note}" if place.hold.note else ""
            raise Rejected(Cause.FORBIDDEN, f"the hold is {place.hold.state.value} already{note}")
        return rule

    def _check(self, accepted: Accepted, hold: Hold, rule: HoldRule) -> None:
        statement, decider = accepted.statement, accepted.decider
        check_decider(decider, statement, hold, rule, self._rules())
        if rule.reason_required and not statement.reason.strip():
            raise Rejected(Cause.MALFORMED, f"rule {rule.id} asks for a reason", approver=decider.id)
        try:
            kept = self._keep_text(statement.reason)
        except MaskingError:
            raise Rejected(Cause.UNAVAILABLE, "the reason cannot be masked now", approver=decider.id) from None
        # The reason is signed and kept as it is, so it must not hold what Records may not.
        if kept != statement.reason:
            raise Rejected(
                Cause.MALFORMED, "the reason holds what masking removes; write it without", approver=decider.id
            )

    async def _take(self, place: Place, rule: HoldRule, accepted: Accepted, source: str) -> None:
        hold, statement = place.hold, accepted.statement
        drafts = [approval_draft(hold, accepted, source)]
        if statement.decision == "deny":
            drafts.append(closed_draft(hold, "denied", statement.reason))
        receipts = await self._board.append(*drafts)
        # From here on the decision is durable; only now may the waiting call learn of it.
        decided = Decided(
            accepted.decider.id, statement.decision, statement.assurance, accepted.envelope, receipts[0].index
        )
        await self._board.put(place, _after(hold.decided(decided), rule, statement.decision, statement.reason))

    async def _record(self, place: Place | None, rejected: Rejected, attempt: bytes, source: str) -> None:
        hold = None if place is None else place.hold
        await self._board.append(refused_draft(hold, rejected, self._request_key, attempt, source))

    def _place(self, hold_id: str) -> Place | None:
        return next((place for place in self._board.find(hold_id) if place.hold.id == hold_id), None)

    def _only(self, prefix: str) -> Place:
        found = self._board.find(prefix.upper()) if prefix else []
        undecided = [place for place in found if place.hold.state.is_undecided]
        match undecided or found:
            case [place]:
                return place
            case []:
                raise Rejected(Cause.FORBIDDEN, "there is no such hold here; `list` shows those that wait")
            case places:
                raise Rejected(Cause.FORBIDDEN, f"{len(places)} holds begin like that; give more of the id")

    def _summary(self, hold: Hold) -> JsonObject:
        rule = rule_of(self._rules(), hold.rule)
        now = self._clock.now_at()
        return {
            "id": hold.id,
            "state": hold.state.value,
            "note": hold.note,
            "opened": utc_text(hold.opened_at),
            "expires": utc_text(hold.expires_at),
            "age_s": int((now - hold.opened_at).total_seconds()),
            "left_s": max(0, int((hold.expires_at - now).total_seconds())),
            "caller": {"iss": hold.requester.iss, "sub": hold.requester.sub, "name": hold.requester.name},
            "server": hold.server,
            "method": hold.method,
            "name": hold.name,
            "rule": hold.rule,
            "request": hold.digest_hex,
            "approvals": len(hold.approvals),
            "approvals_needed": None if rule is None else rule.approvals_needed,
        }


def _after(hold: Hold, rule: HoldRule, choice: Choice, reason: str) -> Hold:
    if choice == "deny":
        return hold.moved(State.DENIED, reason)
    return hold.moved(State.GRANTED) if len(hold.approvals) >= rule.approvals_needed else hold


def public_from_text(text: str) -> bytes | None:
    """The raw key that base64 ``text`` spells, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
