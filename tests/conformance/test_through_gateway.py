"""A real client and a real server with a real gateway in between: what 2025-11-25 and 2026-07-28 can do beyond calls.

What a client or a server says on the way holds values that may not travel: neither side may hear the other's, and no
Record may keep them.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import httpx2
import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CallToolResult,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequestParams,
    ElicitRequestURLParams,
    ElicitResult,
    ListRootsResult,
    Root,
    TextContent,
)
from pydantic import FileUrl
from tests.conformance.crossing import fixture, gateway_before
from tests.live.harness.gateway import Gateway
from tests.live.harness.modern import META, standard_headers
from tests.live.harness.world import SAID_BY_CALLER

from holdfast.wireheaders import encode

pytestmark = pytest.mark.live
TIMEOUT_S = 60
TASKS = "io.modelcontextprotocol/tasks"


class Through(NamedTuple):
    """The gateway before the fixture, and the address where the proxy in front of it adds a token."""

    url: str
    gateway: Gateway

    def records_since(self, index: int) -> list[dict[str, Any]]:
        return [record for record in self.gateway.records() if record["n"] >= index]

    def next_index(self) -> int:
        return len(self.gateway.records())

    def kept(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.gateway.data.rglob("*.db*"))


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Through]:
    folder = tmp_path_factory.mktemp("through")
    with fixture(folder) as port, gateway_before(port, folder) as (front_port, gateway):
        yield Through(f"http://127.0.0.1:{front_port}/mcp", gateway)


@pytest.fixture(autouse=True)
def nothing_raw_is_kept(through: Through) -> Iterator[None]:
    yield
    assert SAID_BY_CALLER.encode() not in through.kept()
    assert SAID_BY_CALLER not in through.gateway.log()


async def fill_in(_: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """The user answers a form with what no server may hear, and agrees to a web page."""
    if isinstance(params, ElicitRequestURLParams):
        return ElicitResult(action="accept")
    return ElicitResult(action="accept", content={"name": SAID_BY_CALLER, "username": "x", "email": SAID_BY_CALLER})


async def think(_: ClientRequestContext, params: CreateMessageRequestParams) -> CreateMessageResult:
    """The model says what it was asked, and what no server may hear."""
    (message,) = params.messages
    assert isinstance(message.content, TextContent)
    text = f"{message.content.text} and {SAID_BY_CALLER}"
    return CreateMessageResult(role="assistant", content=TextContent(text=text), model="test")


async def list_roots(_: ClientRequestContext) -> ListRootsResult:
    return ListRootsResult(roots=[Root(uri=FileUrl("file:///srv/project"))])


@contextlib.asynccontextmanager
async def client(through: Through, mode: str) -> AsyncIterator[Client]:
    callbacks: dict[str, Any] = {
        "elicitation_callback": fill_in,
        "sampling_callback": think,
        "list_roots_callback": list_roots,
    }
    async with (
        httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http,
        Client(streamable_http_client(through.url, http_client=http), mode=mode, **callbacks) as made,
    ):
        yield made


def text_of(result: CallToolResult) -> str:
    (part,) = result.content
    assert isinstance(part, TextContent)
    return part.text


def told(records: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Of each Record about a message: its type, its way and its method."""
    return [
        (record["typ"], record["rpc"]["dir"], record["rpc"].get("method", "")) for record in records if "rpc" in record
    ]


async def test_a_server_that_sends_the_user_to_a_page_is_recorded_both_ways(through: Through) -> None:
    async with client(through, "legacy") as session:
        index = through.next_index()
        assert "accept" in text_of(await session.call_tool("test_elicitation_url"))
    seen = told(through.records_since(index))
    assert ("call", "to_client", "elicitation/create") in seen
    assert ("reply", "to_server", "elicitation/create") in seen


async def test_what_a_model_is_asked_and_says_is_masked_both_ways(through: Through) -> None:
    async with client(through, "legacy") as session:
        index = through.next_index()
        said = text_of(await session.call_tool("test_sampling", {"prompt": f"about {SAID_BY_CALLER}"}))
    assert SAID_BY_CALLER not in said
    assert said.count("US_SSN") == 2
    seen = told(through.records_since(index))
    assert ("call", "to_client", "sampling/createMessage") in seen
    assert ("reply", "to_server", "sampling/createMessage") in seen


async def test_the_roots_of_a_client_are_asked_for_through_the_gateway(through: Through) -> None:
    async with client(through, "legacy") as session:
        assert "1 roots" in text_of(await session.call_tool("test_roots"))


async def test_a_stream_that_the_server_closes_is_resumed_where_it_ended(through: Through) -> None:
    async with client(through, "legacy") as session:
        index = through.next_index()
        assert "after the reconnection" in text_of(await session.call_tool("test_reconnection"))
    records = through.records_since(index)
    assert ("reply", "to_client", "tools/call") in told(records)
    assert not [record for record in records if record["typ"] == "call.lost"]
    assert [record["mcp"]["transport"] for record in records if record["typ"] == "stream.opened"]


async def test_what_an_unfinished_result_asks_and_is_answered_is_masked(through: Through) -> None:
    async with client(through, "2026-07-28") as session:
        index = through.next_index()
        said = text_of(await session.call_tool("test_input_required_result_elicitation"))
        assert SAID_BY_CALLER not in said
        assert "US_SSN" in said
        assert "roots" in text_of(await session.call_tool("test_input_required_result_multiple_inputs"))
        assert "colour" in text_of(await session.call_tool("test_input_required_result_multi_round"))
    calls = [entry for entry in told(through.records_since(index)) if entry == ("call", "to_server", "tools/call")]
    assert len(calls) == 2 + 2 + 3


def post(through: Through, message: dict[str, Any], *headers: tuple[str, str]) -> httpx2.Response:
    stated = {"Accept": "application/json, text/event-stream", **dict(headers)}
    stated |= dict(standard_headers(message, headers))
    with httpx2.Client(timeout=TIMEOUT_S, trust_env=False) as http:
        return http.post(through.url, json=message, headers=stated)


def modern(method: str, _meta: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": META | (_meta or {})}}


def modern_tool(name: str, _meta: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
    return modern("tools/call", _meta, name=name, arguments=arguments)


@pytest.mark.parametrize("region", ["eu", f"where {SAID_BY_CALLER} lives", "ähnlich wie Wien"])
def test_a_mirrored_argument_is_masked_in_its_header_too_or_the_server_would_refuse_it(
    through: Through, region: str
) -> None:
    answer = post(through, modern_tool("test_mirrored_region", region=region), ("Mcp-Param-Region", encode(region)))
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["isError"] is False
    missing = post(through, modern_tool("test_mirrored_region", region=region))
    assert (missing.status_code, missing.json()["error"]["code"]) == (400, -32020)


def test_a_task_is_followed_answered_and_masked(through: Through) -> None:
    knows: dict[str, Any] = {
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "extensions": {TASKS: {}}}
    }
    begun = post(through, modern_tool("confirm_delete", knows, filename="f.txt")).json()["result"]
    assert begun["resultType"] == "task"
    named = {"taskId": begun["taskId"]}
    asked = post(through, modern("tasks/get", knows, **named)).json()["result"]
    assert asked["inputRequests"].keys() == {"confirm"}
    answers = {"confirm": {"action": "accept", "content": {"confirm": True, "why": SAID_BY_CALLER}}}
    index = through.next_index()
    assert post(through, modern("tasks/update", knows, inputResponses=answers, **named)).status_code == 200
    (update,) = [record for record in through.records_since(index) if record["typ"] == "call"]
    assert update["mcp"]["name"] == begun["taskId"]
    assert update["mask"]["counts"] == {"US_SSN": 1}


def test_changes_are_told_on_a_stream_that_was_listened_for(through: Through) -> None:
    listen = modern("subscriptions/listen", notifications={"toolsListChanged": True})
    headers = {"Accept": "application/json, text/event-stream"} | dict(standard_headers(listen, ()))
    with (
        httpx2.Client(timeout=TIMEOUT_S, trust_env=False) as http,
        http.stream("POST", through.url, json=listen, headers=headers) as stream,
    ):
        events = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        assert next(events)["method"] == "notifications/subscriptions/acknowledged"
        assert post(through, modern_tool("test_trigger_tool_change")).status_code == 200
        assert next(events)["method"] == "notifications/tools/list_changed"


def test_a_method_that_nobody_knows_is_the_servers_to_refuse_where_a_rule_allows_it(through: Through) -> None:
    answer = post(through, modern("things/of-the-future", more=[1, 2]))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)
