"""Clients that leave, and a gateway that is stopped, while something waits."""

import threading
from pathlib import Path

import pytest
from tests.live.harness.approver import approve
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway, locked
from tests.live.harness.upstream import Talk, Upstream, reply_to
from tests.live.harness.wire import Wire
from tests.live.harness.world import PATIENCE_S, World, call, until

from holdfast.approval.client import DeskClient

pytestmark = pytest.mark.live


def held(note: str) -> dict[str, object]:
    return call("delete_customer", {"customer_id": note})


def test_an_approved_call_goes_out_once(bench: Bench, world: World) -> None:
    with bench.wire() as wire:
        wire.send(bench.request(held("C-approved")))
        approve(bench.gateway, world)
        assert wire.answer().status == 200
    assert bench.upstream.heard().count(b"C-approved") == 1


def test_a_client_that_leaves_while_its_call_is_held_leaves_nothing_to_send(bench: Bench, world: World) -> None:
    before = len(bench.gateway.records("hold.closed"))
    with bench.wire() as wire:
        wire.send(bench.request(held("C-left")))
        until(DeskClient(bench.gateway.data).listing, "the call is held")
    until(lambda: len(bench.gateway.records("hold.closed")) > before, "the hold ends")
    assert bench.gateway.records("hold.closed")[-1]["outcome"] == "abandoned"
    assert bench.upstream.talks == []


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_while_its_call_is_written_down_leaves_nothing_to_send(bench: Bench, how: str) -> None:
    with locked(bench.gateway):
        wire = bench.wire()
        wire.send(bench.request(call(arguments={"note": "C-unwritten"})))
        wire_leaves(wire, how)
        # Needs no Record: the loop has seen that the other left.
        assert bench.ask(method="GET", target="/.well-known/oauth-protected-resource").status == 200
    until(lambda: bench.gateway.records()[-1]["typ"] == "call.lost", "it is recorded as lost")
    assert bench.upstream.heard() == b""


def wire_leaves(wire: Wire, how: str) -> None:
    wire.close() if how == "close" else wire.reset()


def test_a_client_that_leaves_while_its_reply_is_written_down_gets_none_of_it(bench: Bench) -> None:
    go_on = threading.Event()

    def script(talk: Talk) -> None:
        heard = talk.hear()
        assert heard is not None
        go_on.wait(PATIENCE_S)
        talk.say(reply_to(heard[1]))
        talk.listen()

    bench.serve(script)
    with bench.wire() as wire:
        wire.send(bench.request(call(arguments={"note": "C-reply"})))
        bench.upstream.wait_for(b"C-reply")
        with locked(bench.gateway):
            go_on.set()
            assert bench.ask(method="GET", target="/.well-known/oauth-protected-resource").status == 200
            wire.close()
            assert bench.ask(method="GET", target="/.well-known/oauth-protected-resource").status == 200
    until(lambda: bench.gateway.records()[-1]["typ"] in {"reply", "call.lost"}, "its end is recorded")


def test_a_gateway_that_is_stopped_sends_nothing_that_was_held(
    world: World, shared_upstream: Upstream, tmp_path: Path
) -> None:
    gateway = Gateway(world, shared_upstream.port, tmp_path)
    try:
        gateway.ready()
        shared_upstream.begin()
        bench = Bench(gateway, shared_upstream, world)
        with bench.wire() as waits, bench.wire() as also:
            waits.send(bench.request(held("C-stopped")))
            also.send(bench.request(held("C-other")))
            until(lambda: len(DeskClient(gateway.data).listing()) == 2, "both are held")
            assert gateway.terminate() == 0
        assert shared_upstream.talks == []
        bench.close()
        assert [r["outcome"] for r in gateway.records("hold.closed")] == ["interrupted"] * 2
        assert gateway.records()[-1]["typ"] == "ledger.stop"
    finally:
        gateway.kill()
