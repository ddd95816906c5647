"""What tests of refused decisions share."""

from collections.abc import Awaitable

import pytest
from tests.approval.doubles import SOURCE, World

from holdfast.approval.approvers import Rejected


async def rejection(attempt: Awaitable[object], world: World) -> Rejected:
    """What was answered; that it was recorded, and that the hold still waits, is checked on the way."""
    before = world.ledger.types().count("refused")
    with pytest.raises(Rejected) as caught:
        await attempt
    assert world.ledger.types().count("refused") == before + 1
    record = world.ledger.bodies("refused")[-1]
    assert record["cause"] == caught.value.cause.value
    assert record["reason"] == caught.value.reason
    assert record["src"] == {"ip": SOURCE}
    return caught.value


async def opened(world: World) -> str:
    world.call()
    (hold_id,) = await world.waiting()
    return hold_id
