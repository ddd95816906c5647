"""What a bridge reads of a message, and the line that it makes of one."""

import pytest

from holdfast import jsontext
from holdfast.bridge.message import NotMessagesError, answers, asks, is_modern, line_of, parse, progress_token
from holdfast.jsontext import JsonObject


@pytest.mark.parametrize("data", [b"", b"x", b"1", b"[]", b"[1]", b'{"a":1,"a":2}', b'"text"', b"[{}, 2]", b"\xff"])
def test_what_is_no_message_is_an_error(data: bytes) -> None:
    with pytest.raises(NotMessagesError):
        parse(data)


def test_a_text_and_a_number_are_two_ids() -> None:
    one, other = parse(b'[{"method":"a","id":1},{"method":"a","id":"1"}]')
    assert asks(one) != asks(other)
    assert asks({"method": "a"}) is None
    assert asks({"method": "a", "id": True}) is None
    assert answers({"id": 1, "result": {}}) == asks(one)
    assert answers({"id": None, "error": {}}) is None


def test_a_request_says_its_version_and_token_in_meta() -> None:
    meta: JsonObject = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "progressToken": 7}
    assert is_modern({"method": "a", "params": {"_meta": meta}})
    assert progress_token({"method": "a", "params": {"_meta": meta}}) == (int, 7)
    assert not is_modern({"method": "a", "params": [1]})


@pytest.mark.parametrize("text", ['{"method":"a",\n "id":1}', '[{"method":"a"},\r\n{"method":"b"}]', '{"a": "x\\ny"}'])
def test_a_message_comes_to_stand_on_one_line_and_says_the_same(text: str) -> None:
    line = line_of(parse(text.encode()), text.encode())
    assert b"\n" not in line
    assert b"\r" not in line
    assert jsontext.parse(line) == jsontext.parse_text(text)
