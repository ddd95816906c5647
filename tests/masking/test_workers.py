"""Worker processes: they mask as the gateway does, and whatever becomes of one costs its own message alone."""

import asyncio
import dataclasses
import os
import signal
from pathlib import Path

import pytest
from tests.masking.conftest import KEY, rules_of
from tests.masking.pools import LARGE, ONE, RULES, SSN, call, state, until, world_of

from holdfast.call import Call, Direction, Message, Reply
from holdfast.errors import MaskingError
from holdfast.masking.budget import Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.entries import MaskingRules
from holdfast.masking.parts import Part
from holdfast.masking.pieces import Terms as PieceTerms
from holdfast.masking.place import Before
from holdfast.masking.work import child
from holdfast.masking.work.pool import Pool
from holdfast.masking.work.worker import Nursery

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the tests look at processes in /proc")


@pytest.fixture(scope="module")
def rules() -> MaskingRules:
    return rules_of(RULES)


MESSAGES: list[Message] = [
    call(f"the ssn {SSN} of bob@example.com"),
    call({"ssn": 234456789, "much": 10**300, "small": 1e-7, "none": None, "yes": True, "list": [1, 1.0, "1"]}),
    call({f"key {SSN}": {"deep": [[{"x": f"{SSN}"}]]}}),
    call("nothing here"),
    Call("notifications/progress", [SSN, "\ud83d\ude00 é \u2028"], None, Direction.TO_CLIENT, {"more": SSN}),
    Reply("a", {"content": [{"type": "text", "text": f"{SSN} at 10.20.30.40"}]}, None, Direction.TO_CLIENT),
    Reply(None, None, {"code": -32000, "message": f"no {SSN}"}, Direction.TO_CLIENT, {"x": "bob@example.com"}),
]


async def test_a_worker_masks_as_the_gateway_does(rules: MaskingRules, nursery: Nursery) -> None:
    world, core = await world_of(rules, nursery=nursery), Core(rules, KEY)
    for message in MESSAGES:
        task = Task(message, "crm")
        assert await world.pool.mask(task) == core.mask(task, Budget())
    world.end()


async def test_a_worker_takes_a_step_of_a_text_in_pieces_as_the_gateway_does(
    rules: MaskingRules, nursery: Nursery
) -> None:
    world, core = await world_of(rules, nursery=nursery), Core(rules, KEY)
    part = Part("llm", None, Direction.TO_CLIENT, "/result/text", 64, f"{SSN} and some words " * 20, Before("the ssn "))
    for one in (part, dataclasses.replace(part, is_last=True), dataclasses.replace(part, is_last=True, gone=Before())):
        done = await world.pool.part(one)
        assert done == core.part(one, Budget())
        assert done.taken_count
        assert SSN not in done.forward + done.keep
    world.end()


async def test_a_long_text_in_pieces_is_masked_by_a_worker(rules: MaskingRules, nursery: Nursery) -> None:
    world = await world_of(rules, nursery=nursery)
    worker = world.pool._idle[-1]
    pieces = world.masker.pieces("/result/text", Direction.TO_CLIENT, PieceTerms(whole=True), server="llm")
    assert await pieces.add(LARGE) == ("", "")
    assert await pieces.add(SSN) == ("", "")
    assert worker.tasks_count == 0
    forward, keep = await pieces.finish()
    assert forward == keep == f"{LARGE}<US_SSN>"
    assert worker.tasks_count == 1
    world.end()


async def test_a_large_message_goes_to_a_worker_and_a_small_one_does_not(rules: MaskingRules, nursery: Nursery) -> None:
    world = await world_of(rules, nursery=nursery)
    worker = world.pool._idle[-1]
    assert SSN not in await world.mask(call(f"a {SSN}"))
    assert worker.tasks_count == 0
    assert SSN not in await world.mask(call(LARGE + SSN))
    assert worker.tasks_count == 1
    world.end()


async def test_small_messages_are_answered_while_a_worker_works_on_a_large_one(
    rules: MaskingRules, nursery: Nursery
) -> None:
    world = await world_of(rules, nursery=nursery)
    os.kill(world.pid, signal.SIGSTOP)
    stopped = world.pid
    large = asyncio.create_task(world.mask(call(LARGE, 1)))
    for number in range(20):
        assert await world.mask(call(f"{SSN} {number}", number))
    assert not large.done()
    os.kill(stopped, signal.SIGCONT)
    assert await large
    world.end()


async def test_a_worker_that_is_killed_costs_its_own_message_alone(
    rules: MaskingRules, nursery: Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    world = await world_of(rules, nursery=nursery)
    killed = world.pid
    os.kill(killed, signal.SIGSTOP)
    large = asyncio.create_task(world.mask(call(LARGE + SSN)))
    following = asyncio.create_task(world.mask(call(LARGE + "another", 2)))
    await until(lambda: world.pool._waiting_count)
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(MaskingError, match="died in the middle"):
        await large
    assert "another" in await following
    assert world.pid != killed
    assert "a masking worker died" in caplog.text
    assert SSN not in caplog.text
    world.end()


async def test_a_worker_that_died_while_it_had_nothing_to_do_costs_nothing(
    rules: MaskingRules, nursery: Nursery
) -> None:
    world = await world_of(rules, nursery=nursery)
    killed = world.pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: state(killed) in ("", "Z"))
    assert await world.mask(call(LARGE))
    assert world.pid != killed
    world.end()


async def test_a_worker_that_does_not_answer_in_time_is_killed_and_replaced(
    rules: MaskingRules, nursery: Nursery
) -> None:
    world = await world_of(rules, dataclasses.replace(ONE, task_s_max=0.2), nursery)
    stuck = world.pid
    os.kill(stuck, signal.SIGSTOP)
    with pytest.raises(MaskingError, match=r"took more than 0\.2 s"):
        await world.mask(call(LARGE))
    await until(lambda: state(stuck) in ("", "Z"))
    world.pool._terms = ONE
    assert await world.mask(call(LARGE))
    world.end()


async def test_a_message_that_nobody_waits_for_any_more_takes_its_worker_with_it(
    rules: MaskingRules, nursery: Nursery
) -> None:
    world = await world_of(rules, nursery=nursery)
    stuck = world.pid
    os.kill(stuck, signal.SIGSTOP)
    left = asyncio.create_task(world.mask(call(LARGE)))
    await until(lambda: world.pool._busy_count)
    left.cancel()
    await until(lambda: state(stuck) in ("", "Z"))
    assert await world.mask(call(LARGE))
    world.end()


async def test_the_line_is_bounded(rules: MaskingRules, nursery: Nursery) -> None:
    world = await world_of(rules, dataclasses.replace(ONE, waiting_count_max=2), nursery)
    os.kill(world.pid, signal.SIGSTOP)
    stopped = world.pid
    waiting = [asyncio.create_task(world.mask(call(LARGE, number))) for number in range(3)]
    await until(lambda: world.pool._waiting_count == 2)
    with pytest.raises(MaskingError, match="too many messages wait"):
        await world.mask(call(LARGE))
    os.kill(stopped, signal.SIGCONT)
    assert len(await asyncio.gather(*waiting)) == 3
    world.end()


async def test_nobody_waits_for_ever(rules: MaskingRules, nursery: Nursery) -> None:
    world = await world_of(rules, dataclasses.replace(ONE, wait_s_max=0.1), nursery)
    os.kill(world.pid, signal.SIGSTOP)
    stopped = world.pid
    first = asyncio.create_task(world.mask(call(LARGE)))
    await until(lambda: world.pool._busy_count)
    with pytest.raises(MaskingError, match=r"free within 0\.1 s"):
        await world.mask(call(LARGE))
    os.kill(stopped, signal.SIGCONT)
    await first
    world.end()


async def test_a_nursery_that_is_killed_takes_its_workers_along_and_is_replaced(rules: MaskingRules) -> None:
    world = await world_of(rules)
    nursery = world.pool._nursery
    assert nursery is not None
    orphan = world.pid
    os.kill(nursery.pid, signal.SIGKILL)
    await until(lambda: state(orphan) in ("", "Z"))
    assert await world.mask(call(LARGE))
    assert world.pid != orphan
    await world.pool.retire()


async def test_a_pool_that_retires_leaves_no_process_and_comes_back_where_it_is_needed(rules: MaskingRules) -> None:
    world = await world_of(rules)
    nursery = world.pool._nursery
    assert nursery is not None
    pids = [nursery.pid, world.pid]
    await world.pool.retire()
    await until(lambda: not any(map(state, pids)))
    assert await world.mask(call(LARGE))  # a stream that began under the former rules
    assert world.pool._nursery is None


async def test_a_worker_is_renewed_after_so_many_messages(rules: MaskingRules, nursery: Nursery) -> None:
    world = await world_of(rules, dataclasses.replace(ONE, tasks_count_max=2), nursery)
    first = world.pid
    for number in range(2):
        await world.mask(call(LARGE, number))
    await until(lambda: state(first) in ("", "Z"))
    assert await world.mask(call(LARGE))
    world.end()


async def test_the_kernel_holds_a_worker_to_its_limits(rules: MaskingRules, nursery: Nursery) -> None:
    world = await world_of(rules, nursery=nursery)
    limits = Path(f"/proc/{world.pid}/limits").read_text("ascii").splitlines()
    soft = {line[:26].strip(): line[26:].split()[0] for line in limits[1:]}
    assert soft["Max core file size"] == "0"
    assert int(soft["Max address space"]) > child.MEMORY_BYTES_MAX
    await world.mask(call(LARGE))
    cpu = Path(f"/proc/{world.pid}/limits").read_text("ascii").partition("Max cpu time")[2].split()[0]
    assert int(cpu) >= child.CPU_S_MAX
    world.end()


async def test_neither_rules_nor_key_stand_in_a_command_line(rules: MaskingRules) -> None:
    world = await world_of(rules)
    nursery = world.pool._nursery
    assert nursery is not None
    said = Path(f"/proc/{nursery.pid}/cmdline").read_bytes().split(b"\0")
    assert said[1:-2] == [b"-P", b"-m", b"holdfast.masking.work.nursery"]
    assert said[-2].isdigit()
    await world.pool.retire()


async def test_rules_that_no_engine_can_be_made_of_start_no_workers() -> None:
    rules = dataclasses.replace(rules_of(RULES), spacy_model="no_such_model")
    with pytest.raises(MaskingError, match="not installed"):
        await Pool(rules, KEY, ONE).start()
