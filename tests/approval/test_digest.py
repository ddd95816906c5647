"""What makes two calls the same call."""

import dataclasses
import hashlib
import hmac

import pytest

from holdfast.approval.digest import Around, request_digest_hex
from holdfast.call import Call, Direction
from holdfast.jsontext import JsonObject

KEY = b"k" * 32


def call(params: JsonObject | None, method: str = "tools/call", call_id: int = 1) -> Call:
    return Call(method, params, call_id, Direction.TO_SERVER)


BASE = call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}})


def digest(one: Call, server: str = "crm", key: bytes = KEY) -> str:
    return request_digest_hex(key, server, one)


def test_a_digest_is_sixty_four_hex_digits_and_always_the_same() -> None:
    assert digest(BASE) == digest(dataclasses.replace(BASE))
    assert len(digest(BASE)) == 64


@pytest.mark.parametrize(
    "same",
    [
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}}, call_id=99),
        call({"arguments": {"b": [1, 2], "a": 1}, "name": "export"}),
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}, "_meta": {"progressToken": 3}}),
        call(
            {
                "name": "export",
                "arguments": {"a": 1, "b": [1, 2]},
                "_meta": {
                    "traceparent": "00-1-2-01",
                    "tracestate": "x",
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientInfo": {"name": "c"},
                    "io.modelcontextprotocol/clientCapabilities": {},
                },
            }
        ),
    ],
)
def test_a_repeat_has_the_same_digest(same: Call) -> None:
    assert digest(same) == digest(BASE)


@pytest.mark.parametrize(
    "other",
    [
        call({"name": "export", "arguments": {"a": 2, "b": [1, 2]}}),
        call({"name": "export", "arguments": {"a": "1", "b": [1, 2]}}),
        call({"name": "export", "arguments": {"a": 1, "b": [2, 1]}}),
        call({"name": "export2", "arguments": {"a": 1, "b": [1, 2]}}),
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2], "requestState": "x"}}),
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}, "_meta": {"own": 1}}),
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}, "_meta": {"baggage": "x"}}),
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}, "requestState": "x"}),
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}, "inputResponses": {"k": {"action": "accept"}}}),
        call(
            {
                "name": "export",
                "arguments": {"a": 1, "b": [1, 2]},
                "_meta": {"io.modelcontextprotocol/related-task": {"taskId": "t"}},
            }
        ),
        dataclasses.replace(BASE, extra={"arguments": {"a": 9}}),
        call({"name": "export", "arguments": {"a": 1, "b": [1, 2]}}, method="prompts/get"),
        call(None),
    ],
)
def test_any_other_call_has_another_digest(other: Call) -> None:
    assert digest(other) != digest(BASE)


def test_server_and_key_are_part_of_it() -> None:
    assert len({digest(BASE), digest(BASE, server="erp"), digest(BASE, key=b"x" * 32)}) == 3


def test_params_that_are_a_list_are_covered_whole() -> None:
    assert digest(dataclasses.replace(BASE, params=[1])) != digest(dataclasses.replace(BASE, params=[2]))


def test_the_digest_is_an_hmac_over_the_documented_bytes() -> None:
    covered = (
        b'{"act":[],"extra":{},"method":"tools/call","mirrors":[],"params":{"arguments":{"a":1,"b":[1,2]},'
        b'"name":"export"},"path":"","server":"crm"}'
    )
    assert digest(BASE) == hmac.new(KEY, b"holdfast/request/v1\0" + covered, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "around",
    [
        Around(path="/other"),
        Around("/mcp", (("mcp-param-region", "us"),)),
        Around("/mcp", (("mcp-param-region", "eu"),), ("https://idp.example|bob",)),
    ],
)
def test_what_is_around_a_call_is_covered_too(around: Around) -> None:
    usual = Around("/mcp", (("mcp-param-region", "eu"),))
    assert request_digest_hex(KEY, "crm", BASE, around) != request_digest_hex(KEY, "crm", BASE, usual)
