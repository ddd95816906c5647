"""The gateway's own commands in mitmweb: an approver lists, looks, decides; an operator reloads rules."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.harness.bench import Bench, bench_of
from tests.live.harness.gateway import Gateway, free_port
from tests.live.harness.upstream import Upstream
from tests.live.harness.web import Web, wait_for_web, web_options
from tests.live.harness.world import World, call, make_world, until

from holdfast.approval.keys import create_key, public_text

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def own_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("commands-world"))


@pytest.fixture(scope="module")
def key(own_world: World) -> Path:
    """The key of an approver whom the rules enrol."""
    path = own_world.folder / "dana.pem"
    public = public_text(create_key(path).public_key().public_bytes_raw())
    rules = own_world.rules / "approval.yaml"
    entry = f"approvers:\n  - id: dana\n    name: Dana\n    groups: [mcp-approvers]\n    public_key: {public}\n"
    rules.write_text(rules.read_text("utf-8").replace("approvers: []\n", entry), "utf-8")
    return path


@pytest.fixture(scope="module")
def started(
    own_world: World, key: Path, shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Web, Gateway]]:
    port = free_port()
    folder = tmp_path_factory.mktemp("commands")
    gateway = Gateway(own_world, shared_upstream.port, folder, tool="mitmweb", options=web_options(port))
    try:
        yield wait_for_web(gateway, Web(port)), gateway
    finally:
        gateway.kill()


@pytest.fixture
def bench(started: tuple[Web, Gateway], own_world: World, shared_upstream: Upstream) -> Iterator[Bench]:
    with bench_of(started[1], shared_upstream, own_world) as bench:
        yield bench


@pytest.mark.parametrize(("choice", "reaches"), [("approve", True), ("deny", False)])
def test_an_approver_decides_in_mitmweb(
    bench: Bench, started: tuple[Web, Gateway], key: Path, choice: str, *, reaches: bool
) -> None:
    web, gateway = started
    with bench.wire() as wire:
        wire.send(bench.request(call("delete_customer", {"customer_id": f"C-{choice}"})))
        listed = until(lambda: str(web.command("holdfast.holds")).partition("H-")[2], "it is listed")
        hold = f"H-{listed[:10]}"
        assert f"C-{choice}" in str(web.command("holdfast.show", hold))
        assert "handed in" in str(web.command(f"holdfast.{choice}", hold, str(key), "seen in mitmweb"))
        answer = wire.answer()
    assert answer.status == 200
    assert (b"delete_customer" in bench.upstream.heard()) is reaches
    decided = gateway.records("approval")[-1]
    assert decided["approver"]["id"] == "dana"
    assert decided["src"] == {"ip": "mitmproxy:command"}


def test_rules_that_do_not_parse_leave_the_old_ones_in_force(
    bench: Bench, started: tuple[Web, Gateway], own_world: World
) -> None:
    web, gateway = started
    access = own_world.rules / "access.yaml"
    good = access.read_text("utf-8")
    try:
        access.write_text(good.replace("effect: deny", "effect: maybe", 1), "utf-8")
        web.command("holdfast.rules.reload")
        until(lambda: "the rules in force stay: access.yaml:" in gateway.log(), "the mistake is named")
        assert bench.ask().status == 200
        access.write_text(good + "\n# reviewed again\n", "utf-8")
        web.command("holdfast.rules.reload")
        until(lambda: len(gateway.records("rules.loaded")) > 1, "the new rules are recorded")
        assert bench.ask().status == 200
    finally:
        access.write_text(good, "utf-8")
