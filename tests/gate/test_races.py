"""Calls that come at the same time, or whose world changes while they wait."""

import asyncio
from typing import Final

from tests.gate.works import Works, said, tool

from holdfast.exchange import Answer, Peer, Request
from holdfast.jsontext import JsonObject
from holdfast.passage import Admission

SESSION: Final = ("mcp-session-id", "s")
INITIALIZE: Final[JsonObject] = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25"},
}


async def in_session(works: Works) -> None:
    opening = await works.admitted(INITIALIZE)
    await works.release(opening, {"jsonrpc": "2.0", "id": 0, "result": {}}, SESSION)


async def test_of_two_calls_that_come_at_once_with_one_id_only_one_travels(works: Works) -> None:
    await in_session(works)
    both: list[JsonObject] = [{"jsonrpc": "2.0", "id": 7, "method": method} for method in ("tools/list", "ping")]
    answers = await asyncio.gather(*(works.admit(message, SESSION) for message in both))
    assert sorted(isinstance(answer, Admission) for answer in answers) == [False, True]


async def test_a_call_with_the_id_of_one_that_is_held_does_not_travel_either(works: Works) -> None:
    await in_session(works)
    waiting = asyncio.ensure_future(works.admit(tool("delete_customer", 7, customer_id="C-1"), SESSION))
    await works.until("hold.opened")
    assert '"malformed"' in said(await works.admit(tool("delete_customer", 7, customer_id="C-2"), SESSION))
    works.screen.gone.set()
    await waiting
    assert isinstance(await works.admit({"jsonrpc": "2.0", "id": 7, "method": "ping"}, SESSION), Admission)


async def test_a_held_call_does_not_go_out_in_a_session_that_has_ended(works: Works) -> None:
    await in_session(works)
    waiting = asyncio.ensure_future(works.admit(tool("delete_customer", 7, customer_id="C-1"), SESSION))
    await works.until("hold.opened")
    credential = next(value for name, value in works.post({}).headers if name == "authorization")
    ends = Request("DELETE", "/mcp", (("authorization", credential), SESSION), b"", Peer("192.0.2.1", 1))
    assert isinstance(await works.gate.admit(ends, works.screen), Admission)
    await works.approve()
    answer = await waiting
    assert isinstance(answer, Answer)
    assert answer.status == 404
    assert works.types().count("call") == 1
