"""Holds across a restart of the gateway, orderly or not, and a desk.db that somebody edited."""

import dataclasses
import sqlite3
import stat
from pathlib import Path

import pytest
from tests.approval.doubles import RULE, World, call_of, key_of, request_of, with_rule

from holdfast.approval.judging import check_grant
from holdfast.approval.keys import sign_statement, signer_of
from holdfast.errors import ApprovalError, Cause, Refused, SettingsError

AT_ONCE = dataclasses.replace(RULE, wait_s=0)
HELD = request_of(rule=AT_ONCE)


async def pending(world: World) -> str:
    with pytest.raises(Refused) as caught:
        await world.call(HELD)
    assert caught.value.cause is Cause.HOLD_PENDING
    return str(caught.value.ticket)


@pytest.fixture
async def desk(tmp_path: Path) -> World:
    world = World(tmp_path, rules=with_rule(AT_ONCE))
    await world.desk.start()
    return world


async def test_a_call_that_waits_when_the_gateway_stops_is_told_its_ticket(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    await world.restart()
    with pytest.raises(Refused) as caught:
        await call
    assert (caught.value.cause, caught.value.ticket) == (Cause.HOLD_PENDING, hold_id)
    assert world.ledger.outcomes() == ["interrupted"]
    (hold,) = world.decisions.listing()
    assert (hold["id"], hold["state"]) == (hold_id, "interrupted")

    await world.approve(hold_id)
    assert (await world.call(request_of(call_of(call_id=9), number=2))).approval_id == hold_id
    world.call(request_of(number=3))
    assert await world.waiting() != [hold_id]


async def test_a_hold_of_a_gateway_that_was_killed_is_interrupted_and_passes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.desk.start()
    call = world.call()
    (hold_id,) = await world.waiting()
    # Killed: nobody stops the desk. A second one takes up what is on disk.
    (tmp_path / "desk.sock").unlink()
    after = World(tmp_path)
    await after.desk.start()
    assert after.ledger.outcomes() == ["interrupted"]
    assert not call.done()
    await after.approve(hold_id)
    assert (await after.call()).approval_id == hold_id
    await after.close()
    await world.close()


async def test_a_hold_that_was_being_opened_is_abandoned_at_the_next_start(desk: World) -> None:
    await pending(desk)
    await desk.desk.stop()
    with sqlite3.connect(desk.directory / "desk.db") as db:
        db.execute("UPDATE holds SET state = 'opening'")
    db.close()
    await desk.restart()
    assert desk.ledger.outcomes() == ["pending", "abandoned"]
    assert desk.decisions.listing() == []
    await desk.close()


async def test_a_grant_given_before_a_restart_is_used_once_after_it(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.approve(hold_id)
    await desk.restart()
    assert (await desk.call(HELD)).approval_id == hold_id
    assert await pending(desk) != hold_id
    await desk.close()


async def test_a_denial_stands_after_a_restart(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.deny(hold_id, reason="no")
    await desk.restart()
    with pytest.raises(Refused, match="denied the call: no"):
        await desk.call(HELD)
    await desk.close()


async def test_holds_of_older_rules_are_ended_at_the_start(desk: World) -> None:
    await pending(desk)
    desk.rules = dataclasses.replace(desk.rules, digest_hex="cd" * 32)
    await desk.restart()
    assert desk.ledger.outcomes() == ["pending", "expired"]
    await desk.close()


async def edited(world: World, statement: str, *values: object) -> None:
    await world.desk.stop()
    with sqlite3.connect(world.directory / "desk.db") as db:
        db.execute(statement, values)
    db.close()
    world.desk = world.new_desk()
    await world.desk.start()


async def test_a_grant_written_into_the_file_without_a_statement_passes_nothing(desk: World) -> None:
    hold_id = await pending(desk)
    await edited(desk, "UPDATE holds SET state = 'granted'")
    assert await pending(desk) != hold_id
    assert "does not verify" in str(desk.ledger.bodies("hold.closed")[-2]["reason"])
    await desk.close()


async def test_an_approval_moved_to_another_hold_in_the_file_passes_nothing(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.approve(hold_id)
    other = request_of(call_of({"limit": 10_000}), rule=AT_ONCE, number=5)
    with pytest.raises(Refused) as caught:
        await desk.call(other)
    other_id = caught.value.ticket
    await edited(desk, "UPDATE decisions SET hold = ?", other_id)
    await edited(desk, "UPDATE holds SET state = 'granted' WHERE id = ?", other_id)
    with pytest.raises(Refused) as caught:
        await desk.call(other)
    assert caught.value.ticket != other_id
    await desk.close()


async def test_a_statement_of_another_key_in_the_file_passes_nothing(desk: World) -> None:
    hold_id = await pending(desk)
    statement = desk.statement(hold_id, "alice")
    await desk.approve(hold_id)
    await edited(desk, "UPDATE decisions SET envelope = ?", sign_statement(statement, signer_of(key_of("thief"))))
    assert await pending(desk) != hold_id
    await desk.close()


async def test_a_broken_envelope_in_the_file_ends_its_hold_and_no_other(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.approve(hold_id)
    await edited(desk, "UPDATE decisions SET envelope = ?", b"broken")
    assert await pending(desk) != hold_id
    assert "does not verify" in str(desk.ledger.bodies("hold.closed")[1]["reason"])
    await desk.close()


async def test_a_grant_is_judged_by_its_signed_times_whatever_the_desk_remembers(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.approve(hold_id)
    (place,) = desk.desk._board.find(hold_id)
    check_grant(place.hold, HELD, desk.rules, desk.gateway.public, desk.clock.now_at())
    desk.clock.advance(RULE.use_s + 1)
    with pytest.raises(ApprovalError, match="not used in time"):
        check_grant(place.hold, HELD, desk.rules, desk.gateway.public, desk.clock.now_at())
    desk.clock.advance(RULE.expires_s)
    with pytest.raises(ApprovalError, match="expired"):
        check_grant(place.hold, HELD, desk.rules, desk.gateway.public, desk.clock.now_at())
    await desk.close()


async def test_an_extended_time_in_the_file_extends_nothing(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.approve(hold_id)
    await edited(desk, "UPDATE holds SET facts = json_set(facts, '$.expires', '2030-01-01T00:00:00.000000Z')")
    desk.clock.advance(RULE.use_s + 1)
    assert await pending(desk) != hold_id
    await desk.close()


async def test_a_file_that_is_no_desk_is_refused(tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SettingsError, match=r"desk\.db"):
        await World(tmp_path).desk.start()


async def test_the_files_of_the_desk_belong_to_their_owner_alone(desk: World) -> None:
    await pending(desk)
    for path in desk.directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    await desk.close()


async def test_a_closed_hold_leaves_no_view_on_disk(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.deny(hold_id)
    await desk.desk.stop()
    with sqlite3.connect(desk.directory / "desk.db") as db:
        assert db.execute("SELECT length(view), state FROM holds").fetchall() == [(0, "denied")]
    db.close()
    await desk.close()


async def test_holds_closed_long_ago_are_forgotten(desk: World) -> None:
    hold_id = await pending(desk)
    await desk.deny(hold_id)
    desk.clock.advance(RULE.expires_s + 24 * 3600 + 1)
    await desk.desk.sweep()
    await desk.desk.stop()
    with sqlite3.connect(desk.directory / "desk.db") as db:
        assert db.execute("SELECT count(*) FROM holds").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM decisions").fetchone() == (0,)
    db.close()
    await desk.close()
