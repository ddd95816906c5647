"""How many calls may wait, how large, and how long."""

import asyncio
import dataclasses
from pathlib import Path

import pytest
from tests.approval.doubles import AGENT, RULE, World, call_of, caller_of, request_of, with_rule

from holdfast.approval.board import Limits
from holdfast.errors import Cause, Refused


async def refusal(call: "asyncio.Task[object] | asyncio.Future[object]") -> Refused:
    with pytest.raises(Refused) as caught:
        await call
    return caught.value


async def test_two_hundred_calls_wait_at_once_and_each_gets_its_own_grant(tmp_path: Path) -> None:
    world = World(tmp_path)
    await world.desk.start()
    requests = [request_of(call_of({"n": n}), caller=caller_of(f"agent-{n}"), number=n) for n in range(200)]
    calls = [world.call(request) for request in requests]
    ids = await world.waiting(200)
    await asyncio.gather(*(world.approve(hold_id) for hold_id in ids))
    grants = await asyncio.gather(*calls)
    assert {grant.approval_id for grant in grants} == set(ids)
    assert world.ledger.types().count("hold.opened") == 200
    await world.close()


async def test_one_caller_cannot_fill_the_desk(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(per_caller=2, in_all=3))
    await world.desk.start()
    for n in range(2):
        world.call(request_of(call_of({"n": n}), number=n))
    await world.waiting(2)
    refused = await refusal(world.call(request_of(call_of({"n": 2}), number=2)))
    assert refused.cause is Cause.UNAVAILABLE
    assert "this caller has 2" in refused.reason
    world.call(request_of(caller=caller_of("b"), number=3))
    await world.waiting(3)
    refused = await refusal(world.call(request_of(caller=caller_of("c"), number=4)))
    assert "3 calls are waiting" in refused.reason
    await world.close()


async def test_a_call_too_large_to_be_shown_is_denied(world: World) -> None:
    refused = await refusal(world.call(request_of(call_of({"text": "x" * 1_100_000}))))
    assert (refused.cause, refused.rule) == (Cause.DENIED_BY_RULE, "exports")
    assert world.ledger.types() == []


async def test_the_wait_ends_at_the_cap(tmp_path: Path) -> None:
    short = dataclasses.replace(RULE, wait_s=1)
    world = World(tmp_path, rules=with_rule(short))
    await world.desk.start()
    loop = asyncio.get_running_loop()
    began = loop.time()
    refused = await refusal(world.call(request_of(rule=short, caller=AGENT)))
    assert refused.cause is Cause.HOLD_PENDING
    assert 0.9 < loop.time() - began < 5
    await world.close()
