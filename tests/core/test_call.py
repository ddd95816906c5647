"""Bodies become Calls and Replies, or a refusal, whatever the bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.call import (
    BODY_BYTES_MAX,
    META_VERSION,
    VALUES_COUNT_MAX,
    Call,
    Direction,
    Reply,
    is_modern,
    parse_body,
    version_of,
)
from holdfast.errors import Cause, Refused
from holdfast.jsontext import JsonObject, values_count, wire


def _parse(message: object) -> Call | Reply:
    (parsed,) = parse_body(wire(message), Direction.TO_SERVER).messages  # type: ignore[arg-type] # any JSON will do
    return parsed


def _call(**members: object) -> JsonObject:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", **members}  # type: ignore[dict-item] # any JSON will do


def test_a_tool_call_knows_its_tool_and_arguments() -> None:
    call = _parse(_call(params={"name": "get", "arguments": {"id": 7}, "_meta": {"progressToken": "p"}}))
    assert isinstance(call, Call)
    assert (call.name, call.arguments, call.meta) == ("get", {"id": 7}, {"progressToken": "p"})


def test_a_message_without_id_is_a_notification() -> None:
    call = _parse({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert isinstance(call, Call)
    assert call.is_notification


@pytest.mark.parametrize(
    "message",
    [
        1,
        "text",
        None,
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "a"},
        _call(id=None),
        _call(id=True),
        _call(id=1.5),
        _call(id=[1]),
        _call(id="x" * 257),
        _call(method=""),
        _call(method=7),
        _call(method="m" * 201),
        _call(params="text"),
        _call(params=None),
        _call(result={}),
        _call(error={}),
        _call(Method="tools/list"),
        {"jsonrpc": "2.0", "id": 1, "result": {}, "Error": {}},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "result": {}},
        {"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}},
        {"jsonrpc": "2.0", "id": 1, "error": "text"},
        {"jsonrpc": "2.0", "id": None, "result": {}},
        [],
        [1],
        [[_call()]],
    ],
)
def test_what_is_no_message_is_refused(message: object) -> None:
    with pytest.raises(Refused) as caught:
        parse_body(wire(message), Direction.TO_SERVER)  # type: ignore[arg-type] # any JSON will do
    assert caught.value.cause is Cause.MALFORMED


def test_a_body_over_the_limit_is_refused_by_size_alone() -> None:
    with pytest.raises(Refused) as caught:
        parse_body(b" " * (BODY_BYTES_MAX + 1), Direction.TO_SERVER)
    assert caught.value.cause is Cause.TOO_LARGE


@pytest.mark.parametrize("item", [b"[]", b"{}", b"0", b"null", b'{"":0}', b"[[[[[[]]]]]]"])
def test_a_body_of_too_many_values_is_refused_however_small_they_are(item: bytes) -> None:
    items = b",".join([item] * VALUES_COUNT_MAX)
    with pytest.raises(Refused, match="values") as caught:
        parse_body(b'{"jsonrpc":"2.0","id":1,"result":{"a":[' + items + b"]}}", Direction.TO_CLIENT)
    assert caught.value.cause is Cause.TOO_LARGE


def test_values_are_counted_and_not_their_marks_in_texts() -> None:
    text = ",:[{" * VALUES_COUNT_MAX
    assert _parse(_call(params={"name": text, "arguments": {"a": [1, None]}})).id == 1
    assert values_count({"a": [1, None], "b": {}}) == 7


def test_a_batch_over_the_limit_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        parse_body(wire([_call()] * 101), Direction.TO_SERVER)
    assert caught.value.cause is Cause.TOO_LARGE


def test_a_batch_keeps_its_order() -> None:
    body = parse_body(
        wire([_call(id=1), _call(id="1"), {"jsonrpc": "2.0", "id": 2, "result": {}}]), Direction.TO_SERVER
    )
    assert body.is_batch
    assert [message.id for message in body.messages] == [1, "1", 2]


def test_a_server_may_answer_without_an_id_what_it_could_not_read() -> None:
    reply = _parse({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}})
    assert isinstance(reply, Reply)
    assert reply.id is None


def test_a_tool_result_that_says_so_is_an_error() -> None:
    reply = _parse({"jsonrpc": "2.0", "id": 1, "result": {"isError": True, "content": []}})
    assert isinstance(reply, Reply)
    assert reply.is_error


def test_members_that_a_later_version_may_add_travel_on() -> None:
    message = _call(future={"a": 1}, params={"name": "x"})
    assert _parse(message).to_json() == message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    method=st.text(min_size=1, max_size=50),
    params=st.none() | st.dictionaries(st.text(max_size=5), _JSON, max_size=4),
    call_id=st.none() | st.integers() | st.text(max_size=50),
)
def test_a_call_that_is_written_reads_back_the_same(
    method: str, params: JsonObject | None, call_id: str | None
) -> None:
    call = Call(method, params, call_id, Direction.TO_CLIENT)
    (parsed,) = parse_body(wire(call.to_json()), Direction.TO_CLIENT).messages
    assert parsed == call


@given(st.binary(max_size=400) | _JSON.map(wire))
def test_any_bytes_are_messages_or_refused(data: bytes) -> None:
    try:
        body = parse_body(data, Direction.TO_SERVER)
    except Refused:
        return
    assert parse_body(body.to_bytes(), Direction.TO_SERVER) == body


def test_the_version_comes_from_the_message_in_the_modern_era() -> None:
    call = Call("tools/list", {"_meta": {META_VERSION: "2026-07-28"}}, 1, Direction.TO_SERVER)
    assert is_modern(call)
    assert version_of(call, "2025-11-25") == "2026-07-28"


def test_the_version_comes_from_the_header_in_the_handshake_era() -> None:
    call = Call("tools/list", None, 1, Direction.TO_SERVER)
    assert version_of(call, "2025-11-25") == "2025-11-25"
    assert version_of(call, None) == "2025-03-26"
