"""Masks where a tool's schema asks for something: in the form of the value, if the ordinary mask would not do."""

import asyncio

import pytest
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Call, Direction, Reply
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.masker import Masker
from holdfast.masking.schemas import Schema

RULES = """\
version: 1
entities:
  - {entity: EMAIL_ADDRESS, operator: pseudonym}
  - {entity: CREDIT_CARD, operator: pseudonym}
  - {entity: IP_ADDRESS, operator: pseudonym, format: token}
  - {entity: US_SSN, operator: replace}
"""
MAIL = "bob@example.com"
PAN = "4111111111111111"


@pytest.fixture(scope="module")
def masker() -> Masker:
    return Masker(rules_of(RULES), KEY)


def schema_of(asked: Json) -> JsonObject:
    return {
        "type": "object",
        "properties": {"x": asked},
        "$defs": {"mail": {"format": "email"}, "loop": {"$ref": "#/$defs/loop"}},
    }


def told(masker: Masker, value: Json, asked: Json) -> Json:
    reply = Reply(1, {"structuredContent": {"x": value}}, None, Direction.TO_CLIENT)
    done = asyncio.run(masker.mask(reply, server="crm", schema=schema_of(asked))).forward
    assert isinstance(done, Reply)
    assert isinstance(done.result, dict)
    found = done.result["structuredContent"]
    assert isinstance(found, dict)
    return found["x"]


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "string", "format": "email"},
        {"$ref": "#/$defs/mail"},
        {"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^[^@<]+@[^@]+$"}]},
        {"allOf": [{"type": "string"}, {"pattern": "^[a-z0-9@.]+$"}]},
        {"type": ["string", "null"], "minLength": 9, "pattern": "@"},
    ],
)
def test_a_mask_has_the_form_that_the_schema_asks_for(masker: Masker, asked: Json) -> None:
    found = told(masker, MAIL, asked)
    assert isinstance(found, str)
    assert found.endswith("@masked.example")


@pytest.mark.parametrize(
    "asked", [{"type": "string"}, {}, {"type": "string", "maxLength": 40}, True, {"$ref": "#/$defs/none"}]
)
def test_where_the_ordinary_mask_will_do_it_stays(masker: Masker, asked: Json) -> None:
    found = told(masker, MAIL, asked)
    assert isinstance(found, str)
    assert found.startswith("<EMAIL_ADDRESS_")


def test_a_pattern_is_met_by_a_mask_that_happens_to_meet_it(masker: Masker) -> None:
    found = told(masker, PAN, {"type": "string", "pattern": r"^4\d{15}$"})
    assert isinstance(found, str)
    assert found[0] == "4"
    assert found != PAN
    assert len(found) == 16


def test_a_pattern_that_no_mask_meets_leaves_the_ordinary_one(masker: Masker) -> None:
    found = told(masker, PAN, {"type": "string", "pattern": f"^{PAN[:-2]}"})
    assert isinstance(found, str)
    assert found.startswith("<CREDIT_CARD_")
    assert str(told(masker, MAIL, {"enum": [MAIL, "eve@example.com"]})).startswith("<EMAIL_ADDRESS_")


def test_a_value_in_a_longer_text_keeps_its_form_too(masker: Masker) -> None:
    found = told(masker, f"Bob <{MAIL}>", {"type": "string", "pattern": r"^Bob <[^<>]+@[^<>]+>$"})
    assert isinstance(found, str)
    assert found.endswith("@masked.example>")


def test_a_rule_that_says_token_has_no_other_mask(masker: Masker) -> None:
    assert str(told(masker, "10.1.2.3", {"type": "string", "format": "ipv4"})).startswith("<IP_ADDRESS_")


def test_other_operators_are_what_the_rule_says(masker: Masker) -> None:
    assert told(masker, "234-45-6789", {"type": "string", "pattern": r"^\d{3}-\d\d-\d{4}$"}) == "<US_SSN>"


def test_arguments_are_masked_by_their_own_schema(masker: Masker) -> None:
    call = Call("tools/call", {"name": "x", "arguments": {"x": [MAIL]}}, 1, Direction.TO_SERVER)
    asked = schema_of({"type": "array", "items": {"type": "string", "format": "email"}})
    done = asyncio.run(masker.mask(call, server="crm", schema=asked)).forward
    assert isinstance(done, Call)
    assert str(done.arguments["x"]).endswith("@masked.example']")


def test_a_text_inside_a_text_is_not_what_the_schema_is_about(masker: Masker) -> None:
    found = told(masker, f'{{"to": "{MAIL}"}}', {"type": "string", "format": "email"})
    assert "<EMAIL_ADDRESS_" in str(found)


@pytest.mark.parametrize(
    ("asked", "value", "admitted"),
    [
        ({"type": "integer"}, 5, True),
        ({"type": "integer"}, 5.0, True),
        ({"type": "integer"}, 5.5, False),
        ({"type": "number"}, "5", False),
        ({"type": "string"}, 5, False),
        ({"minimum": 5, "maximum": 7}, 8, False),
        ({"exclusiveMinimum": 5}, 5, False),
        ({"exclusiveMaximum": 5}, 5, False),
        ({"multipleOf": 2}, 3, False),
        ({"minimum": True}, 0, True),
        ({"const": "a"}, "b", False),
        ({"enum": ["a", 1]}, "a", True),
        ({"minLength": 3}, "ab", False),
        ({"maxLength": 1}, "ab", False),
        ({"pattern": "("}, "ab", True),
        ({"pattern": "b"}, "ab", True),
        ({"pattern": "x" * 600}, "ab", True),
        ({"format": "uuid"}, "123e4567-e89b-12d3-a456-426614174000", True),
        ({"format": "uuid"}, "<UUID_1>", False),
        ({"format": "date"}, "2024-02-29", True),
        ({"format": "ipv4"}, "10.0.0.1", True),
        ({"format": "ipv6"}, "10.0.0.1", False),
        ({"format": "ipv4"}, "x", False),
        ({"format": "phone"}, "<PHONE_NUMBER_1>", False),
        ({"format": "phone"}, "212", True),
        ({"oneOf": [{"type": "string"}, {"minimum": 3}]}, 2, False),
        ({"$ref": "#/$defs/loop"}, "x", True),
        ({"$ref": "https://example.com/s.json"}, "x", True),
        ({"type": 5, "enum": 3, "format": 1, "pattern": 2, "anyOf": {}, "$ref": 4, "items": 3}, "x", True),
    ],
)
def test_what_a_schema_admits(asked: JsonObject, value: str | float, *, admitted: bool) -> None:
    schema = Schema.of_member("top", schema_of(asked))
    assert schema is not None
    inner = schema.member("top")
    assert inner is not None
    of_x = inner.member("x")
    assert of_x is not None
    assert of_x.admits(value) is admitted


def test_a_schema_made_to_be_slow_comes_to_an_end() -> None:
    fan: JsonObject = {
        "anyOf": [{"$ref": "#/$defs/fan"} for _ in range(50)],
        "properties": {"x": {"pattern": "(a+)+$"}},
    }
    root: JsonObject = {"$defs": {"fan": fan}, "properties": {"x": {"$ref": "#/$defs/fan"}}}
    schema = Schema.of_member("top", root)
    for name in ("top", "x", "x", "x"):
        schema = schema.member(name) if schema else None
    assert schema is None or schema.admits("a" * 40 + "!") in (True, False)
    assert Schema({}, ({"pattern": "(a|a)+$"},)).admits("a" * 40 + "!")
