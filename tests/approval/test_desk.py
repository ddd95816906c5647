"""A held call, from the moment it waits to the moment it goes out or does not."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
from tests.approval.doubles import RULE, World, call_of, caller_of, key_of, request_of, with_rule

from holdfast.approval.statement import verify_statement
from holdfast.errors import Cause, LedgerError, Refused
from holdfast.ledger import ed25519

AT_ONCE = dataclasses.replace(RULE, wait_s=0)


async def refusal(call: "asyncio.Task[object] | asyncio.Future[object]") -> Refused:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value


async def test_an_approved_call_goes_out_with_its_records_in_order(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    assert world.ledger.types() == ["hold.opened"]

    await world.approve(hold_id, reason="agreed in the meeting")
    grant = await call

    assert (grant.approval_id, grant.use_no, grant.by, grant.record_index) == (hold_id, 1, "alice", 1)
    assert world.ledger.types() == ["hold.opened", "approval", "hold.closed"]
    approval = world.ledger.bodies("approval")[0]
    assert approval["appr"] == {"id": hold_id, "request": request_of().digest_hex, "by": "alice"}
    assert (approval["ref"], approval["decision"], approval["assurance"]) == ([0], "approve", "signature")
    assert approval["reason"] == "agreed in the meeting"
    assert world.ledger.outcomes() == ["used"]
    assert world.ledger.bodies("hold.closed")[0]["ref"] == [0, 1]


async def test_the_recorded_statement_verifies_with_the_approvers_key_alone(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    await world.approve(hold_id)
    await call
    opened, approval = world.ledger.drafts[:2]
    envelope = approval.payloads["statement"].data
    public = key_of("alice").public_key().public_bytes_raw()
    statement = verify_statement(envelope, public, ed25519.verify)
    assert (statement.hold, statement.decision, statement.approver) == (hold_id, "approve", "alice")
    assert statement.request_digest_hex == request_of().digest_hex
    assert opened.payloads["view"].data.startswith(f"HOLD {hold_id}\n".encode())


async def test_a_denied_call_is_refused_with_the_reason_and_stays_denied(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    await world.deny(hold_id, reason="not on a Sunday")
    refused = await refusal(call)
    assert refused.cause is Cause.DENIED_BY_APPROVER
    assert "not on a Sunday" in refused.reason
    assert (refused.rule, refused.ticket) == ("exports", hold_id)
    assert world.ledger.types() == ["hold.opened", "approval", "hold.closed"]
    assert world.ledger.outcomes() == ["denied"]

    again = await refusal(world.call())
    assert again.cause is Cause.DENIED_BY_APPROVER
    assert world.decisions.listing() == []
    world.clock.advance(RULE.expires_s)
    world.call()
    assert await world.waiting() != [hold_id]


async def test_a_hold_that_nobody_decides_expires(world: World) -> None:
    call = world.call()
    await world.waiting()
    world.clock.advance(RULE.expires_s)
    await world.desk.sweep()
    refused = await refusal(call)
    assert refused.cause is Cause.HOLD_EXPIRED
    assert world.ledger.outcomes() == ["expired"]
    assert world.decisions.listing() == []


async def test_past_the_cap_the_repeat_uses_the_grant_once_and_the_next_is_held_anew(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(AT_ONCE))
    await world.desk.start()
    pending = await refusal(world.call(request_of(rule=AT_ONCE)))
    assert pending.cause is Cause.HOLD_PENDING
    (hold_id,) = await world.waiting()
    assert pending.ticket == hold_id
    await world.approve(hold_id)

    repeat = request_of(call_of(call_id=77), rule=AT_ONCE, number=2)
    grant = await world.call(repeat)
    assert grant.approval_id == hold_id
    second = await refusal(world.call(request_of(call_of(call_id=78), rule=AT_ONCE, number=3)))
    assert second.cause is Cause.HOLD_PENDING
    assert second.ticket != hold_id
    assert world.ledger.outcomes() == ["pending", "used", "pending"]
    assert world.ledger.types()[:4] == ["hold.opened", "hold.closed", "approval", "hold.closed"]
    await world.close()


async def test_a_repeat_joins_the_hold_that_waits(world: World) -> None:
    first, second = world.call(), world.call(request_of(call_of(call_id=2), number=2))
    (hold_id,) = await world.waiting()
    await asyncio.sleep(0.01)
    assert await world.waiting() == [hold_id]
    await world.approve(hold_id)
    # One approval, one use, and it is for who came last: a client that repeats a call has given up on the first.
    assert (await second).approval_id == hold_id
    superseded = await refusal(first)
    assert superseded.cause is Cause.HOLD_EXPIRED
    assert "used the approval" in superseded.reason
    assert world.decisions.listing() == []


async def test_a_repeat_that_leaves_hands_the_grant_back_to_the_one_before(world: World) -> None:
    gone = asyncio.Event()
    first = world.call()
    (hold_id,) = await world.waiting()
    second = world.call(request_of(call_of(call_id=2), number=2), gone=gone)
    await asyncio.sleep(0.01)
    gone.set()
    await refusal(second)
    await world.approve(hold_id)
    assert (await first).approval_id == hold_id


async def test_a_client_that_cancels_abandons_its_hold(world: World) -> None:
    cancelled = asyncio.Event()
    request = request_of()
    call = asyncio.create_task(world.desk.hold(request, asyncio.Event(), cancelled))
    await world.waiting()
    cancelled.set()
    assert "cancelled" in (await refusal(call)).reason
    assert world.ledger.outcomes() == ["abandoned"]
    assert world.decisions.listing() == []


async def test_another_caller_cannot_use_the_grant(world: World) -> None:
    gone = asyncio.Event()
    call = world.call(gone=gone)
    (hold_id,) = await world.waiting()
    other = world.call(request_of(caller=caller_of("other-agent"), number=2))
    ids = await world.waiting(2)
    await world.approve(hold_id)
    assert (await call).approval_id == hold_id
    assert await world.waiting() == [one for one in ids if one != hold_id]
    assert not other.done()


async def test_other_arguments_cannot_use_the_grant(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(AT_ONCE))
    await world.desk.start()
    await refusal(world.call(request_of(rule=AT_ONCE)))
    (hold_id,) = await world.waiting()
    await world.approve(hold_id)
    refused = await refusal(world.call(request_of(call_of({"limit": 10_000}), rule=AT_ONCE, number=2)))
    assert refused.cause is Cause.HOLD_PENDING
    assert refused.ticket != hold_id
    await world.close()


async def test_a_grant_that_is_not_used_in_time_expires(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(AT_ONCE))
    await world.desk.start()
    await refusal(world.call(request_of(rule=AT_ONCE)))
    (hold_id,) = await world.waiting()
    await world.approve(hold_id)
    world.clock.advance(RULE.use_s + 1)
    refused = await refusal(world.call(request_of(rule=AT_ONCE, number=2)))
    assert refused.ticket != hold_id
    assert world.ledger.outcomes() == ["pending", "expired", "pending"]
    await world.close()


async def test_a_client_that_hangs_up_abandons_its_hold(world: World) -> None:
    gone = asyncio.Event()
    call = world.call(gone=gone)
    (hold_id,) = await world.waiting()
    gone.set()
    assert (await refusal(call)).cause is Cause.HOLD_PENDING
    assert world.ledger.outcomes() == ["abandoned"]
    assert world.decisions.listing() == []
    world.call()
    assert await world.waiting() != [hold_id]


async def test_a_hold_outlives_one_of_two_clients_that_wait_for_it(world: World) -> None:
    gone = asyncio.Event()
    first = world.call(gone=gone)
    (hold_id,) = await world.waiting()
    second = world.call(request_of(number=2))
    await asyncio.sleep(0.01)
    gone.set()
    await refusal(first)
    assert await world.waiting() == [hold_id]
    await world.approve(hold_id)
    assert (await second).approval_id == hold_id


async def test_a_cancelled_wait_leaves_a_hold_that_can_be_decided(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await world.desk.sweep()
    assert world.ledger.outcomes() == ["interrupted"]
    await world.approve(hold_id)
    assert (await world.call()).approval_id == hold_id


async def test_a_change_of_the_rules_ends_undecided_holds(world: World) -> None:
    call = world.call()
    await world.waiting()
    world.rules = dataclasses.replace(world.rules, digest_hex="cd" * 32)
    await world.desk.sweep()
    refused = await refusal(call)
    assert refused.cause is Cause.HOLD_EXPIRED
    assert "rules changed" in refused.reason
    assert world.ledger.bodies("hold.closed")[0]["reason"] == "the rules changed"


async def test_a_change_of_the_rules_ends_a_grant_that_was_not_used(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(AT_ONCE))
    await world.desk.start()
    await refusal(world.call(request_of(rule=AT_ONCE)))
    (hold_id,) = await world.waiting()
    await world.approve(hold_id)
    world.rules = dataclasses.replace(world.rules, digest_hex="cd" * 32)
    refused = await refusal(world.call(request_of(rule=AT_ONCE, number=2)))
    assert refused.ticket != hold_id
    await world.close()


async def test_a_call_judged_by_rules_no_longer_in_force_is_not_held(world: World) -> None:
    world.rules = with_rule(dataclasses.replace(RULE, approvals_needed=2))
    refused = await refusal(world.call())
    assert refused.cause is Cause.HOLD_EXPIRED
    assert world.ledger.types() == []


async def test_a_hold_that_cannot_be_recorded_is_seen_by_nobody(world: World) -> None:
    world.ledger.is_full = True
    with pytest.raises(LedgerError):
        await world.call()
    assert world.decisions.listing() == []
    world.ledger.is_full = False
    world.call()
    await world.waiting()


async def test_an_approval_that_cannot_be_recorded_releases_nothing(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    world.ledger.is_full = True
    with pytest.raises(LedgerError):
        await world.approve(hold_id)
    assert not call.done()
    world.ledger.is_full = False
    await world.approve(hold_id)
    assert (await call).approval_id == hold_id


async def test_a_grant_whose_use_cannot_be_recorded_is_not_given(tmp_path: Path) -> None:
    world = World(tmp_path, rules=with_rule(AT_ONCE))
    await world.desk.start()
    await refusal(world.call(request_of(rule=AT_ONCE)))
    (hold_id,) = await world.waiting()
    await world.approve(hold_id)
    world.ledger.is_full = True
    with pytest.raises(LedgerError):
        await world.call(request_of(rule=AT_ONCE, number=2))
    world.ledger.is_full = False
    assert (await world.call(request_of(rule=AT_ONCE, number=3))).approval_id == hold_id
    await world.close()
