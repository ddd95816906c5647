"""What somebody with mitmweb's password can do: look at masked text, and nothing that changes or adds what leaves."""

from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any, Final

import pytest
from tests.live.harness.approver import approve
from tests.live.harness.bench import Bench, bench_of
from tests.live.harness.gateway import Gateway, free_port
from tests.live.harness.upstream import Upstream
from tests.live.harness.web import Web, wait_for_web, web_options
from tests.live.harness.world import LOOSE, PATIENCE_S, SAID_BY_CALLER, SAID_BY_SERVER, World, call, until

from holdfast.proxy.guard import CLOSED_COMMANDS, PINNED

pytestmark = pytest.mark.live

HELD: Final = call("delete_customer")
OTHER_VALUES: Final[dict[type, Any]] = {bool: None, list: [".*"], type(None): "1k", str: "none"}
# `lazy` is the only value that opens no connection before the call is admitted.
UNSAFE_VALUES: Final = {
    "connection_strategy": "eager",
    "stickyauth": ".*",
    "stickycookie": ".*",
    "proxyauth": "any",
    "intercept": "~q",
}


@pytest.fixture(scope="module")
def web_and_gateway(
    world: World, shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Web, Gateway]]:
    port = free_port()
    folder = tmp_path_factory.mktemp("web")
    own = free_port()  # a change of mode, even one that is vetoed, opens the port again
    gateway = Gateway(world, shared_upstream.port, folder, tool="mitmweb", port=own, options=web_options(port))
    try:
        yield wait_for_web(gateway, Web(port)), gateway
    finally:
        gateway.kill()


@pytest.fixture
def web(web_and_gateway: tuple[Web, Gateway]) -> Iterator[Web]:
    web, _ = web_and_gateway
    web.ask("POST", "/clear")
    yield web
    assert not any(raw.encode() in web.heard for raw in (SAID_BY_CALLER, SAID_BY_SERVER))
    assert b"Bearer " not in web.heard
    assert b"uthorization" not in web.heard


@pytest.fixture
def bench(web_and_gateway: tuple[Web, Gateway], shared_upstream: Upstream, world: World, web: Web) -> Iterator[Bench]:
    with bench_of(web_and_gateway[1], shared_upstream, world) as bench:
        yield bench


def test_a_call_is_shown_masked_from_the_moment_its_head_has_come(bench: Bench, web: Web) -> None:
    data = bench.request()
    with bench.wire() as wire:
        wire.send(data[:-20])
        early = web.flow()
        assert early["request"]["contentLength"] == 0
        assert {name.lower() for name, _ in early["request"]["headers"]} <= {"content-type", "content-length", "accept"}
        wire.send(data[-20:])
        assert wire.answer().status == 200
    shown = web.contents(web.flow())
    assert b"the SSN is" in shown
    assert bench.token.encode() not in web.heard


def test_a_held_call_is_shown_masked_while_it_waits(bench: Bench, web: Web) -> None:
    with bench.wire() as wire:
        wire.send(bench.request(HELD))
        until(lambda: b"delete_customer" in web.contents(web.flow()), "the held call is shown")
        assert wire.heard == b""
        assert bench.upstream.talks == []
    until(lambda: bench.gateway.records("hold.closed"), "the hold ends with its client")


def test_what_is_edited_while_it_is_held_does_not_go_out(bench: Bench, web: Web, world: World) -> None:
    loose = LOOSE.decode()
    with bench.wire() as wire:
        wire.send(bench.request(HELD))
        until(lambda: b"delete_customer" in web.contents(web.flow()), "the held call is shown")
        flow = web.flow()
        change = {"method": "PUT", "path": f"/{loose}", "port": 9, "content": loose, "headers": [["X-Loose", loose]]}
        assert web.ask("PUT", f"/flows/{flow['id']}", {"request": change})[0] == 200
        assert web.ask("POST", f"/flows/{flow['id']}/request/content.data", LOOSE)[0] == 200
        web.ask("POST", f"/flows/{flow['id']}/resume")
        web.ask("POST", "/flows/resume")
        assert bench.upstream.talks == []
        approve(bench.gateway, world)
        answer = wire.answer()
    assert answer.status == 200
    assert "1881" in answer.text()
    assert b"delete_customer" in bench.upstream.heard()


def test_a_call_that_is_killed_while_its_client_waits_in_silence_asks_for_no_approval(bench: Bench, web: Web) -> None:
    closed = len(bench.gateway.records("hold.closed"))
    with bench.wire() as wire:
        wire.send(bench.request(HELD, without=["accept"], headers=[("Accept", "application/json")]))
        until(lambda: b"delete_customer" in web.contents(web.flow()), "it is held")
        web.ask("POST", f"/flows/{web.flow()['id']}/kill")
        until(lambda: len(bench.gateway.records("hold.closed")) > closed, "the hold ends")
    assert bench.gateway.records("hold.closed")[-1]["outcome"] == "abandoned"


def test_a_held_call_that_is_killed_does_not_go_out_though_it_is_approved(bench: Bench, web: Web, world: World) -> None:
    arguments = {"customer_id": "C-killed"}
    with bench.wire() as wire:
        wire.send(bench.request(call("delete_customer", arguments)))
        flow = web.flow()
        until(lambda: b"C-killed" in web.contents(flow), "it is held")
        web.ask("POST", f"/flows/{flow['id']}/kill")
        approve(bench.gateway, world)
        assert wire.to_the_end() == b""
    assert bench.upstream.talks == []


def test_no_flow_is_replayed(bench: Bench, web: Web) -> None:
    assert bench.ask().status == 200
    flow = web.flow()
    bench.upstream.begin()
    status, _ = web.ask("POST", f"/flows/{flow['id']}/replay")
    assert status == 500
    _, copy = web.ask("POST", f"/flows/{flow['id']}/duplicate")
    web.ask("POST", f"/flows/{copy.decode()}/replay")
    assert web.command("replay.client", "@all").keys() == {"error"}
    assert bench.ask(method="GET", target="/.well-known/oauth-protected-resource").status == 200
    assert bench.upstream.talks == []


def test_no_imported_flow_is_sent_or_recorded(bench: Bench, web: Web) -> None:
    assert bench.ask().status == 200
    status, dump = web.ask("GET", "/flows/dump")
    assert status == 200
    assert b"the SSN is" in dump
    bench.upstream.begin()
    count = len(bench.gateway.records())
    web.ask("POST", "/clear")
    web.ask("POST", "/flows/dump", dump)
    shown = web.flow()
    for verb in ("resume", "replay", "revert"):
        web.ask("POST", f"/flows/{shown['id']}/{verb}")
    assert web.command("view.flows.load", "/dev/null").keys() <= {"value", "error"}
    assert bench.upstream.talks == []
    assert len(bench.gateway.records()) == count


@pytest.mark.parametrize("name", sorted(PINNED))
def test_an_unsafe_option_is_refused_while_the_gateway_runs(bench: Bench, web: Web, name: str) -> None:
    safe = PINNED[name]
    value = UNSAFE_VALUES.get(name, not safe if isinstance(safe, bool) else OTHER_VALUES[type(safe)])
    assert web.options(**{name: value}) == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", ["regular"]),
        ("mode", ["socks5"]),
        ("mode", ["reverse:tcp://127.0.0.1:9"]),
        ("mode", ["reverse:http://127.0.0.1:9"]),
        ("mode", []),
        ("scripts", []),
        ("scripts", ["other.py"]),
        ("holdfast_rules", "elsewhere"),
        ("holdfast_data", "elsewhere"),
        ("holdfast_server", "other"),
    ],
)
def test_what_was_set_at_start_stays(bench: Bench, web: Web, name: str, value: object) -> None:
    assert web.options(**{name: value}) == 400


def test_commands_that_set_options_are_vetoed_too(bench: Bench, web: Web) -> None:
    for name, value in (("scripts", "other.py"), ("ignore_hosts", ".*"), ("mode", "regular")):
        assert "error" in web.command("set", name, value)


# An address of mitmweb has letters and dots only.
@pytest.mark.parametrize("name", [name for name in CLOSED_COMMANDS if "_" not in name])
def test_a_command_that_runs_code_or_sends_flows_is_gone(web: Web, name: str) -> None:
    assert "Unknown command" in web.command(name, "@all", "x")["error"]


def test_without_the_password_mitmweb_shows_nothing(web_and_gateway: tuple[Web, Gateway]) -> None:
    connection = HTTPConnection("127.0.0.1", web_and_gateway[0]._port, timeout=PATIENCE_S)
    connection.request("GET", "/flows")
    assert connection.getresponse().status == 403
    connection.close()
