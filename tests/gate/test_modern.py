"""The modern era (2026-07-28): what its headers must say, its own errors, and what only looks like a request."""

import pytest
from tests.gate.works import JSON, Works, tool
from tests.live.harness.modern import META

from holdfast import jsontext
from holdfast.exchange import Answer, Peer, Request
from holdfast.jsontext import JsonObject
from holdfast.passage import Admission

_VERSION = ("mcp-protocol-version", "2026-07-28")
_METHOD = ("mcp-method", "tools/call")
_NAME = ("mcp-name", "get_customer")


def _modern(method: str = "tools/call", **params: object) -> JsonObject:
    shared: JsonObject = {"name": "get_customer", "arguments": {}} if method == "tools/call" else {}
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": shared | {"_meta": META} | params}


async def _ask(works: Works, message: JsonObject, *headers: tuple[str, str]) -> Answer | Admission:
    """Exactly these headers: :meth:`Works.post` would add what a client of this era sends."""
    whole = works.post(message)
    credential = ("authorization", whole.header("authorization") or "")
    request = Request("POST", "/mcp", (JSON, credential, *headers), whole.body, Peer("192.0.2.1", 4711))
    return await works.gate.admit(request, works.screen)


def _error(answer: Answer | Admission) -> JsonObject:
    assert isinstance(answer, Answer)
    assert answer.status == 400
    reply = jsontext.parse(answer.body)
    assert isinstance(reply, dict)
    assert reply["id"] == 7
    error = reply["error"]
    assert isinstance(error, dict)
    return error


async def test_a_call_whose_headers_repeat_it_passes(works: Works) -> None:
    assert isinstance(await _ask(works, _modern(), _VERSION, _METHOD, _NAME), Admission)


@pytest.mark.parametrize(
    "headers",
    [
        (_VERSION, _NAME),
        (_VERSION, _METHOD),
        (_METHOD, _NAME),
        (_VERSION, ("mcp-method", "TOOLS/CALL"), _NAME),
        (_VERSION, _METHOD, ("mcp-name", "delete_customer")),
        (_VERSION, _METHOD, _NAME, ("mcp-param-region", "=?base64?SGVsbG8?=")),
        (("mcp-protocol-version", "2025-11-25"), _METHOD, _NAME),
    ],
)
async def test_a_header_that_is_missing_or_wrong_is_the_eras_own_error(
    works: Works, headers: tuple[tuple[str, str], ...]
) -> None:
    assert _error(await _ask(works, _modern(), *headers))["code"] == -32020
    assert works.types() == ["refused"]


async def test_a_task_is_named_in_a_header_too(works: Works) -> None:
    get = _modern("tasks/get", taskId="t-1")
    assert _error(await _ask(works, get, _VERSION, ("mcp-method", "tasks/get")))["code"] == -32020
    named = ("mcp-name", "t-1")
    assert isinstance(await _ask(works, get, _VERSION, ("mcp-method", "tasks/get"), named), Admission)


async def test_a_notification_needs_no_mirrors(works: Works) -> None:
    notice: JsonObject = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"_meta": META}}
    assert isinstance(await _ask(works, notice, _VERSION), Admission)


async def test_a_version_of_the_future_is_the_eras_own_error(works: Works) -> None:
    future = _modern("server/discover", _meta=META | {"io.modelcontextprotocol/protocolVersion": "2031-01-01"})
    error = _error(await _ask(works, future, ("mcp-protocol-version", "2031-01-01"), ("mcp-method", "server/discover")))
    assert error["code"] == -32022
    assert isinstance(error["data"], dict)
    assert error["data"]["supported"] == ["2026-07-28"]
    assert error["data"]["requested"] == "2031-01-01"


async def test_a_version_that_is_none_is_not_said_back(works: Works) -> None:
    odd = _modern("server/discover", _meta=META | {"io.modelcontextprotocol/protocolVersion": "4111 1111 1111 1111"})
    headers = (("mcp-protocol-version", "4111 1111 1111 1111"), ("mcp-method", "server/discover"))
    answer = await _ask(works, odd, *headers)
    assert "4111" not in str(_error(answer))


async def test_in_the_handshake_era_a_contradiction_is_no_error_of_the_modern_one(works: Works) -> None:
    answer = await works.admit(tool("get_customer", 7), ("mcp-name", "delete_customer"))
    assert _error(answer)["code"] == -31003


async def test_a_version_that_cannot_be_judged_is_a_bad_request_in_every_era(works: Works) -> None:
    # MCP 2025-06-18 and 2025-11-25, transports: 400 for an MCP-Protocol-Version that is not supported.
    assert _error(await works.admit(tool("get_customer", 7), ("mcp-protocol-version", "2031-01-01")))["code"] == -31004


async def test_a_schema_that_names_input_requests_asks_for_nothing(works: Works) -> None:
    listing = await works.admitted(_modern("tools/list"))
    schema: JsonObject = {"type": "object", "properties": {"inputRequests": {"type": "object"}}}
    described: JsonObject = {"name": "get_customer", "inputSchema": schema, "outputSchema": schema}
    result: JsonObject = {"tools": [described], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
    answer = await works.release(listing, {"jsonrpc": "2.0", "id": 7, "result": result})
    assert answer.status == 200
    assert b'"inputRequests"' in answer.body
