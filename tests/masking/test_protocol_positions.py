import json

import pytest

from holdfast import jsontext
from holdfast.call import Call, Direction, Message, Reply, parse_body
from holdfast.jsontext import Json
from holdfast.masking.finding import Masked
from holdfast.masking.masker import Masker

PAN = "4111 1111 1111 1111"
STARS = "************1111"
SSN = "234-45-6789"
EMAIL = "bob.smith@example.com"


async def mask(masker: Masker, message: dict[str, Json], direction: Direction = Direction.TO_CLIENT) -> Masked:
    parsed = parse_body(jsontext.wire({"jsonrpc": "2.0", **message}), direction).messages[0]
    return await masker.mask(parsed, server="crm")


def text_of(message: Message) -> str:
    return jsontext.wire(message.to_json()).decode()


def at(message: Message, *steps: str | int) -> Json:
    value: Json = message.to_json()
    for step in steps:
        value = value[step]  # type: ignore[index] # a wrong step fails the test
    return value


DATA_IN_CALLS: list[dict[str, Json]] = [
    {"id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {"note": PAN}}},
    {"id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {"deep": [{"x": [f"a {PAN} b"]}]}}},
    {"id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {}, "_meta": {"com.example/note": PAN}}},
    {"id": 1, "method": "prompts/get", "params": {"name": "p", "arguments": {"topic": PAN}}},
    {"id": 1, "method": "completion/complete", "params": {"ref": {}, "argument": {"name": "q", "value": PAN}}},
    {"id": 1, "method": "elicitation/create", "params": {"message": PAN, "requestedSchema": {}}},
    {"id": 1, "method": "sampling/createMessage", "params": {"systemPrompt": PAN, "messages": []}},
    {
        "id": 1,
        "method": "sampling/createMessage",
        "params": {"messages": [{"role": "user", "content": {"type": "text", "text": PAN}}]},
    },
    {"method": "notifications/message", "params": {"level": "info", "data": {"line": PAN}}},
    {"method": "notifications/progress", "params": {"progressToken": 1, "progress": 1, "message": PAN}},
    {"method": "notifications/cancelled", "params": {"requestId": 1, "reason": PAN}},
    {"method": "notifications/vendor", "params": [PAN, {"a": PAN}]},
    {"id": 1, "method": "vendor/unknown", "params": {"anything": {"at": {"all": PAN}}}},
    {"id": 1, "method": "ping", "vendorMember": {"x": PAN}},
    {
        "id": 1,
        "method": "tools/call",
        "params": {"name": "t", "arguments": {}, "inputResponses": {"a": {"action": "accept", "content": {"x": PAN}}}},
    },
]

DATA_IN_RESULTS: list[Json] = [
    {"content": [{"type": "text", "text": PAN}]},
    {"content": [{"type": "unheard-of", "payload": PAN}]},
    {"content": [{"type": "resource", "resource": {"uri": "x://y", "mimeType": "text/plain", "text": PAN}}]},
    {"content": [{"type": "resource_link", "uri": "x://y", "name": "n", "description": PAN}]},
    {"content": [{"type": "tool_result", "toolUseId": "1", "content": [{"type": "text", "text": PAN}]}]},
    {"content": {"type": "tool_use", "id": "1", "name": "t", "input": {"x": PAN}}},
    {"structuredContent": {"rows": [{"a": PAN}]}},
    {"contents": [{"uri": "x://y", "text": PAN}]},
    {"content": [{"type": "text", "text": "x", "annotations": {"priority": 1, "note": PAN}}]},
    {"tools": [{"name": "t", "inputSchema": {}, "annotations": {"readOnlyHint": True, "title": PAN}}]},
    {"messages": [{"role": "user", "content": {"type": "text", "text": PAN}}]},
    {"description": PAN, "messages": []},
    {"tools": [{"name": "t", "description": PAN, "inputSchema": {}}]},
    {"tools": [{"name": "t", "inputSchema": {"properties": {"x": {"type": "string", "description": PAN}}}}]},
    {"tools": [{"name": "t", "inputSchema": {"properties": {"x": {"type": "string", "default": PAN}}}}]},
    {"prompts": [{"name": "p", "description": PAN, "arguments": [{"name": "a", "description": PAN}]}]},
    {"resources": [{"uri": "x://y", "name": PAN}]},
    {"instructions": PAN, "protocolVersion": "2025-11-25", "capabilities": {}},
    {"completion": {"values": [PAN]}},
    {"_meta": {"com.example/x": PAN}},
    {"inputRequests": {"a": {"method": "elicitation/create", "params": {"message": PAN}}}},
    {"tasks": [{"taskId": "t", "statusMessage": PAN}]},
    [PAN],
    PAN,
]


@pytest.mark.parametrize("message", DATA_IN_CALLS)
@pytest.mark.parametrize("direction", Direction)
async def test_data_of_a_call_is_masked_both_ways(
    masker: Masker, message: dict[str, Json], direction: Direction
) -> None:
    masked = await mask(masker, message, direction)
    assert PAN not in text_of(masked.forward)
    assert STARS in text_of(masked.forward)
    assert PAN not in text_of(masked.keep)
    assert masked.counts()["CREDIT_CARD"] >= 1
    assert isinstance(masked.forward, Call)
    assert masked.forward.method == message["method"]


@pytest.mark.parametrize("result", DATA_IN_RESULTS)
async def test_data_of_a_result_is_masked(masker: Masker, result: Json) -> None:
    masked = await mask(masker, {"id": 1, "result": result})
    assert PAN not in text_of(masked.forward)
    assert STARS in text_of(masked.forward)
    assert PAN not in text_of(masked.keep)


async def test_an_error_is_masked_in_message_and_data(masker: Masker) -> None:
    error: Json = {"code": -32000, "message": f"no card {PAN}", "data": {"sql": f"where ssn = '{SSN}'"}}
    masked = await mask(masker, {"id": 1, "error": error})
    assert at(masked.forward, "error") == {
        "code": -32000,
        "message": f"no card {STARS}",
        "data": {"sql": "where ssn = '<US_SSN>'"},
    }
    assert masked.keep.to_json() == masked.forward.to_json()


async def test_protocol_fields_travel_as_they_are_and_are_kept_masked(masker: Masker) -> None:
    uri = f"crm://customers/{SSN}"
    params: Json = {"name": f"tool {SSN}", "uri": uri, "cursor": SSN, "_meta": {"progressToken": SSN}}
    masked = await mask(masker, {"id": SSN, "method": "tools/call", "params": params}, Direction.TO_SERVER)
    assert masked.forward.to_json() == {"jsonrpc": "2.0", "id": SSN, "method": "tools/call", "params": params}
    assert SSN not in text_of(masked.keep)
    assert masked.keep.id == "<US_SSN>"


async def test_a_method_with_a_finding_is_kept_masked(masker: Masker) -> None:
    masked = await mask(masker, {"id": 1, "method": f"x/{EMAIL}"}, Direction.TO_SERVER)
    assert isinstance(masked.forward, Call)
    assert masked.forward.method == f"x/{EMAIL}"
    assert EMAIL not in text_of(masked.keep)


async def test_the_uri_of_a_resource_travels_as_it_is(masker: Masker) -> None:
    link: Json = {"type": "resource_link", "uri": f"crm://{EMAIL}", "name": "n", "mimeType": "text/plain"}
    masked = await mask(masker, {"id": 1, "result": {"content": [link]}})
    assert at(masked.forward, "result", "content", 0) == link
    assert EMAIL not in text_of(masked.keep)


async def test_the_structure_of_a_schema_is_left_alone(masker: Masker) -> None:
    schema: Json = {
        "type": "object",
        "required": ["password", "ssn"],
        "properties": {
            "password": {"type": "string", "pattern": "^[0-9]{3}-[0-9]{2}$"},
            "ssn": {"type": "string", "enum": [SSN], "$ref": "#/$defs/ssn"},
            "description": {"type": "string"},
        },
        "$defs": {"ssn": {"type": "string"}},
    }
    tool: Json = {"name": "t", "inputSchema": schema, "annotations": {"readOnlyHint": True}}
    masked = await mask(masker, {"id": 1, "result": {"tools": [tool]}})
    assert at(masked.forward, "result", "tools", 0) == tool
    assert SSN not in text_of(masked.keep)


async def test_json_inside_a_string_is_masked_by_its_own_keys_and_escaped_again(masker: Masker) -> None:
    inner = json.dumps({"ssn": 234456789, "nested": json.dumps({"password": 'a"b'}), "mail": "bob\\u0040x"})
    masked = await mask(masker, {"id": 1, "result": {"content": [{"type": "text", "text": inner}]}})
    text = at(masked.forward, "result", "content", 0, "text")
    assert isinstance(text, str)
    outer = json.loads(text)
    assert outer["ssn"] == 0
    assert json.loads(outer["nested"]) == {"password": "<PASSWORD>"}
    assert {finding.path for finding in masked.findings} == {
        "/result/content/0/text/ssn",
        "/result/content/0/text/nested/password",
    }


async def test_json_inside_a_string_that_holds_nothing_is_not_rewritten(masker: Masker) -> None:
    inner = '{ "a" :  [1,2 ] }'
    masked = await mask(masker, {"id": 1, "result": {"x": inner}})
    assert at(masked.forward, "result", "x") == inner


async def test_indented_json_stays_indented(masker: Masker) -> None:
    inner = json.dumps({"a": [1], "ssn": SSN}, indent=2)
    masked = await mask(masker, {"id": 1, "result": {"x": inner}})
    assert at(masked.forward, "result", "x") == inner.replace(SSN, "<US_SSN>")


@pytest.mark.parametrize(
    "inner",
    ['{"note":"a, b: c","ssn":"234-45-6789"}', '[["a, b","234-45-6789"],1]', '{"note": "a,b:c", "ssn": "234-45-6789"}'],
)
async def test_json_has_the_blanks_that_it_had_whatever_stands_in_its_texts(masker: Masker, inner: str) -> None:
    masked = await mask(masker, {"id": 1, "result": {"x": inner}})
    assert at(masked.forward, "result", "x") == inner.replace("234-45-6789", "<US_SSN>")


async def test_escapes_in_text_that_is_no_json_are_read(masker: Masker) -> None:
    masked = await mask(masker, {"id": 1, "result": {"x": 'log {"m": "bob\\u0040example.com"'}})
    assert "example.com" not in text_of(masked.forward)


@pytest.mark.parametrize(
    ("value", "key"), [(234456789, "ssn"), (4111111111111111, "anything"), (4111111111111111.0, "x")]
)
async def test_a_masked_number_stays_a_number_where_it_travels(masker: Masker, value: float, key: str) -> None:
    masked = await mask(masker, {"id": 1, "result": {"structuredContent": {key: value}}})
    assert at(masked.forward, "result", "structuredContent", key) == 0
    assert str(value)[:9] not in text_of(masked.keep)


@pytest.mark.parametrize(
    "row",
    [{"id": 234456789}, {"account_id": 945456787654}, {"created_ms": 1732300000123}, {"total": 19.99}, {"n": 1640}],
)
async def test_ordinary_numbers_pass(masker: Masker, row: Json) -> None:
    masked = await mask(masker, {"id": 1, "result": row})
    assert masked.findings == ()
    assert at(masked.forward, "result") == row


async def test_names_of_members_are_masked_and_none_is_lost(masker: Masker) -> None:
    rows: Json = {EMAIL: 1, SSN: 2, "345-67-8901": 3}
    masked = await mask(masker, {"id": 1, "result": {"structuredContent": rows}})
    names = at(masked.forward, "result", "structuredContent")
    assert isinstance(names, dict)
    assert sorted(names.values(), key=str) == [1, 2, 3]
    assert EMAIL not in text_of(masked.forward)
    assert SSN not in text_of(masked.keep)
    assert not any(EMAIL in finding.path or SSN in finding.path for finding in masked.findings)


async def test_the_name_of_a_mask_is_no_context(masker: Masker) -> None:
    value: Json = {"<US_SSN>": "12345", "<US_SSN>-2": 234456789}
    masked = await mask(masker, {"id": 1, "result": {"structuredContent": value}})
    assert at(masked.forward, "result", "structuredContent") == value


async def test_a_clean_message_comes_back_as_it_was(masker: Masker) -> None:
    message = Call("tools/call", {"name": "read", "arguments": {"path": "/srv/a.py", "n": 3}}, 7, Direction.TO_SERVER)
    masked = await masker.mask(message, server="crm")
    assert masked.forward == masked.keep == message
    assert masked.findings == ()


async def test_a_reply_without_an_id_is_masked(masker: Masker) -> None:
    reply = Reply(None, None, {"code": 1, "message": SSN}, Direction.TO_CLIENT)
    masked = await masker.mask(reply, server="crm")
    assert SSN not in text_of(masked.forward)
