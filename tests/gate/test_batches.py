"""Batches (MCP 2025-03-26): each element is judged by itself, and a refused one does not sink the others."""

import json
from typing import Any

from tests.gate.works import CARD, MAIL, FullDisk, Works, result, tool

from holdfast import jsontext
from holdfast.exchange import Answer, Head
from holdfast.jsontext import JsonObject
from holdfast.passage import Admission
from holdfast.streams import EventStream

VERSION = ("mcp-protocol-version", "2025-03-26")
CANCELLED: JsonObject = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
NOTICE: JsonObject = {"jsonrpc": "2.0", "method": "tools/notice", "params": {}}  # no rule knows it
STREAM = Head(200, (("content-type", "text/event-stream"),))


def sent(admission: Admission) -> Any:
    return json.loads(admission.outgoing.body)


def heard(answer: Admission | Answer) -> Any:
    assert isinstance(answer, Answer)
    return json.loads(answer.body)


async def test_a_refused_element_does_not_sink_the_others(works: Works) -> None:
    batch = [tool("get_customer", 1), tool("purge_logs", 2), tool("get_customer", 3)]
    admission = await works.admitted(batch, VERSION)
    assert [message["id"] for message in sent(admission)] == [1, 3]
    answer = await works.release(admission, [result("one", 1), result("three", 3)])
    assert answer.status == 200
    replies = {reply["id"]: reply["result"] for reply in heard(answer)}
    assert replies.keys() == {1, 2, 3}
    assert "isError" not in replies[1]
    assert replies[2]["isError"] is True
    assert "dangerous-tools" in replies[2]["content"][0]["text"]
    assert works.types() == ["call", "call", "refused", "reply", "reply"]


async def test_every_refused_element_has_a_record_of_its_own(works: Works) -> None:
    batch = [tool("purge_logs", 1, note=CARD), tool("get_customer", 2), tool("wipe_disk", 3)]
    await works.admitted(batch, VERSION)
    refusals = [record for record in works.records() if record["typ"] == "refused"]
    assert [record["rpc"]["id"] for record in refusals if isinstance(record["rpc"], dict)] == [1, 3]
    assert [record["rule"] for record in refusals] == ["dangerous-tools", "dangerous-tools"]
    assert refusals[0]["bytes"] == len(jsontext.wire(batch[0]))
    assert CARD.encode() not in works.everything_written()


async def test_a_batch_of_which_nothing_is_left_goes_nowhere(works: Works) -> None:
    answer = await works.admit([tool("purge_logs", 1), tool("wipe_disk", "2")], VERSION)
    assert isinstance(answer, Answer)
    assert answer.status == 200
    assert [reply["id"] for reply in heard(answer)] == [1, "2"]
    assert works.types() == ["refused", "refused"]


async def test_a_refused_notification_is_recorded_and_not_answered(works: Works) -> None:
    admission = await works.admitted([NOTICE, tool("get_customer", 1)], VERSION)
    assert [message.get("method") for message in sent(admission)] == ["tools/call"]
    answer = await works.release(admission, [result("one", 1)])
    assert [reply["id"] for reply in heard(answer)] == [1]
    assert works.types() == ["call", "refused", "reply"]


async def test_a_batch_of_refused_notifications_is_answered_like_notifications(works: Works) -> None:
    answer = await works.admit([NOTICE, NOTICE], VERSION)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (202, b"")
    assert works.types() == ["refused", "refused"]


async def test_a_refused_call_among_notifications_is_answered_although_the_server_has_nothing_to_say(
    works: Works,
) -> None:
    admission = await works.admitted([CANCELLED, tool("purge_logs", 2)], VERSION)
    answer = await works.gate.release(admission, Head(202, ()), b"", works.screen)
    assert answer.status == 200
    assert [reply["id"] for reply in heard(answer)] == [2]


async def test_a_server_that_answers_one_element_as_no_batch_is_joined_with_the_refusals(works: Works) -> None:
    admission = await works.admitted([tool("get_customer", 1), tool("purge_logs", 2)], VERSION)
    answer = await works.release(admission, result("alone", 1))
    assert [reply["id"] for reply in heard(answer)] == [1, 2]


async def test_the_refusals_come_first_where_the_server_answers_by_events(works: Works) -> None:
    admission = await works.admitted([tool("recalculate_scores", 1), tool("purge_logs", 2)], VERSION)
    stream = EventStream(works.gate, admission, works.screen)
    assert await stream.open(STREAM) is not None
    block = b"data: " + jsontext.wire(result("fine")) + b"\n\n"
    out = await stream.release([block])
    assert out is not None
    first, _, rest = out.partition(b"\n\n")
    (refusal,) = json.loads(first.split(b"data: ")[1])
    assert refusal["id"] == 2
    assert rest == block
    assert await stream.release([b": quiet\n\n"]) == b""


async def test_a_batch_that_cannot_be_recorded_does_not_travel_on(works: Works) -> None:
    works.with_(ledger=FullDisk())
    answer = await works.admit([tool("get_customer", 1), tool("purge_logs", 2)], VERSION)
    assert isinstance(answer, Answer)
    assert answer.status == 503


async def test_each_element_that_goes_on_is_masked(works: Works) -> None:
    batch = [tool("get_customer", 1, note=f"card {CARD}"), tool("purge_logs", 2, mail=MAIL)]
    admission = await works.admitted(batch, VERSION)
    assert CARD.encode() not in admission.outgoing.body
    written = works.everything_written() + b"".join(works.screen.calls + works.screen.replies)
    assert CARD.encode() not in written
    assert MAIL.encode() not in written


async def test_a_reply_to_nothing_is_refused_and_the_calls_beside_it_are_not(works: Works) -> None:
    stray: JsonObject = {"jsonrpc": "2.0", "id": 99, "result": {}}
    admission = await works.admitted([stray, tool("get_customer", 1)], VERSION)
    assert [message["id"] for message in sent(admission)] == [1]
    assert admission.turned == ()


async def test_a_session_that_is_unknown_sinks_the_whole_batch(works: Works) -> None:
    answer = await works.admit([tool("get_customer", 1)], VERSION, ("mcp-session-id", "unknown"))
    assert isinstance(answer, Answer)
    assert answer.status == 404
    assert works.types() == ["refused"]
