"""Messages made to be slow, through a real gateway: others are answered meanwhile, and no process outlives it."""

import concurrent.futures
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.processes import children, ticks, workers
from tests.live.harness.upstream import Upstream
from tests.live.harness.wire import Answer, Wire
from tests.live.harness.world import SAID_BY_CALLER, World, call, until

from holdfast.masking.size import CHARS_MAX

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the tests look at processes in /proc"),
]
LARGE = {"note": "plain words " * (CHARS_MAX // 10) + SAID_BY_CALLER}


@pytest.fixture(scope="module")
def gateway(world: World, shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(world, shared_upstream.port, tmp_path_factory.mktemp("slow"))
    try:
        yield gateway.ready()
    finally:
        gateway.kill()


def ask(bench: Bench, arguments: dict[str, Any], call_id: int = 1) -> Answer:
    """Ask, and wait as long as a message may take."""
    with Wire(bench.gateway.port) as wire:
        wire.send(bench.request(call(arguments=arguments, call_id=call_id)))
        return wire.answer()


def test_calls_are_answered_while_large_ones_wait_for_workers(bench: Bench, gateway: Gateway) -> None:
    stopped = workers(gateway)
    assert stopped
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(ask, bench, LARGE, number) for number in range(3)]
        for number in range(10, 20):
            assert bench.ask(call(call_id=number)).status == 200
        assert not any(answer.done() for answer in waiting)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        assert [answer.result().status for answer in waiting] == [200, 200, 200]


def test_a_worker_killed_in_the_middle_of_a_message_costs_that_message_alone(bench: Bench, gateway: Gateway) -> None:
    before = len(gateway.records("refused"))
    idle = {pid: ticks(pid) for pid in workers(gateway)}
    dense = " ".join(f"+1 (212) 555-{number:04d} is not agent{number}@example.com" for number in range(10_000))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        lost = pool.submit(ask, bench, {"note": dense})
        (killed,) = until(lambda: [pid for pid in idle if ticks(pid) > idle[pid] + 5], "a worker works")
        os.kill(killed, signal.SIGKILL)
        answer = lost.result()
    assert answer.status == 503
    assert "a masking worker died" in answer.body.decode()
    (record,) = gateway.records("refused")[before:]
    assert record["rule"] == "on-failure"
    assert "a masking worker died" in record["reason"]
    assert record["mask"]["counts"] == {"UNSCANNED": 1}
    assert ask(bench, LARGE).status == 200
    assert killed not in workers(gateway)


def test_a_message_that_is_slow_by_design_is_answered_and_so_is_everybody_else(bench: Bench) -> None:
    slow = {"note": "1 - " * 4000}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, bench, slow, number) for number in range(2)]
        for number in range(10, 20):
            assert bench.ask(call(call_id=number)).status == 200
        assert {answer.result().status for answer in asked} <= {200, 503}


@pytest.mark.parametrize("ends", ["by itself", "killed"])
def test_no_process_outlives_the_gateway(ends: str, world: World, shared_upstream: Upstream, tmp_path: Path) -> None:
    gateway = Gateway(world, shared_upstream.port, tmp_path).ready()
    (nursery,) = children(gateway.process.pid)
    pids = [nursery, *children(nursery)]
    assert len(pids) > 1
    if ends == "by itself":
        gateway.terminate()
    else:
        gateway.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "nursery and workers have ended")


def test_new_rules_have_new_processes(bench: Bench, gateway: Gateway) -> None:
    (former,) = children(gateway.process.pid)
    gateway.process.send_signal(signal.SIGHUP)
    until(lambda: "new rules in force" in gateway.log(), "the rules are loaded")
    until(lambda: former not in children(gateway.process.pid), "the former nursery has ended")
    assert workers(gateway)
    assert ask(bench, LARGE).status == 200
