"""Lists: a Caller sees what they may call, whatever the server offers; the Call is judged again when it comes."""

import dataclasses
import json
from typing import Any

import pytest
from tests.gate.works import Works, token

from holdfast import jsontext
from holdfast.call import META_VERSION
from holdfast.exchange import Answer
from holdfast.jsontext import JsonObject
from holdfast.ledger.reader import open_reader
from holdfast.passage import Admission
from holdfast.streams import EventStream

MODERN = (("mcp-protocol-version", "2026-07-28"),)


def asking(method: str, *, modern: bool = False) -> JsonObject:
    params: JsonObject = {"_meta": {META_VERSION: "2026-07-28"}} if modern else {}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


async def listed(works: Works, method: str, result: JsonObject, *groups: str, modern: bool = False) -> dict[str, Any]:
    """The result that a Caller in ``groups`` gets for ``method`` where the server answers ``result``."""
    who = token(works.clock, groups=groups or ("mcp-users",))
    admission = await works.admit(asking(method, modern=modern), *(MODERN if modern else ()), who=who)
    assert isinstance(admission, Admission), admission
    answer = await works.release(admission, {"jsonrpc": "2.0", "id": 1, "result": result})
    got: dict[str, Any] = json.loads(answer.body)["result"]
    return got


def tools(*names: str) -> JsonObject:
    return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in names]}


def names(result: dict[str, Any], member: str = "tools", key: str = "name") -> list[str]:
    return [entry[key] for entry in result[member]]


def reply_record(works: Works) -> dict[str, Any]:
    return next(record for record in reversed(works.records()) if record["typ"] == "reply")


async def test_a_caller_sees_the_tools_they_may_call_and_no_others(works: Works) -> None:
    offered = tools("get_customer", "purge_logs", "delete_customer", "frobnicate")
    assert names(await listed(works, "tools/list", offered)) == ["get_customer", "delete_customer"]
    assert names(await listed(works, "tools/list", offered, "mcp-admins")) == [
        "get_customer",
        "delete_customer",
        "frobnicate",
    ]
    assert names(await listed(works, "tools/list", offered, "guests")) == []


async def test_a_tool_that_some_arguments_could_pass_is_shown(works: Works) -> None:
    assert names(await listed(works, "tools/list", tools("update_customer"))) == ["update_customer"]


async def test_the_record_says_how_many_entries_were_left_out_and_keeps_what_was_shown(works: Works) -> None:
    await listed(works, "tools/list", tools("get_customer", "purge_logs", "frobnicate"))
    record = reply_record(works)
    assert record["out"]["hidden"] == 2
    with open_reader(works.data) as reader:
        kept = reader.payload(record["res"]["c"])
    assert kept is not None
    assert b"get_customer" in kept[2]
    assert b"purge_logs" not in kept[2]


async def test_a_list_of_which_nothing_is_left_out_says_so(works: Works) -> None:
    await listed(works, "tools/list", tools("get_customer"))
    assert reply_record(works)["out"]["hidden"] == 0


async def test_a_tool_that_nobody_was_shown_is_still_known_by_its_definition(works: Works) -> None:
    await listed(works, "tools/list", tools("purge_logs"))
    assert works.types()[-1] == "tool.defined"


async def test_entries_that_stay_are_as_the_server_sent_them_and_so_is_the_cursor(works: Works) -> None:
    schema: JsonObject = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
    entry: JsonObject = {"name": "get_customer", "inputSchema": schema, "annotations": {"readOnlyHint": True}}
    result: JsonObject = {"tools": [{"name": "purge_logs"}, entry], "nextCursor": "page-2", "future": {"a": 1}}
    assert await listed(works, "tools/list", result) == result | {"tools": [entry]}


async def test_a_page_of_which_nothing_stays_still_names_the_next(works: Works) -> None:
    result = await listed(works, "tools/list", tools("purge_logs") | {"nextCursor": "page-2"})
    assert result == {"tools": [], "nextCursor": "page-2"}


async def test_prompts_and_resources_are_filtered_by_the_rules_for_using_them(works: Works) -> None:
    prompts: JsonObject = {"prompts": [{"name": "summarise"}]}
    assert names(await listed(works, "prompts/list", prompts), "prompts") == ["summarise"]
    assert names(await listed(works, "prompts/list", prompts, "guests"), "prompts") == []
    resources: JsonObject = {
        "resources": [{"uri": "docs://a", "name": "a"}, {"uri": "file:///etc/passwd", "name": "b"}]
    }
    assert names(await listed(works, "resources/list", resources), "resources", "uri") == ["docs://a"]


async def test_a_template_is_shown_where_some_filling_could_pass(works: Works) -> None:
    uris = ["docs://{section}/{page}", "{scheme}://any", "file:///{path}", "docs://../{page}", "x" * 3000 + "{a}"]
    result: JsonObject = {"resourceTemplates": [{"uriTemplate": uri, "name": "t"} for uri in uris]}
    shown = await listed(works, "resources/templates/list", result)
    assert names(shown, "resourceTemplates", "uriTemplate") == uris[:2]


@pytest.mark.parametrize("entry", [None, "get_customer", {}, {"name": 7}, {"Name": "get_customer"}])
async def test_an_entry_that_names_nothing_is_not_shown(works: Works, entry: Any) -> None:
    result = await listed(works, "tools/list", {"tools": [entry, {"name": "get_customer"}]})
    assert names(result) == ["get_customer"]


@pytest.mark.parametrize("result", [{"tools": {"a": {"name": "x"}}}, {"tools": [], "Tools": [{"name": "purge_logs"}]}])
async def test_a_list_that_cannot_be_judged_does_not_come_back(works: Works, result: JsonObject) -> None:
    admission = await works.admitted(asking("tools/list"))
    answer = await works.release(admission, {"jsonrpc": "2.0", "id": 1, "result": result})
    assert isinstance(answer, Answer)
    assert answer.status == 502
    assert b"purge_logs" not in answer.body


async def test_a_list_in_an_event_is_filtered_too(works: Works) -> None:
    stream = EventStream(works.gate, await works.admitted(asking("tools/list")), works.screen)
    reply: JsonObject = {"jsonrpc": "2.0", "id": 1, "result": tools("get_customer", "purge_logs")}
    out = await stream.release([b"data: " + jsontext.wire(reply) + b"\n\n"])
    assert out is not None
    assert b"get_customer" in out
    assert b"purge_logs" not in out


@pytest.mark.parametrize("scope", [{"cacheScope": "public"}, {"cacheScope": "private"}, {}])
async def test_a_list_of_the_modern_era_is_for_one_caller_only(works: Works, scope: JsonObject) -> None:
    offered = tools("get_customer") | {"resultType": "complete", "ttlMs": 1000} | scope
    result = await listed(works, "tools/list", offered, modern=True)
    assert result == offered | {"cacheScope": "private"}


async def test_what_a_resource_says_is_for_one_caller_only(works: Works) -> None:
    asked: JsonObject = {"uri": "docs://a", "_meta": {META_VERSION: "2026-07-28"}}
    call: JsonObject = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": asked}
    admission = await works.admitted(call, *MODERN)
    result: JsonObject = {"contents": [], "resultType": "complete", "ttlMs": 5, "cacheScope": "public"}
    answer = await works.release(admission, {"jsonrpc": "2.0", "id": 1, "result": result})
    assert json.loads(answer.body)["result"]["cacheScope"] == "private"


async def test_a_tool_that_was_shown_is_still_judged_when_it_is_called(works: Works) -> None:
    assert names(await listed(works, "tools/list", tools("update_customers"))) == ["update_customers"]
    params: JsonObject = {"name": "update_customers", "arguments": {"limit": 11}}
    refused = await works.admit({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params})
    assert isinstance(refused, Answer)


async def test_a_list_answered_with_an_error_is_passed_on(works: Works) -> None:
    admission = await works.admitted(asking("tools/list"))
    error: JsonObject = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no tools here"}}
    assert json.loads((await works.release(admission, error)).body) == error
    assert "hidden" not in reply_record(works)["out"]


async def test_lists_follow_the_rules_in_force(works: Works) -> None:
    nothing = dataclasses.replace(works.force.rules.access, rules=works.force.rules.access.rules[:2])
    rules = dataclasses.replace(works.force.rules, access=nothing)
    works.force = dataclasses.replace(works.force, rules=rules)
    assert names(await listed(works, "tools/list", tools("get_customer"))) == []
