"""Who may decide, and which decisions the desk does not accept."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from tests.approval.doubles import (
    AGENT,
    ISSUER,
    RULE,
    SOURCE,
    World,
    approver_of,
    caller_of,
    key_of,
    request_of,
    with_rule,
)
from tests.approval.rejecting import opened, rejection

from holdfast.approval.dsse import parse_envelope
from holdfast.approval.keys import sign_statement, signer_of
from holdfast.errors import Cause, Refused


async def test_nobody_approves_a_call_of_their_own(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(RULE, approver_of("alice", sub=AGENT.sub)))
    await world.desk.start()
    hold_id = await opened(world)
    rejected = await rejection(world.approve(hold_id), world)
    assert (rejected.cause, rejected.approver) == (Cause.FORBIDDEN, "alice")
    assert "of their own" in rejected.reason
    assert world.ledger.bodies("refused")[-1]["appr"] == {
        "id": hold_id,
        "request": request_of().digest_hex,
        "by": "alice",
    }
    await world.close()


async def test_nobody_approves_what_an_agent_asks_in_their_name(world: World) -> None:
    acting = caller_of("agent", act=(f"{ISSUER}|dana",))
    world.call(request_of(caller=acting))
    (hold_id,) = await world.waiting()
    world.tokens.callers["t"] = caller_of("dana", groups=("security",))
    rejected = await rejection(world.by_token(hold_id, "t"), world)
    assert "of their own" in rejected.reason


async def test_an_approver_needs_a_group_that_the_rule_names(world: World) -> None:
    hold_id = await opened(world)
    rejected = await rejection(world.approve(hold_id, "mallory"), world)
    assert rejected.cause is Cause.FORBIDDEN
    assert "group security" in rejected.reason
    await rejection(world.deny(hold_id, "mallory"), world)
    assert await world.waiting() == [hold_id]


async def test_a_rule_may_name_approvers_one_by_one(tmp_path: Path) -> None:
    rule = dataclasses.replace(RULE, approver_groups=(), approver_ids=("bob",))
    world = World(tmp_path, rules=with_rule(rule))
    await world.desk.start()
    call = world.call(request_of(rule=rule))
    (hold_id,) = await world.waiting()
    await rejection(world.approve(hold_id, "alice"), world)
    await world.approve(hold_id, "bob")
    assert (await call).by == "bob"
    await world.close()


async def test_a_signature_of_another_key_is_not_accepted(world: World) -> None:
    hold_id = await opened(world)
    statement = world.statement(hold_id, "alice")
    rejected = await rejection(world.sign(statement, signer_of(key_of("thief"))), world)
    assert rejected.cause is Cause.UNAUTHENTICATED
    assert "by" not in str(world.ledger.bodies("refused")[-1]["appr"])


async def test_an_approver_without_an_enrolled_key_cannot_sign(world: World) -> None:
    hold_id = await opened(world)
    statement = dataclasses.replace(world.statement(hold_id, "alice"), approver="stranger")
    rejected = await rejection(world.sign(statement, signer_of(key_of("stranger"))), world)
    assert rejected.cause is Cause.UNAUTHENTICATED


async def test_a_tampered_statement_is_not_accepted(world: World) -> None:
    hold_id = await opened(world)
    envelope = parse_envelope(sign_statement(world.statement(hold_id, "alice", "deny"), signer_of(key_of("alice"))))
    forged = dataclasses.replace(envelope, payload=envelope.payload.replace(b'"deny"', b'"approve"'))
    attempt = world.decisions.decide_signed(hold_id, forged.to_bytes(), SOURCE)
    assert (await rejection(attempt, world)).cause is Cause.UNAUTHENTICATED


@pytest.mark.parametrize(
    "change",
    [
        {"request_digest_hex": "00" * 32},
        {"view_digest_hex": "00" * 32},
        {"requester": (ISSUER, "somebody")},
        {"rule": "harmless"},
        {"rules_digest_hex": "00" * 32},
        {"nonce": "00" * 16},
        {"expires_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_statement_about_anything_else_is_not_accepted(world: World, change: dict[str, str]) -> None:
    hold_id = await opened(world)
    statement = dataclasses.replace(world.statement(hold_id, "alice"), **change)  # type: ignore[arg-type] # one member each
    rejected = await rejection(world.sign(statement, signer_of(key_of("alice"))), world)
    assert rejected.cause is Cause.FORBIDDEN
    assert "not about this hold" in rejected.reason


async def test_a_statement_for_another_hold_is_not_accepted(world: World) -> None:
    first = await opened(world)
    world.call(request_of(caller=caller_of("b"), number=2))
    second = next(one for one in await world.waiting(2) if one != first)
    statement = world.statement(first, "alice")
    rejected = await rejection(world.sign(statement, signer_of(key_of("alice")), second), world)
    assert "not about this hold" in rejected.reason
    assert len(await world.waiting(2)) == 2


async def test_a_statement_cannot_be_used_twice(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    envelope = sign_statement(world.statement(hold_id, "alice"), signer_of(key_of("alice")))
    await world.decisions.decide_signed(hold_id, envelope, SOURCE)
    await call
    rejected = await rejection(world.decisions.decide_signed(hold_id, envelope, SOURCE), world)
    assert "used already" in rejected.reason
    fresh = await opened(world)
    await rejection(world.decisions.decide_signed(fresh, envelope, SOURCE), world)


async def test_a_statement_that_was_kept_for_later_is_not_accepted(world: World) -> None:
    hold_id = await opened(world)
    statement = world.statement(hold_id, "alice")
    world.clock.advance(121)
    rejected = await rejection(world.sign(statement, signer_of(key_of("alice"))), world)
    assert "121 s ago" in rejected.reason
    early = dataclasses.replace(statement, not_before_at=statement.not_before_at + dt.timedelta(hours=1))
    await rejection(world.sign(early, signer_of(key_of("alice"))), world)


async def test_an_expired_hold_takes_no_decision(world: World) -> None:
    hold_id = await opened(world)
    statement = world.statement(hold_id, "alice")
    world.clock.advance(RULE.expires_s)
    rejected = await rejection(world.sign(statement, signer_of(key_of("alice"))), world)
    assert "expired already: nobody decided in time" in rejected.reason


async def test_a_hold_of_older_rules_takes_no_decision(world: World) -> None:
    hold_id = await opened(world)
    statement = world.statement(hold_id, "alice")
    world.rules = dataclasses.replace(world.rules, digest_hex="cd" * 32)
    rejected = await rejection(world.sign(statement, signer_of(key_of("alice"))), world)
    assert "the rules changed" in rejected.reason


async def test_a_decision_about_no_hold_is_recorded_too(world: World) -> None:
    hold_id = await opened(world)
    statement = world.statement(hold_id, "alice")
    rejected = await rejection(world.sign(statement, signer_of(key_of("alice")), "H-AAAAAAAAAA"), world)
    assert "no such hold" in rejected.reason
    await rejection(world.decisions.decide_signed(hold_id, b"{}", SOURCE), world)


async def test_a_reason_is_asked_for_where_the_rule_wants_one(tmp_path: Path) -> None:
    rule = dataclasses.replace(RULE, reason_required=True)
    world = World(tmp_path, rules=with_rule(rule))
    await world.desk.start()
    call = world.call(request_of(rule=rule))
    (hold_id,) = await world.waiting()
    await rejection(world.approve(hold_id, reason=" "), world)
    await world.approve(hold_id, reason="quarterly audit")
    await call
    await world.close()


async def test_a_reason_that_holds_a_card_number_is_kept_nowhere(world: World) -> None:
    hold_id = await opened(world)
    rejected = await rejection(world.approve(hold_id, reason="for card 4111111111111111"), world)
    assert "masking removes" in rejected.reason
    kept = repr([(draft.body, draft.payloads) for draft in world.ledger.drafts])
    assert "4111" not in kept
    assert all(b"4111" not in payload.data for draft in world.ledger.drafts for payload in draft.payloads.values())


async def test_an_approver_who_joins_the_callers_chain_later_does_not_count(tmp_path: Path) -> None:
    at_once = dataclasses.replace(RULE, wait_s=0)
    world = World(tmp_path, rules=with_rule(at_once, approver_of("alice", sub="alice")))
    await world.desk.start()
    with pytest.raises(Refused):
        await world.call(request_of(rule=at_once))
    (hold_id,) = await world.waiting()
    await world.approve(hold_id)
    behind = dataclasses.replace(AGENT, act=(f"{ISSUER}|alice",))
    with pytest.raises(Refused):
        await world.call(request_of(rule=at_once, caller=behind, number=2))
    await world.close()
