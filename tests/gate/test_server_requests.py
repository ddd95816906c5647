"""Requests of a server to its client: denied where no rule allows, wherever they stand; allowed ones are Calls."""

import dataclasses
import json

import pytest
from tests.gate.works import Works, result, said, token, tool

from holdfast import jsontext
from holdfast.exchange import Peer, Request
from holdfast.jsontext import Json, JsonObject
from holdfast.passage import Admission
from holdfast.policy.access import parse_access
from holdfast.policy.document import Source, parse_document
from holdfast.streams import EventStream

METHODS = ["sampling/createMessage", "elicitation/create", "roots/list", "SAMPLING/createMessage", "x/unheard-of"]
LETS_ASK = (
    "version: 1\nrules:\n"
    "  - {id: tools, description: d, effect: allow, method: '*'}\n"
    "  - {id: ask, description: d, effect: allow, from: server, method: elicitation/create, server: crm}\n"
)


def asking(method: str, call_id: int = 0) -> JsonObject:
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": {"messages": []}}


def block(message: Json) -> bytes:
    return b"data: " + jsontext.wire(message) + b"\n\n"


async def on_post(works: Works) -> EventStream:
    return EventStream(works.gate, await works.admitted(tool("get_customer")), works.screen)


async def on_get(works: Works) -> EventStream:
    headers = (("accept", "text/event-stream"), ("authorization", f"Bearer {token(works.clock)}"))
    admission = await works.gate.admit(Request("GET", "/mcp", headers, b"", Peer("192.0.2.1", 1)), works.screen)
    assert isinstance(admission, Admission)
    return EventStream(works.gate, admission, works.screen)


def let_ask(works: Works) -> None:
    access = parse_access(parse_document(Source("access.yaml", LETS_ASK.encode())))
    works.force = dataclasses.replace(works.force, rules=dataclasses.replace(works.force.rules, access=access))


@pytest.mark.parametrize("opened", [on_post, on_get])
@pytest.mark.parametrize("method", METHODS)
async def test_a_request_on_a_stream_is_denied_and_recorded(works: Works, method: str, opened: object) -> None:
    stream = await (on_post(works) if opened is on_post else on_get(works))
    assert await stream.release([block(asking(method))]) == b""
    record = works.records()[-1]
    assert (record["typ"], record["cause"]) == ("refused", "denied_by_rule")


async def test_a_denied_request_keeps_back_nothing_else_of_its_stream(works: Works) -> None:
    stream = await on_post(works)
    out = await stream.release([block(asking("sampling/createMessage")), block(result("fine"))])
    assert out == block(result("fine"))


async def test_a_denied_request_is_taken_out_of_a_batch(works: Works) -> None:
    stream = await on_post(works)
    assert await stream.release([block([asking("roots/list"), result("fine")])]) == block([result("fine")])


async def test_a_denied_request_in_a_json_response_is_no_answer(works: Works) -> None:
    answer = await works.release(await works.admitted(tool("get_customer")), asking("sampling/createMessage"))
    assert b"sampling" not in answer.body
    assert works.types() == ["call", "refused", "call.lost"]


@pytest.mark.parametrize(
    "inside",
    [
        {"inputRequests": {"k": asking("sampling/createMessage")}},
        {"task": {"inputRequests": {"k": asking("elicitation/create")}}},
        {"_meta": {"deep": [{"inputRequests": {"k": asking("roots/list")}}]}},
        {"inputRequests": [asking("sampling/createMessage")]},
        {"inputRequests": {"k": {"no": "method"}}},
    ],
)
async def test_a_denied_request_inside_a_result_is_answered_in_its_place(works: Works, inside: JsonObject) -> None:
    stream = await on_post(works)
    said_by_server: JsonObject = {"resultType": "input_required"}
    out = await stream.release([block({"jsonrpc": "2.0", "id": 1, "result": said_by_server | inside})])
    assert out is not None
    told = json.loads(out.removeprefix(b"data: "))
    assert (told["id"], told["result"]["isError"]) == (1, True)
    assert b"inputRequests" not in out
    assert works.types() == ["call", "call.lost"]


async def test_what_a_tool_says_of_input_requests_is_no_request(works: Works) -> None:
    stream = await on_post(works)
    spoken: JsonObject = {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": {"inputRequests": {"k": {}}}}}
    assert await stream.release([block(spoken)]) == block(spoken)


@pytest.mark.parametrize("opened", [on_post, on_get])
async def test_an_allowed_request_and_its_answer_are_calls_and_replies(works: Works, opened: object) -> None:
    let_ask(works)
    stream = await (on_post(works) if opened is on_post else on_get(works))
    asked = asking("elicitation/create", 7)
    assert await stream.release([block(asked)]) == block(asked)
    assert works.records()[-1]["rpc"]["dir"] == "to_client"  # type: ignore[index,call-overload] # a Record's rpc
    assert "answers no open call" in said(await works.admit({"jsonrpc": "2.0", "id": 8, "result": {}}))


async def test_a_denied_request_that_a_client_answers_all_the_same_reaches_no_server(works: Works) -> None:
    stream = await on_get(works)
    await stream.release([block(asking("roots/list", 7))])
    assert "answers no open call" in said(await works.admit({"jsonrpc": "2.0", "id": 7, "result": {"roots": []}}))
