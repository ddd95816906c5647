"""Two at the same moment: one id opens one call, and one call has one Reply, whoever comes first."""

import asyncio

import pytest
from tests.gate.works import FullDisk, Works, result, said, token, tool

from holdfast import jsontext
from holdfast.call import Direction
from holdfast.exchange import Answer, Head
from holdfast.jsontext import JsonObject
from holdfast.passage import Admission
from holdfast.streams import EventStream

_HELLO: JsonObject = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
_SESSION = ("mcp-session-id", "s-1")


async def _in_session(works: Works) -> Works:
    admission = await works.admitted(_HELLO)
    reply: JsonObject = {"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": "2025-11-25"}}
    await works.release(admission, reply, _SESSION)
    return works


def _event(text: str) -> list[bytes]:
    return [b"data: " + jsontext.wire(result(text)) + b"\n\n"]


async def test_of_two_calls_with_one_id_at_once_one_travels(works: Works) -> None:
    await _in_session(works)
    who = token(works.clock)
    asked = (works.admit(tool(name), _SESSION, who=who) for name in ("get_customer", "get_order"))
    found = await asyncio.gather(*asked)
    (refused,) = [one for one in found if isinstance(one, Answer)]
    assert "a call with this id is on its way" in said(refused)
    assert works.types().count("call") == 2  # the handshake, and the one that travels


async def test_an_id_is_free_again_when_its_call_could_not_be_recorded(works: Works) -> None:
    await _in_session(works)
    ledger = works.stations.ledger
    assert isinstance(await works.with_(ledger=FullDisk()).admit(tool("get_customer"), _SESSION), Answer)
    await works.with_(ledger=ledger).admitted(tool("get_customer"), _SESSION)


async def test_of_two_replies_to_one_call_at_once_one_comes_back(works: Works) -> None:
    await _in_session(works)
    admission = await works.admitted(tool("get_customer"), _SESSION)
    streams = [EventStream(works.gate, admission, works.screen) for _ in range(2)]
    released = await asyncio.gather(*(stream.release(_event(f"text {n}")) for n, stream in enumerate(streams)))
    assert sorted(bool(one) for one in released) == [False, True]
    assert works.types().count("reply") == 2  # that of the handshake, and one


@pytest.mark.parametrize("first", ["events", "json"])
async def test_a_reply_as_json_and_one_as_an_event_at_once_are_one(works: Works, first: str) -> None:
    await _in_session(works)
    admission = await works.admitted(tool("get_customer"), _SESSION)
    head = Head(200, (("content-type", "application/json"),))
    json = works.gate.release(admission, head, jsontext.wire(result("as json")), works.screen)
    events = EventStream(works.gate, admission, works.screen).release(_event("as an event"))
    found = await (asyncio.gather(events, json) if first == "events" else asyncio.gather(json, events))
    heard = b"".join(one.body if isinstance(one, Answer) else one or b"" for one in found)
    assert (b"as json" in heard) + (b"as an event" in heard) == 1


async def test_a_call_whose_reply_could_not_be_recorded_is_open_until_it_is_written_down_as_lost(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"))
    assert isinstance(admission, Admission)
    stream = EventStream(works.with_(ledger=FullDisk()).gate, admission, works.screen)
    assert await stream.release(_event("never")) is None
    assert works.stations.open_calls.find(admission.scope, Direction.TO_SERVER, 1) is not None
    works.with_(ledger=works.ledger)
    await EventStream(works.gate, admission, works.screen).close("the disk is full")
    assert works.types() == ["call", "call.lost"]
