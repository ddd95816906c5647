"""Other scripts beside the gateway that fail, meddle or forge: nothing leaves that the gate did not seal."""

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.live.harness import hostile
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Script, Talk, Upstream, answers_politely
from tests.live.harness.world import GATEWAY_SCRIPT, World, call, result, until

pytestmark = pytest.mark.live

PLACES: Final = ("before", "after")
HOOKS: Final = ("requestheaders", "request", "responseheaders", "response", "error")
# mitmproxy never comes back from these, so the exchange hangs. The options are vetoed, by an OptionsError.
HANGS: Final = ("is-cancelled", "breaks-out", "refuses-an-option", "opens-a-way", "unloads-scripts")
ON_ITS_OWN: Final = ("unloads-the-gate", "sends-elsewhere")


def answers_with_events(talk: Talk) -> None:
    while heard := talk.hear():
        event = json.dumps(result(json.loads(heard[1])["id"]))
        talk.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        data = f"data: {event}\n\n".encode()
        talk.say(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))


def start(world: World, upstream: Upstream, folder: Path) -> Gateway:
    scripts = [folder / f"{place}.py" for place in PLACES]
    for script in scripts:
        shutil.copy(hostile.__file__, script)
    return Gateway(world, upstream.port, folder, scripts=[scripts[0], GATEWAY_SCRIPT, scripts[1]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture
def order(folder: Path) -> Path:
    """Where a test says what the other script shall do next."""
    return folder / "order"


@pytest.fixture(scope="module")
def gateway(world: World, shared_upstream: Upstream, folder: Path) -> Iterator[Gateway]:
    gateway = start(world, shared_upstream, folder)
    try:
        yield gateway.ready()
    finally:
        gateway.kill()


@pytest.mark.parametrize("script", [answers_politely, answers_with_events], ids=["a reply", "an event stream"])
@pytest.mark.parametrize("deed", sorted(hostile.DEEDS.keys() - {*HANGS, *ON_ITS_OWN}))
def test_no_deed_of_another_script_changes_what_leaves(bench: Bench, order: Path, deed: str, script: Script) -> None:
    for place, hook in itertools.product(PLACES, HOOKS):
        bench.serve(script)
        order.write_text(f"{place} {hook} {deed}", "utf-8")
        told = bench.tell(bench.request(headers=[("Connection", "close")]))
        was_done = not order.exists()
        order.unlink(missing_ok=True)
        assert was_done or hook in ("responseheaders", "error")
        assert told.startswith(b"HTTP/1.1 200 OK\r\n") or (deed == "kills" and not told), (place, hook, told)
        if told:
            assert b"1881" in told
        bench.check_nothing_leaked()


@pytest.mark.parametrize("hook", ["requestheaders", "request", "response"])
@pytest.mark.parametrize("deed", HANGS)
def test_an_exchange_whose_hook_never_comes_back_sends_nothing(bench: Bench, order: Path, deed: str, hook: str) -> None:
    for place in PLACES:
        order.write_text(f"{place} {hook} {deed}", "utf-8")
        with bench.wire() as wire:
            wire.send(bench.request(call(arguments={"note": "C-hangs"})))
            until(lambda: not order.exists(), "the deed is done")
            assert bench.ask().status == 200  # the others go on
            assert wire.heard == b""
        assert b"C-hangs" not in bench.upstream.heard() or hook == "response"


def test_a_connection_that_another_script_sends_elsewhere_carries_nothing(bench: Bench, order: Path) -> None:
    order.write_text("before request sends-elsewhere", "utf-8")
    assert bench.ask().status == 502
    assert bench.upstream.heard() == b""


def test_without_its_gate_addon_the_gateway_sends_nothing(
    world: World, shared_upstream: Upstream, tmp_path: Path
) -> None:
    gateway = start(world, shared_upstream, tmp_path)
    try:
        gateway.ready()
        shared_upstream.begin()
        bench = Bench(gateway, shared_upstream, world)
        (tmp_path / "order").write_text("before request unloads-the-gate", "utf-8")
        bench.ask()
        shared_upstream.begin()
        for _ in range(3):
            assert bench.ask().status == 503
            assert bench.ask(method="GET").status == 503
        assert shared_upstream.talks == []
        bench.close()
    finally:
        gateway.kill()
