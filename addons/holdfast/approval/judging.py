"""Judging a decision: is it about this Hold, in time, by one who may, and does what was granted still hold?

Nothing here waits, records or changes anything: each function returns what it accepts, or raises.
"""

import dataclasses
import datetime as dt
import hmac
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from holdfast.approval.approvers import (
    Decider,
    Rejected,
    by_statement,
    check_distinct,
    check_may_decide,
    check_not_requester,
    enrolled,
)
from holdfast.approval.dsse import parse_envelope
from holdfast.approval.holds import Decided, Hold, HoldRequest, requester_of
from holdfast.approval.statement import Choice, Statement, parse_statement, verify_statement
from holdfast.errors import ApprovalError, Cause
from holdfast.ledger.signatures import verify_signature
from holdfast.policy.approvers import Approver
from holdfast.policy.holding import ApprovalRules, HoldRule

FRESH_S: Final = 120  # from seeing the template to sending the signature: time for a slow hand, not for a stored one


class Rules(Protocol):
    """What the desk needs of a Ruleset."""

    @property
    def digest_hex(self) -> str:
        """The digest that Records name."""

    @property
    def approval(self) -> ApprovalRules:
        """Which calls are held, and who approves."""


@dataclasses.dataclass(frozen=True, slots=True)
class Accepted:
    """A decision that passed every check, with the envelope that proves it."""

    statement: Statement
    decider: Decider
    envelope: bytes


def rule_of(rules: Rules, rule_id: str) -> HoldRule | None:
    """The hold rule with that id, or None."""
    return next((rule for rule in rules.approval.rules if rule.id == rule_id), None)


def template(hold: Hold, rule: HoldRule, now: dt.datetime) -> Callable[[Choice, str, str, str | None], Statement]:
    """A maker of statements about ``hold``: ``make(decision, approver id, reason, token digest)``."""

    def make(decision: Choice, approver: str, reason: str, token_digest_hex: str | None) -> Statement:
        return Statement(
            hold=hold.id,
            decision=decision,
            request_digest_hex=hold.digest_hex,
            view_digest_hex=hold.view_digest_hex,
            requester=hold.requester.key,
            rule=hold.rule,
            rules_digest_hex=hold.rules_digest_hex,
            approver=approver,
            reason=reason,
            not_before_at=now,
            expires_at=_expires_at(hold, rule),
            nonce=hold.nonce,
            token_digest_hex=token_digest_hex,
        )

    return make


def open_signed(envelope: bytes, approvers: Sequence[Approver]) -> tuple[Statement, Decider]:
    """The statement in ``envelope`` and the enrolled approver whose key signed it.

    Raises:
        Rejected: MALFORMED, or UNAUTHENTICATED when no enrolled key signed it.
    """
    try:
        claimed = parse_statement(parse_envelope(envelope).payload)
    except ApprovalError as error:
        raise Rejected(Cause.MALFORMED, str(error)) from None
    decider = enrolled(approvers, claimed.approver)
    if decider is None or decider.public is None:
        raise Rejected(Cause.UNAUTHENTICATED, "no approver of that id is enrolled with a key")
    if claimed.token_digest_hex is not None:
        raise Rejected(Cause.MALFORMED, "a statement signed by an approver names no token")
    try:
        return verify_statement(envelope, decider.public, verify_signature), decider
    except ApprovalError as error:
        raise Rejected(Cause.UNAUTHENTICATED, str(error)) from None


def check_statement(statement: Statement, hold: Hold, rule: HoldRule, now: dt.datetime) -> None:
    """Return if ``statement`` is about exactly this Hold, and was made just now.

    Raises:
        Rejected: another hold, request, view, requester, rule, ruleset or nonce; or prepared too long ago.
    """
    expected = template(hold, rule, statement.not_before_at)(
        statement.decision, statement.approver, statement.reason, statement.token_digest_hex
    )
    if not hmac.compare_digest(statement.to_bytes(), expected.to_bytes()):
        wrong = ", ".join(_differences(statement, expected))
        raise Rejected(Cause.FORBIDDEN, f"the statement is not about this hold: {wrong} differs")
    age_s = (now - statement.not_before_at).total_seconds()
    if not 0 <= age_s <= FRESH_S:
        raise Rejected(Cause.FORBIDDEN, f"the statement was prepared {age_s:.0f} s ago, not within {FRESH_S} s")


def check_decider(decider: Decider, statement: Statement, hold: Hold, rule: HoldRule, rules: Rules) -> None:
    """Return if ``decider`` may make this decision about ``hold``.

    Raises:
        Rejected: the requester, not named by the rule, or one who has approved already.
    """
    check_not_requester(decider, hold.requester)
    check_may_decide(decider, rule)
    if statement.decision == "approve":
        check_distinct(decider, [by_statement(rules.approval.approvers, one.approver) for one in hold.approvals])


def check_grant(
    hold: Hold, request: HoldRequest, rules: Rules, gateway_public: bytes, now: dt.datetime
) -> tuple[str, ...]:
    """The ids of the approvers whose signed statements let ``request`` go out now.

    Every statement is opened and verified anew, against the Call that is about to go out and not against what the
    desk remembers of it.

    Raises:
        ApprovalError: a statement does not verify or is about something else, too few of them, or too late.
    """
    deciders: list[Decider] = []
    granted_at = hold.opened_at
    for decided in hold.approvals:
        statement, decider = _reopened(decided, rules, gateway_public)
        _check_covers(statement, hold, request, rules)
        check_not_requester(decider, hold.requester)
        check_not_requester(decider, requester_of(request.caller))
        check_distinct(decider, deciders)
        if statement.assurance == "signature":
            check_may_decide(decider, request.rule)
        deciders.append(decider)
        granted_at = max(granted_at, statement.not_before_at)
        if now > statement.expires_at:
            raise ApprovalError("the approval has expired")
    if len(deciders) < request.rule.approvals_needed:
        raise ApprovalError(f"{len(deciders)} approvals of {request.rule.approvals_needed}")
    if now > granted_at + dt.timedelta(seconds=request.rule.use_s):
        raise ApprovalError("the approval was not used in time")
    return tuple(decider.id for decider in deciders)


def use_by_at(hold: Hold, rule: HoldRule) -> dt.datetime:
    """Until when a granted Hold can be used: ``use_s`` after the last approval was prepared."""
    prepared = [parse_statement(parse_envelope(one.envelope).payload).not_before_at for one in hold.approvals]
    return max(prepared, default=hold.opened_at) + dt.timedelta(seconds=rule.use_s)


def _reopened(decided: Decided, rules: Rules, gateway_public: bytes) -> tuple[Statement, Decider]:
    if decided.assurance == "signature":
        return open_signed(decided.envelope, rules.approval.approvers)
    statement = verify_statement(decided.envelope, gateway_public, verify_signature)
    if statement.token_digest_hex is None:
        raise ApprovalError("a statement that the gateway signed names no token")
    return statement, by_statement(rules.approval.approvers, statement.approver)


def _check_covers(statement: Statement, hold: Hold, request: HoldRequest, rules: Rules) -> None:
    facts = (
        (statement.hold, hold.id),
        (statement.decision, "approve"),
        (statement.request_digest_hex, request.digest_hex),
        (statement.requester, request.caller.key),
        (statement.rule, request.rule.id),
        (statement.rules_digest_hex, rules.digest_hex),
        (statement.nonce, hold.nonce),
    )
    if any(stated != actual for stated, actual in facts):
        raise ApprovalError("a signed statement is about something else")


def _expires_at(hold: Hold, rule: HoldRule) -> dt.datetime:
    return hold.expires_at + dt.timedelta(seconds=rule.use_s)


def _differences(statement: Statement, expected: Statement) -> list[str]:
    stated, wanted = statement.to_json(), expected.to_json()
    return [name for name in wanted if stated.get(name) != wanted[name]]
