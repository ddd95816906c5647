"""Replies: correlated, masked and recorded before they come back; whatever cannot be vouched for stays outside."""

import dataclasses

import pytest
from tests.gate.works import CARD, MAIL, FullAfter, FullDisk, Works, result, token, tool

from holdfast import jsontext
from holdfast.exchange import Head, Headers, Peer, Request
from holdfast.jsontext import JsonObject
from holdfast.passage import Admission
from holdfast.streams import EventStream

_STREAM = Head(200, (("content-type", "text/event-stream"),))


async def test_a_reply_comes_back_masked_after_its_record(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"))
    answer = await works.release(admission, result(f"{MAIL}, card {CARD}"))
    assert works.types() == ["call", "reply"]
    assert MAIL.encode() not in answer.body + works.everything_written()
    assert CARD.encode() not in answer.body + works.everything_written()
    assert works.records()[1]["ref"] == [works.records()[0]["n"]]


async def test_a_reply_that_cannot_be_recorded_does_not_come_back(works: Works) -> None:
    works.with_(ledger=FullAfter(works.ledger, 1))
    admission = await works.admitted(tool("get_customer"))
    answer = await works.release(admission, result("secret result"))
    assert answer.status == 503
    assert b"secret result" not in answer.body


@pytest.mark.parametrize(
    "body",
    [
        result("wrong id", 99),
        result("id of another type", "1"),
        b"not json",
        b"",
        [],
        {"jsonrpc": "2.0", "id": 1},
        b'{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}',
    ],
)
async def test_a_reply_that_answers_nothing_stays_outside(works: Works, body: object) -> None:
    admission = await works.admitted(tool("get_customer"))
    answer = await works.release(admission, body)
    assert answer.status in {502, 400, 413}
    assert b"wrong id" not in answer.body
    assert works.types() == ["call", "call.lost"]


@pytest.mark.parametrize("headers", [(), (("content-type", "text/plain"),)])
async def test_an_acceptance_keeps_the_call_open_and_its_text_stays_outside(works: Works, headers: Headers) -> None:
    admission = await works.admitted(tool("get_customer"))
    answer = await works.gate.release(admission, Head(202, headers), b"Accepted", works.screen)
    assert (answer.status, answer.body) == (202, b"")
    assert works.types() == ["call"]
    assert (await works.release(admission, result("late"))).status == 200


async def test_an_acceptance_with_a_reply_that_answers_nothing_is_a_fault(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"))
    answer = await works.release(admission, result("wrong id", 99), status=202)
    assert answer.status == 502
    assert works.types() == ["call", "call.lost"]


async def test_a_servers_error_page_is_not_passed_on_but_its_status_is(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"))
    page = f"<h1>Traceback: {MAIL}</h1>".encode()
    answer = await works.gate.release(admission, Head(404, (("content-type", "text/html"),)), page, works.screen)
    assert answer.status == 404
    assert MAIL.encode() not in answer.body


async def test_a_json_error_of_the_server_is_masked_like_any_reply(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"))
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": f"no customer {MAIL}"}}
    answer = await works.release(admission, error, status=400)
    assert answer.status == 400
    assert MAIL.encode() not in answer.body
    assert b"-32602" in answer.body


async def test_a_request_of_the_server_is_denied_unless_a_rule_allows(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"))
    stream = EventStream(works.gate, admission, works.screen)
    sampling: JsonObject = {"jsonrpc": "2.0", "id": 0, "method": "sampling/createMessage", "params": {"messages": []}}
    out = await stream.release([b"data: " + jsontext.wire(sampling) + b"\n\n"])
    assert out == b""
    assert works.types() == ["call", "refused"]


async def test_events_are_released_one_batch_one_commit(works: Works) -> None:
    admission = await works.admitted(tool("recalculate_scores"))
    stream = EventStream(works.gate, admission, works.screen)
    params: JsonObject = {"progressToken": 1, "message": MAIL}
    progress: JsonObject = {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}
    blocks = [b"data: " + jsontext.wire(progress) + b"\n\n", b": comment\n\n"]
    blocks.append(b"id: 9\ndata: " + jsontext.wire(result(CARD)) + b"\n\n")
    assert await stream.open(_STREAM) is not None
    out = await stream.release(blocks)
    assert out is not None
    assert MAIL.encode() not in out
    assert CARD.encode() not in out
    assert out.count(b"data: ") == 2
    assert b"comment" not in out
    await stream.close(None)
    assert works.types() == ["call", "call", "reply"]


@pytest.mark.parametrize("block", [b"data: \xff\n\n", b"id: bob@example.com\ndata: {}\n\n"])
async def test_an_event_that_cannot_be_vouched_for_cuts_the_stream(works: Works, block: bytes) -> None:
    admission = await works.admitted(tool("recalculate_scores"))
    stream = EventStream(works.gate, admission, works.screen)
    assert await stream.release([block]) is None


async def test_an_event_that_is_no_message_is_left_out_and_recorded(works: Works) -> None:
    admission = await works.admitted(tool("recalculate_scores"))
    stream = EventStream(works.gate, admission, works.screen)
    good = b"data: " + jsontext.wire(result("fine")) + b"\n\n"
    out = await stream.release([b"data: hello\n\n", good])
    assert out == good
    assert works.types() == ["call", "reply", "refused"]


async def test_an_event_that_cannot_be_recorded_cuts_the_stream(works: Works) -> None:
    admission = await works.admitted(tool("recalculate_scores"))
    stream = EventStream(works.with_(ledger=FullDisk()).gate, admission, works.screen)
    assert await stream.release([b"data: " + jsontext.wire(result("x")) + b"\n\n"]) is None


async def test_a_stream_that_ends_without_a_reply_is_a_lost_call(works: Works) -> None:
    admission = await works.admitted(tool("recalculate_scores"))
    stream = EventStream(works.gate, admission, works.screen)
    await stream.open(_STREAM)
    await stream.close("the server failed in the middle of a stream")
    assert works.types() == ["call", "call.lost"]


async def test_the_second_reply_to_one_call_is_left_out(works: Works) -> None:
    admission = await works.admitted(tool("recalculate_scores"))
    stream = EventStream(works.gate, admission, works.screen)
    block = b"data: " + jsontext.wire(result("x")) + b"\n\n"
    assert await stream.release([block]) == block
    assert await stream.release([block]) == b""


async def _opened_stream(works: Works) -> EventStream:
    headers = (("accept", "text/event-stream"), ("authorization", f"Bearer {token(works.clock)}"))
    admission = await works.gate.admit(Request("GET", "/mcp", headers, b"", Peer("192.0.2.1", 1)), works.screen)
    assert isinstance(admission, Admission)
    return EventStream(works.gate, admission, works.screen)


async def test_the_endpoint_of_http_sse_keeps_clients_at_the_gateway(works: Works) -> None:
    stream = await _opened_stream(works)
    out = await stream.release([b"event: endpoint\ndata: http://inner:3000/messages/?session_id=abc\n\n"])
    assert out == b"event: endpoint\ndata: /mcp?session_id=abc\n\n"
    assert works.types() == ["stream.opened", "session.opened"]
    asked = await works.gate.admit(works.post(tool("get_customer"), path="/mcp?session_id=abc"), works.screen)
    assert isinstance(asked, Admission)
    assert asked.outgoing.path == "/messages/?session_id=abc"
    block = b"event: message\ndata: " + jsontext.wire(result("here")) + b"\n\n"
    assert await stream.release([block]) == block
    assert works.types()[-2:] == ["call", "reply"]


@pytest.mark.parametrize(("method", "passes"), [("server/discover", True), ("tools/call", False)])
async def test_a_client_of_an_old_stream_may_ask_for_the_modern_era_and_no_more(
    works: Works, method: str, *, passes: bool
) -> None:
    stream = await _opened_stream(works)
    await stream.release([b"event: endpoint\ndata: /messages/?session_id=abc\n\n"])
    asked: JsonObject = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}, "name": "get_customer"}
    message: JsonObject = {"jsonrpc": "2.0", "id": 1, "method": method, "params": asked}
    posted = works.post(message, path="/mcp?session_id=abc")
    fields = tuple(pair for pair in posted.headers if not pair[0].startswith("mcp-"))
    answer = await works.gate.admit(dataclasses.replace(posted, headers=fields), works.screen)
    assert isinstance(answer, Admission) is passes
    assert works.types()[-1] == ("call" if passes else "refused")


@pytest.mark.parametrize(
    ("data", "asked_at"),
    [
        ("https://inner.example:3000/messages?sessionId=abc", "/messages"),
        ("/messages?sessionId=abc", "/messages"),
        ("messages/?sessionId=abc", "/messages/"),
        ("./deep/messages?sessionId=abc", "/deep/messages"),
        ("?sessionId=abc", "/mcp"),
        ("//other.example/messages?sessionId=abc", "/messages"),
    ],
)
async def test_an_endpoint_may_be_absolute_or_relative_to_what_was_asked(
    works: Works, data: str, asked_at: str
) -> None:
    stream = await _opened_stream(works)
    out = await stream.release([f"event: endpoint\ndata: {data}\n\n".encode()])
    assert out == b"event: endpoint\ndata: /mcp?sessionId=abc\n\n"
    asked = await works.gate.admit(works.post(tool("get_customer"), path="/mcp?sessionId=abc"), works.screen)
    assert isinstance(asked, Admission)
    assert asked.outgoing.path == f"{asked_at}?sessionId=abc"


@pytest.mark.parametrize(
    "data",
    [
        "////evil.example/p?sessionId=1",
        "/\\evil.example/p?sessionId=1",
        "/p?sessionId=1&x=2",
        "/p",
        "/m/bob@example.com?sessionId=1",
        "/m/x?sessionId=234-45-6789",
        "javascript:alert(1)?sessionId=1",
    ],
)
async def test_an_endpoint_that_leads_away_or_tells_something_cuts_the_stream(works: Works, data: str) -> None:
    stream = await _opened_stream(works)
    assert await stream.release([f"event: endpoint\ndata: {data}\n\n".encode()]) is None


async def test_a_request_of_the_server_inside_a_result_is_denied_too(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"))
    asked: JsonObject = {"k": {"method": "sampling/createMessage", "params": {"messages": []}}}
    reply: JsonObject = {"jsonrpc": "2.0", "id": 1, "result": {"resultType": "input_required", "inputRequests": asked}}
    answer = await works.release(admission, reply)
    assert b"inputRequests" not in answer.body
    assert works.types() == ["call", "call.lost"]


@pytest.mark.parametrize(
    "body",
    [
        {"inputRequests": [{"method": "sampling/createMessage"}]},
        {"task": {"inputRequests": {"k": {"method": "sampling/createMessage"}}}},
        {"inputRequests": {"k": {"no": "method"}}},
    ],
)
async def test_requests_hidden_anywhere_in_a_result_are_found(works: Works, body: JsonObject) -> None:
    admission = await works.admitted(tool("get_customer"))
    answer = await works.release(admission, {"jsonrpc": "2.0", "id": 1, "result": body})
    assert b"sampling" not in answer.body
