"""Approvers who come with a token, and rules that need more than one approver."""

import dataclasses
from pathlib import Path

import pytest
from tests.approval.doubles import (
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

from holdfast.approval.keys import signer_of
from holdfast.approval.statement import verify_statement
from holdfast.errors import Cause, Refused
from holdfast.ledger import ed25519

TWO = dataclasses.replace(RULE, approvals_needed=2)


async def test_a_requester_with_an_approvers_token_approves_nothing_of_their_own(world: World) -> None:
    world.tokens.callers["t"] = caller_of("agent", groups=("security",))
    hold_id = await opened(world)
    rejected = await rejection(world.by_token(hold_id, "t"), world)
    assert "of their own" in rejected.reason


async def test_a_delegated_token_approves_nothing(world: World) -> None:
    hold_id = await opened(world)
    world.tokens.callers["t"] = caller_of("dana", groups=("security",), act=(f"{ISSUER}|helper",))
    rejected = await rejection(world.by_token(hold_id, "t"), world)
    assert "delegated" in rejected.reason


async def test_a_token_of_the_right_group_approves_and_the_gateway_signs_for_it(world: World) -> None:
    world.tokens.callers["t"] = caller_of("dana", groups=("security",))
    call = world.call()
    (hold_id,) = await world.waiting()
    await world.by_token(hold_id, "t", "as agreed")
    assert (await call).by == f"{ISSUER}|dana"
    approval = world.ledger.bodies("approval")[0]
    assert approval["assurance"] == "token"
    assert approval["approver"] == {
        "id": f"{ISSUER}|dana",
        "name": "Dana",
        "groups": ["security"],
        "iss": ISSUER,
        "sub": "dana",
    }
    envelope = world.ledger.drafts[1].payloads["statement"].data
    statement = verify_statement(envelope, world.gateway.public, ed25519.verify)
    assert statement.token_digest_hex == world.tokens.callers["t"].token_digest_hex


async def test_a_token_that_does_not_hold_or_lacks_the_group_decides_nothing(world: World) -> None:
    world.tokens.callers["t"] = caller_of("dana", groups=("sales",))
    hold_id = await opened(world)
    assert (await rejection(world.by_token(hold_id, "unknown"), world)).cause is Cause.UNAUTHENTICATED
    assert (await rejection(world.by_token(hold_id, "t"), world)).cause is Cause.FORBIDDEN


async def test_a_token_decides_only_about_the_view_that_was_shown(world: World) -> None:
    world.tokens.callers["t"] = caller_of("dana", groups=("security",))
    hold_id = await opened(world)
    attempt = world.decisions.decide_by_token(hold_id, "t", "approve", "", view_digest_hex="00" * 32, source=SOURCE)
    assert "view" in (await rejection(attempt, world)).reason


async def test_a_token_statement_of_the_gateway_does_not_pass_for_a_signature(world: World) -> None:
    hold_id = await opened(world)
    statement = dataclasses.replace(world.statement(hold_id, "alice"), token_digest_hex="00" * 32)
    assert "names no token" in (await rejection(world.sign(statement, world.gateway), world)).reason


async def test_two_of_two_approvers_are_needed(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(TWO))
    await world.desk.start()
    call = world.call(request_of(rule=TWO))
    (hold_id,) = await world.waiting()
    first = await world.approve(hold_id, "alice")
    assert (first["approvals"], first["approvals_needed"], first["state"]) == (1, 2, "waiting")
    assert "approved this hold already" in (await rejection(world.approve(hold_id, "alice"), world)).reason
    assert not call.done()
    await world.approve(hold_id, "bob")
    grant = await call
    assert (grant.by, grant.record_index) == ("alice, bob", 3)
    assert world.ledger.types() == ["hold.opened", "approval", "refused", "approval", "hold.closed"]
    await world.close()


async def test_one_person_with_key_and_token_is_one_approver(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(TWO, approver_of("alice", sub="a-1"), approver_of("bob")))
    world.tokens.callers["t"] = caller_of("a-1", groups=("security",))
    await world.desk.start()
    world.call(request_of(rule=TWO))
    (hold_id,) = await world.waiting()
    await world.approve(hold_id, "alice")
    assert "already" in (await rejection(world.by_token(hold_id, "t"), world)).reason
    await world.close()


async def test_one_no_outweighs_the_approvals_before_it(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(TWO))
    await world.desk.start()
    call = world.call(request_of(rule=TWO))
    (hold_id,) = await world.waiting()
    late = world.statement(hold_id, "bob")
    await world.approve(hold_id, "alice")
    await world.deny(hold_id, "alice", "on second thought")
    with pytest.raises(Refused, match="on second thought"):
        await call
    assert "denied already" in (await rejection(world.sign(late, signer_of(key_of("bob"))), world)).reason
    await world.close()


async def test_the_second_approval_must_come_before_the_hold_expires(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(TWO))
    await world.desk.start()
    world.call(request_of(rule=TWO))
    (hold_id,) = await world.waiting()
    await world.approve(hold_id, "alice")
    statement = world.statement(hold_id, "bob")
    world.clock.advance(RULE.expires_s)
    rejected = await rejection(world.sign(statement, signer_of(key_of("bob"))), world)
    assert "1 approvals of 2 in time" in rejected.reason
    await world.close()
