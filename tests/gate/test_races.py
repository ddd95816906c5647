"""Calls that come at the same time, or whose world changes while they wait."""

import asyncio
import dataclasses
import json
from typing import Final

from tests.gate.works import FullDisk, Works, said, tool

from holdfast import jsontext
from holdfast.exchange import Answer, Peer, Request
from holdfast.jsontext import Json, JsonObject
from holdfast.passage import Admission
from holdfast.policy.holding import ApprovalRules
from holdfast.policy.ruleset import Ruleset

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


MODERN: Final = (("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"))


def modern(name: str, **params: Json) -> JsonObject:
    meta: JsonObject = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    said: JsonObject = {"name": name, "arguments": {"customer_id": "C-1"}, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": said | params}


async def test_a_call_that_is_not_held_any_more_goes_out_as_it_was(works: Works) -> None:
    held_by = works.force.rules
    works.force = dataclasses.replace(works.force, rules=impatient(works))
    asked = modern("delete_customer", requestState="of the server")
    state = json.loads(said(await works.admit(asked, *MODERN)))["result"]["requestState"]
    works.force = dataclasses.replace(works.force, rules=dataclasses.replace(held_by, approval=ApprovalRules((), ())))
    admission = await works.admit(modern("delete_customer", requestState=state), *MODERN)
    assert isinstance(admission, Admission), admission
    assert jsontext.parse(admission.outgoing.body) == asked


def impatient(works: Works) -> Ruleset:
    """The rules in force, but a held call does not wait."""
    approval = works.force.rules.approval
    hasty = tuple(dataclasses.replace(rule, wait_s=0) for rule in approval.rules)
    return dataclasses.replace(works.force.rules, approval=dataclasses.replace(approval, rules=hasty))


async def test_each_call_of_a_batch_that_failed_is_told(works: Works) -> None:
    asked = [tool("get_customer", number) for number in (1, "b")]
    answer = await works.with_(ledger=FullDisk()).admit(asked, ("mcp-protocol-version", "2025-03-26"))
    assert [reply["id"] for reply in json.loads(said(answer))] == [1, "b"]
