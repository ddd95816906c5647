"""Held calls whose clients stay alive: signs of life, legs of the modern era, tickets on HTTP+SSE, calls taken back."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.live.harness.approver import approve, deny
from tests.live.harness.bench import Bench, bench_of
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Talk, Upstream, answers_and_stays, http
from tests.live.harness.wire import Wire
from tests.live.harness.world import World, call, result, until

from holdfast.approval.client import DeskClient
from holdfast.sse import Splitter, parse_event

pytestmark = pytest.mark.live

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
CLOSED = b"\r\n0\r\n\r\n"
WAIT_S = 15  # of the rule, in this file's gateway: an approver's command takes seconds to start on a busy machine
META = "io.modelcontextprotocol/"


@pytest.fixture(scope="module")
def hasty(world: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world, but a held call waits a few seconds only."""
    folder = tmp_path_factory.mktemp("hasty")
    shutil.copytree(world.rules, folder / "rules")
    approval = folder / "rules" / "approval.yaml"
    more = f"    reason_required: false\n    wait_s: {WAIT_S}\n"
    approval.write_text(approval.read_text().replace("    reason_required: false\n", more))
    return World(folder, world.key)


@pytest.fixture(scope="module")
def quick(hasty: World, shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that gives a sign of life every second."""
    options = ["--set", "holdfast_keep_alive=1"]
    gateway = Gateway(hasty, shared_upstream.port, tmp_path_factory.mktemp("quick"), options=options)
    try:
        yield gateway.ready()
    finally:
        gateway.kill()


@pytest.fixture
def bench(quick: Gateway, shared_upstream: Upstream, world: World) -> Iterator[Bench]:
    with bench_of(quick, shared_upstream, world) as bench:
        yield bench


def held(note: str, token: str | int | None = None, **meta: object) -> dict[str, Any]:
    asked = call("delete_customer", {"customer_id": note})
    said = meta | ({} if token is None else {"progressToken": token})
    if said:
        asked["params"]["_meta"] = said
    return asked


def modern(note: str, *, pages: bool = False, **params: object) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    capabilities: dict[str, Any] = {"elicitation": {"url": {}}} if pages else {}
    asked = held(note, None, **{META + "protocolVersion": "2026-07-28", META + "clientCapabilities": capabilities})
    asked["params"] |= params
    return asked, [
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "delete_customer"),
    ]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(body: object) -> bytes:
    return f"event: message\ndata: {json.dumps(body)}\n\n".encode()


def messages(data: bytes) -> list[Any]:
    return [json.loads(event.data) for block in Splitter().feed(data) if (event := parse_event(block)).data]


def progress(data: bytes) -> list[float]:
    return [m["params"]["progress"] for m in messages(data) if m.get("method") == "notifications/progress"]


def test_a_held_client_hears_signs_of_life_and_then_the_reply(bench: Bench, world: World) -> None:
    with bench.wire() as wire:
        wire.send(bench.request(held("C-alive")))
        wire.until(b": keep-alive\n\n")
        wire.until(b": keep-alive\n\n")
        approve(bench.gateway, world)
        body = wire.until(CLOSED)
    assert b"C-alive" in bench.upstream.heard()
    assert body.count(b"data:") == 1
    assert b"************1881" in body


def test_progress_rises_from_the_first_sign_to_the_last_word_of_the_server(bench: Bench, world: World) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(HEAD)
        for at in (0, 0, 0.25, 1):
            params = {"progressToken": "p-1", "progress": at}
            talk.say(chunk(event({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})))
        talk.say(chunk(event(result(1))) + END)

    bench.serve(script)
    with bench.wire() as wire:
        wire.send(bench.request(held("C-progress", "p-1")))
        wire.until(b"notifications/progress")
        wire.until(b"notifications/progress")
        approve(bench.gateway, world)
        wire.until(CLOSED)
        answer = reread(wire)
    rising = progress(answer)
    assert len(rising) >= 6
    assert rising == sorted(set(rising))
    assert rising[-2:] == [0.25, 1]
    assert max(rising[:2]) < 0.01


def reread(wire: Wire) -> bytes:
    """The body of the one chunked answer that ``wire`` has heard so far."""
    data, out = bytes(wire.heard).partition(b"\r\n\r\n")[2], b""
    while data:
        size, _, data = data.partition(b"\r\n")
        out, data = out + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return out


def test_a_denial_reaches_a_client_that_has_heard_signs_of_life(bench: Bench, world: World) -> None:
    with bench.wire() as wire:
        wire.send(bench.request(held("C-denied")))
        wire.until(b": keep-alive")
        deny(bench.gateway, world)
        wire.until(CLOSED)
        (said,) = messages(reread(wire))
    assert said["id"] == 1
    assert said["result"]["isError"] is True
    assert "denied" in said["result"]["content"][0]["text"]
    assert bench.upstream.talks == []


def test_past_the_cap_the_client_gets_a_ticket_and_the_repeat_goes_out_once(bench: Bench, world: World) -> None:
    with bench.wire() as wire:
        wire.send(bench.request(held("C-ticket")))
        wire.until(CLOSED)
        (said,) = messages(reread(wire))
    assert "Ticket: H-" in said["result"]["content"][0]["text"]
    approve(bench.gateway, world)
    answer = bench.ask(held("C-ticket"))
    assert answer.text() == "the card is ************1881"
    assert bench.upstream.heard().count(b"C-ticket") == 1


def test_a_client_that_reads_no_events_waits_in_silence(bench: Bench, world: World) -> None:
    with bench.wire() as wire:
        wire.send(bench.request(held("C-json"), without=["accept"], headers=[("Accept", "application/json")]))
        until(DeskClient(bench.gateway.data).listing, "the call is held")
        threading.Event().wait(1.5)  # longer than a sign of life takes to come
        assert wire.heard == b""
        approve(bench.gateway, world)
        assert wire.answer().headers["content-type"] == "application/json"


def test_a_server_that_fails_after_the_answer_began_is_told_as_an_event(bench: Bench, world: World) -> None:
    bench.serve(answers_and_stays(http("500 Oops", b"{}")))
    with bench.wire() as wire:
        wire.send(bench.request(held("C-broken")))
        wire.until(b": keep-alive")
        approve(bench.gateway, world)
        wire.until(CLOSED)
        (said,) = messages(reread(wire))
    assert said["id"] == 1
    assert said["error"]["data"]["cause"] == "server_fault"


def test_a_client_that_leaves_after_signs_of_life_leaves_an_abandoned_hold(bench: Bench) -> None:
    closed = len(bench.gateway.records("hold.closed"))
    with bench.wire() as wire:
        wire.send(bench.request(held("C-gone")))
        wire.until(b": keep-alive")
    until(lambda: len(bench.gateway.records("hold.closed")) > closed, "the hold ends")
    assert bench.gateway.records("hold.closed")[-1]["outcome"] == "abandoned"
    assert bench.upstream.talks == []


def test_a_call_that_its_client_cancels_is_abandoned(bench: Bench) -> None:
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    with bench.wire() as wire:
        wire.send(bench.request(held("C-cancelled")))
        wire.until(b": keep-alive")
        assert bench.ask(cancelled).status == 202
        wire.until(CLOSED)
    ended = bench.gateway.records("hold.closed")[-1]
    assert (ended["outcome"], ended["reason"]) == ("abandoned", "the client cancelled the call")
    assert b"C-cancelled" not in bench.upstream.heard()


def test_a_modern_client_comes_back_with_a_sealed_state_until_the_call_is_approved(bench: Bench, world: World) -> None:
    asked, headers = modern("C-legs")
    first = bench.ask(asked, headers=headers).json()["result"]
    assert first["resultType"] == "input_required"
    assert "inputRequests" not in first
    hold = approve(bench.gateway, world)
    again, headers = modern("C-legs", requestState=first["requestState"])
    answer = bench.ask(again | {"id": 2}, headers=headers)
    assert answer.text() == "the card is ************1881"
    assert bench.gateway.records("call")[-1]["appr"]["id"] == hold
    assert b"requestState" not in bench.upstream.heard()


def test_a_modern_client_that_shows_pages_is_sent_to_one_that_says_how_the_hold_stands(
    bench: Bench, world: World
) -> None:
    asked, headers = modern("C-page", pages=True)
    first = bench.ask(asked, headers=headers).json()["result"]
    request = first["inputRequests"]["holdfast.approval"]
    assert (request["method"], request["params"]["mode"]) == ("elicitation/create", "url")
    target = "/.well-known/" + request["params"]["url"].partition("/.well-known/")[2]
    page = bench.ask(method="GET", target=target, without=["authorization"])
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"waits for the approval" in page.body
    assert b"C-page" not in page.body
    approve(bench.gateway, world)
    state = {"requestState": first["requestState"], "inputResponses": {"holdfast.approval": {"action": "accept"}}}
    again, headers = modern("C-page", pages=True, **state)
    assert bench.ask(again, headers=headers).text() == "the card is ************1881"
    assert b"the call has been made" in bench.ask(method="GET", target=target, without=["authorization"]).body
    assert b"inputResponses" not in bench.upstream.heard()


def test_a_state_for_one_call_opens_nothing_for_another(bench: Bench, world: World) -> None:
    asked, headers = modern("C-one")
    state = bench.ask(asked, headers=headers).json()["result"]["requestState"]
    approve(bench.gateway, world)
    other, headers = modern("C-two", requestState=state)
    refused = bench.ask(other, headers=headers)
    assert refused.status == 400
    assert "not the one" in refused.body.decode()
    assert bench.upstream.talks == []


ENDPOINT = b"event: endpoint\ndata: /messages?sessionId=s-held\n\n"


def test_on_http_sse_a_ticket_and_a_refusal_come_on_the_stream(bench: Bench, world: World) -> None:
    posted: list[bytes] = []

    def script(talk: Talk) -> None:
        heard = talk.hear()
        if heard and heard[0].startswith(b"GET"):
            talk.say(HEAD + chunk(ENDPOINT))
            talk.listen()
        elif heard:
            posted.append(heard[1])
            talk.say(http("202 Accepted", b""))

    bench.serve(script)
    target = "/sse?sessionId=s-held"
    with bench.wire() as stream:
        stream.send(bench.request(method="GET", target="/sse"))
        stream.until(b"sessionId=s-held\n\n\r\n")
        assert bench.ask(call("purge_everything", {}, 5), target=target).status == 202
        refused = stream.until(b"\n\n\r\n")
        assert b'"id":5' in refused
        assert b"isError" in refused
        assert bench.ask(held("C-old"), target=target).status == 202
        assert b"Ticket: H-" in stream.until(b"\n\n\r\n")
        assert posted == []
        approve(bench.gateway, world)
        assert bench.ask(held("C-old"), target=target).status == 202
        assert b"C-old" in posted[0]


def test_the_state_of_a_wait_outlives_the_gateway(hasty: World, shared_upstream: Upstream, tmp_path: Path) -> None:
    first = Gateway(hasty, shared_upstream.port, tmp_path)
    try:
        with bench_of(first.ready(), shared_upstream, hasty) as bench:
            asked, headers = modern("C-restart")
            state = bench.ask(asked, headers=headers).json()["result"]["requestState"]
    finally:
        first.terminate()
    second = Gateway(hasty, shared_upstream.port, tmp_path)
    try:
        with bench_of(second.ready(), shared_upstream, hasty) as bench:
            approve(second, hasty)
            again, headers = modern("C-restart", requestState=state)
            assert bench.ask(again, headers=headers).text() == "the card is ************1881"
    finally:
        second.kill()
