"""Every era of the protocol through a real gateway, byte by byte: names, batches, sessions, older transports."""

import json
from typing import Any

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.upstream import Talk, http
from tests.live.harness.world import SAID_BY_SERVER, call, result

VERSION = ("MCP-Protocol-Version", "2025-03-26")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_name_that_leads_here_and_is_not_ours_reaches_nobody(bench: Bench, host: str) -> None:
    answer = bench.ask(without=["Host"], headers=[("Host", host)])
    assert answer.status == 403
    assert b"Host" in answer.body
    assert bench.upstream.heard() == b""


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:1", "[::1]:8080"])
def test_names_of_this_machine_pass_with_any_port(bench: Bench, host: str) -> None:
    assert bench.ask(without=["Host"], headers=[("Host", host)]).status == 200


def _answers_the_batch(talk: Talk) -> None:
    while heard := talk.hear():
        asked = json.loads(heard[1])
        said = [result(one["id"]) for one in asked if "id" in one] if isinstance(asked, list) else result(asked["id"])
        talk.say(http("200 OK", json.dumps(said).encode()))


def test_a_batch_comes_back_whole_although_one_element_was_refused(bench: Bench) -> None:
    bench.serve(_answers_the_batch)
    before = len(bench.gateway.records("refused"))
    answer = bench.ask([call(call_id=1), call("purge_logs", call_id=2), call(call_id=3)], headers=[VERSION])
    assert answer.status == 200
    replies: dict[int, Any] = {reply["id"]: reply["result"] for reply in answer.json()}
    assert set(replies) == {1, 2, 3}
    assert replies[2]["isError"] is True
    assert SAID_BY_SERVER not in answer.body.decode()
    heard = bench.upstream.heard()
    assert b"purge_logs" not in heard
    assert heard.count(b'"tools/call"') == 2
    (refusal,) = bench.gateway.records("refused")[before:]
    assert refusal["rpc"]["id"] == 2


def test_a_batch_of_which_nothing_is_left_never_reaches_the_server(bench: Bench) -> None:
    answer = bench.ask([call("purge_logs", call_id=1), call("wipe_disk", call_id=2)], headers=[VERSION])
    assert [reply["id"] for reply in answer.json()] == [1, 2]
    assert bench.upstream.heard() == b""


def test_a_batch_of_another_version_is_refused(bench: Bench) -> None:
    answer = bench.ask([call(call_id=1)], headers=[("MCP-Protocol-Version", "2025-11-25")])
    assert answer.status == 400
    assert bench.upstream.heard() == b""


def _opens_a_session(talk: Talk) -> None:
    while heard := talk.hear():
        head, body = heard
        if head.startswith(b"DELETE"):
            talk.say(http("204 No Content", b""))
            continue
        asked = json.loads(body)
        session = "Mcp-Session-Id: session-of-a-test\r\n" if asked["method"] == "initialize" else ""
        talk.say(http("200 OK", json.dumps(result(asked["id"])).encode(), more=session))


def test_after_its_delete_a_session_is_nobodys(bench: Bench) -> None:
    bench.serve(_opens_a_session)
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    opening = bench.ask({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
    assert opening.headers["mcp-session-id"] == "session-of-a-test"
    session = [("Mcp-Session-Id", "session-of-a-test"), ("MCP-Protocol-Version", "2025-11-25")]
    assert bench.ask(headers=session).status == 200
    assert bench.ask(method="DELETE", headers=session).status == 204
    said = bench.upstream.heard()
    assert bench.ask(headers=session).status == 404
    assert bench.ask(method="GET", headers=session).status == 404
    assert bench.ask(method="DELETE", headers=session).status == 404
    assert bench.upstream.heard() == said


def test_a_method_and_members_of_the_future_pass_where_a_rule_allows_the_method(bench: Bench) -> None:
    future = {"jsonrpc": "2.0", "method": "notifications/of-the-future", "params": {"new": [1]}, "trace": {"x": 1}}
    assert bench.ask(future).status == 202
    heard = bench.upstream.heard()
    assert b"notifications/of-the-future" in heard
    assert b'"trace":{"x":1}' in heard
    unknown = bench.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/of-the-future"})
    assert unknown.json()["error"]["code"] == -31010
    assert bench.upstream.heard() == heard
