"""Budgets at the gate: a Call over budget is refused by rule, and so is a result, which the client is told of."""

import dataclasses
import json

import pytest
from tests.gate.works import Works, result, said, tool

from holdfast import jsontext
from holdfast.exchange import Answer
from holdfast.jsontext import JsonObject
from holdfast.policy.budgets import parse_budgets
from holdfast.policy.document import Source, parse_document
from holdfast.streams import EventStream


def limit(works: Works, *limits: str) -> None:
    listed = "".join(f"  - {{id: b{number}, description: d, {one}}}\n" for number, one in enumerate(limits))
    parsed = parse_budgets(parse_document(Source("budgets.yaml", f"version: 1\nbudgets:\n{listed}".encode())))
    works.force = dataclasses.replace(works.force, rules=dataclasses.replace(works.force.rules, budgets=parsed))


async def test_a_call_over_budget_is_refused_and_its_record_names_the_budget(works: Works) -> None:
    limit(works, "method: tools/call, calls_per_minute: 1")
    await works.admitted(tool("get_customer"))
    answer = await works.admit(tool("get_customer", 2))
    assert isinstance(answer, Answer)
    assert answer.status == 200
    assert json.loads(answer.body)["result"]["isError"] is True
    assert "Rule: b0. Try again in 60 s." in said(answer)
    record = works.records()[-1]
    assert (record["typ"], record["cause"], record["rule"]) == ("refused", "over_budget", "b0")


async def test_a_call_of_another_method_over_budget_gets_a_code_outside_the_reserved_range(works: Works) -> None:
    limit(works, "method: ping, calls_per_minute: 1")
    await works.admitted({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    error = json.loads(said(await works.admit({"jsonrpc": "2.0", "id": 2, "method": "ping"})))["error"]
    assert (error["code"], error["data"]) == (-31014, {"cause": "over_budget", "rule": "b0"})


async def test_the_minute_passes(works: Works) -> None:
    limit(works, "calls_per_minute: 1")
    await works.admitted(tool("get_customer"))
    works.clock.advance(61)
    await works.admitted(tool("get_customer", 2))


async def test_what_was_spent_outlives_a_reload_of_the_rules(works: Works) -> None:
    limit(works, "calls_per_minute: 5")
    await works.admitted(tool("get_customer"))
    limit(works, "calls_per_minute: 1")
    assert "over budget" in said(await works.admit(tool("get_customer", 2)))


async def test_a_denied_call_spends_nothing(works: Works) -> None:
    limit(works, "calls_per_minute: 1")
    assert "dangerous-tools" in said(await works.admit(tool("purge_logs")))
    await works.admitted(tool("get_customer", 2))


async def test_a_caller_without_a_session_is_counted_by_their_token(works: Works) -> None:
    limit(works, "calls_per_session: 1")
    await works.admitted(tool("get_customer"))
    assert "over budget" in said(await works.admit(tool("get_customer", 2)))
    works.clock.advance(1)  # another token
    await works.admitted(tool("get_customer", 3))


async def test_a_result_over_budget_does_not_come_back_and_the_client_is_told(works: Works) -> None:
    limit(works, "result_bytes_per_call: 200")
    admission = await works.admitted(tool("get_customer"))
    answer = await works.release(admission, result("secret " * 100))
    assert answer.status == 200
    assert b"secret" not in answer.body
    told = json.loads(answer.body)
    assert (told["id"], told["result"]["isError"]) == (1, True)
    record = works.records()[-1]
    assert (record["typ"], record["cause"], record["rule"]) == ("call.lost", "over_budget", "b0")
    assert b"secret" not in works.everything_written()


async def test_an_event_over_budget_is_answered_in_its_place(works: Works) -> None:
    limit(works, "result_bytes_per_call: 200")
    stream = EventStream(works.gate, await works.admitted(tool("get_customer")), works.screen)
    out = await stream.release([b"id: 4\ndata: " + jsontext.wire(result("secret " * 100)) + b"\n\n"])
    assert out is not None
    assert b"secret" not in out
    assert b"Ask for less at a time." in out
    assert out.startswith(b"id: 4\n")
    # It is answered: a second answer to the same call is none.
    assert await stream.release([b"data: " + jsontext.wire(result("late")) + b"\n\n"]) == b""


async def test_one_result_over_budget_does_not_sink_the_other_of_a_batch(works: Works) -> None:
    limit(works, "result_bytes_per_call: 200")
    batch: list[JsonObject] = [tool("get_customer", 1), tool("get_customer", 2)]
    admission = await works.admitted(batch, ("mcp-protocol-version", "2025-03-26"))
    answer = json.loads((await works.release(admission, [result("x" * 500, 1), result("fine", 2)])).body)
    assert [one["result"].get("isError", False) for one in answer] == [True, False]


async def test_bytes_of_a_minute_are_spent_by_what_came_back(works: Works) -> None:
    limit(works, "result_bytes_per_minute: 400")
    await works.release(await works.admitted(tool("get_customer")), result("x" * 250))
    answer = await works.release(await works.admitted(tool("get_customer", 2)), result("x" * 250, 2))
    assert "would pass 400 bytes" in said(answer)
    answer = await works.release(await works.admitted(tool("get_customer", 3)), result("fine", 3))
    assert "fine" in said(answer)


@pytest.mark.parametrize("method", ["tools/list", "ping"])
async def test_a_budget_says_nothing_of_other_methods(works: Works, method: str) -> None:
    limit(works, "method: tools/call, calls_per_minute: 1")
    await works.admitted({"jsonrpc": "2.0", "id": 1, "method": method})
    await works.admitted({"jsonrpc": "2.0", "id": 2, "method": method})
