"""What the structure around a value says about it: columns, labels, collections, the names of members."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.call import Call, Direction
from holdfast.jsontext import Json
from holdfast.masking.compounds import parted
from holdfast.masking.labels import Role, role_of
from holdfast.masking.masker import Masker
from holdfast.masking.words import name_words

CARD = "4111111111111112"  # fails its checksum: only its place says what it is
SSN = "234456789"


def kept(masker: Masker, value: Json) -> Json:
    call = Call("vendor/x", {"x": value}, 1, Direction.TO_CLIENT)
    done = asyncio.run(masker.mask(call, server="crm")).keep
    assert isinstance(done, Call)
    return done.member("x")


@pytest.mark.parametrize(
    ("table", "masked"),
    [
        ({"columns": ["id", "ssn"], "rows": [[1, SSN]]}, {"columns": ["id", "ssn"], "rows": [[1, "<US_SSN>"]]}),
        ({"fields": ["id", "pwd"], "values": [[1, "abc"]]}, {"fields": ["id", "pwd"], "values": [[1, "<PASSWORD>"]]}),
        (
            {"header": ["id", "dob"], "data": [[1, "1.1.80"]]},
            {"header": ["id", "dob"], "data": [[1, "<DATE_OF_BIRTH>"]]},
        ),
        ({"columnNames": ["ssn"], "records": [[SSN], [SSN]]}, {"columnNames": ["ssn"], "records": [["<US_SSN>"]] * 2}),
        ({"meta": [{"name": "ssn", "type": "String"}], "data": [[SSN]]}, None),  # as ClickHouse answers
        ({"schema": {"fields": [{"name": "ssn"}]}, "rows": [{"f": [{"v": SSN}]}]}, None),  # as BigQuery answers
        ({"cols": [{"id": "A", "label": "SSN"}], "rows": [{"c": [{"v": SSN}]}]}, None),  # as Google's charts have it
        ({"columnMetadata": [{"name": "ssn"}], "records": [[{"stringValue": SSN}]]}, None),  # as Amazon RDS answers
        ({"ResultSetMetadata": {"ColumnInfo": [{"Name": "ssn"}]}, "Rows": [{"Data": [{"VarCharValue": SSN}]}]}, None),
        ({"schema": {"fields": [{"name": "t"}, {"name": "ssn"}]}, "data": {"values": [[1, 2, 3], [SSN] * 3]}}, None),
        ({"results": [{"columns": ["u.ssn"], "data": [{"row": [SSN], "meta": [None]}]}]}, None),  # as Neo4j answers
        ({"columns": ["ssn", "id"], "row": [SSN, 1]}, None),
        ({"range": "A1:B3", "values": [["Name", "SSN"], ["Ada", SSN], ["Bob"]]}, None),  # as a spreadsheet answers
        ([["id", "user1", "ssn"], [1, "x", SSN]], None),
        ([["Staff of 2024"], [], ["Name", "SSN"], ["Ada", SSN]], None),
        ([{"cells": ["Name", "SSN"]}, {"cells": ["Ada", SSN]}], None),
    ],
)
def test_a_cell_is_what_its_column_is_called(masker: Masker, table: Json, masked: Json) -> None:
    done = kept(masker, table)
    assert SSN not in repr(done)
    assert masked in (None, done)


def test_members_beside_a_table_are_no_rows_of_it(masker: Masker) -> None:
    value: Json = {"columns": ["id", "password"], "types": ["int", "text"], "index": ["a", "b"], "unique": ["x", "y"]}
    assert kept(masker, value) == value


def test_a_mask_is_no_name_of_a_column_and_no_label(masker: Masker) -> None:
    value: Json = {
        "columns": ["id", "<API_KEY>"],
        "rows": [[1, "hunter2-A"]],
        "label": "<PASSWORD>",
        "value": "hunter2",
    }
    assert kept(masker, value) == value


def test_arrays_without_a_header_are_no_tables(masker: Masker) -> None:
    value: Json = [["the", "password"], ["was", "changed"], [1, 2]]
    assert kept(masker, [[1.5, 2.5], [3.5, 4.5]]) == [[1.5, 2.5], [3.5, 4.5]]
    assert kept(masker, [["red", "green"], ["salt", "pepper"]]) == [["red", "green"], ["salt", "pepper"]]
    assert kept(masker, value) != value  # the first row reads as names of columns, and one is *password*


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"Name": "DB_PASSWORD", "Value": "hunter2"}, {"Name": "DB_PASSWORD", "Value": "<PASSWORD>"}),
        ({"KEY": "ssn", "VALUE": SSN}, {"KEY": "ssn", "VALUE": "<US_SSN>"}),
        ({"label": "SSN", "values": [SSN]}, {"label": "SSN", "values": ["<US_SSN>"]}),
        (
            {"field": "password", "old": "a1", "new": "b2"},
            {"field": "password", "old": "<PASSWORD>", "new": "<PASSWORD>"},
        ),
        ({"title": "Password", "default": "hunter2"}, {"title": "Password", "default": "<PASSWORD>"}),
        (
            {"id": "17", "fieldLabel": "SSN", "displayValue": SSN},
            {"id": "17", "fieldLabel": "SSN", "displayValue": "<US_SSN>"},
        ),
        ({"name": "ssn", "value": {"stringValue": SSN}}, {"name": "ssn", "value": {"stringValue": "<US_SSN>"}}),
        ({"key": "pwd", "text": "hunter2"}, {"key": "pwd", "text": "<PASSWORD>"}),
        ({"title": "SSN", "content": SSN}, {"title": "SSN", "content": "<US_SSN>"}),
        ({"q": "Your SSN?", "a": SSN}, {"q": "Your SSN?", "a": "<US_SSN>"}),
        (
            {"type": {"text": "SSN"}, "value": SSN},
            {"type": {"text": "SSN"}, "value": "<US_SSN>"},
        ),  # as FHIR identifies people
        (
            {"url": "http://example.com/us-ssn", "valueString": SSN},
            {"url": "http://example.com/us-ssn", "valueString": "<US_SSN>"},
        ),
        ({"rawHeaders": ["Host", "x", "X-Api-Key", "ab-c12"]}, {"rawHeaders": ["Host", "x", "X-Api-Key", "<API_KEY>"]}),
        ({"system": "phone", "value": "555 1234 567"}, {"system": "phone", "value": "<PHONE_NUMBER>"}),
        ({"name": "pw", "in": "query", "example": "abc"}, {"name": "pw", "in": "query", "example": "<PASSWORD>"}),
        (
            {"name": "pw", "schema": {"type": "string", "default": "abc"}},
            {"name": "pw", "schema": {"type": "string", "default": "<PASSWORD>"}},
        ),
    ],
)
def test_a_value_is_what_its_label_says(masker: Masker, value: Json, masked: Json) -> None:
    assert kept(masker, value) == masked


@pytest.mark.parametrize(
    "value",
    [
        {"label": "API Key", "value": "api_key"},
        {"name": "Password reset", "value": "enabled"},
        {"type": "string", "title": "Region", "default": "eu-west-1"},
        {"name": "password", "type": "string", "required": True},
        {"title": "Password", "description": "At least twelve characters."},
        {"title": "Password", "content": "At least twelve characters."},
        {"type": "token", "content": "left_paren"},
    ],
)
def test_a_label_says_nothing_about_other_members(masker: Masker, value: Json) -> None:
    assert kept(masker, value) == value


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": {"current": "a1", "new": "b2"}}, {"password": {"current": "<PASSWORD>", "new": "<PASSWORD>"}}),
        ({"passwords": {"root": "toor", "count": 1}}, {"passwords": {"root": "<PASSWORD>", "count": 1}}),
        ({"password": {"S": "hunter2"}}, {"password": {"S": "<PASSWORD>"}}),  # as DynamoDB answers
        ({"card": {"number": CARD, "title": "Hi"}}, {"card": {"number": "************1112", "title": "Hi"}}),
        ({"card": ["4111", "1111", "1111", "1112"]}, {"card": ["****"] * 4}),
        ({"card": ["4111-1111", "1111-1112"]}, {"card": ["****1111", "****1112"]}),
        (
            {"phones": [{"type": "home", "number": "555 1234 567"}]},
            {"phones": [{"type": "home", "number": "<PHONE_NUMBER>"}]},
        ),
        (
            {"properties": {"pw": {"type": "string", "default": "a"}}},
            {"properties": {"pw": {"type": "string", "default": "<PASSWORD>"}}},
        ),
        (["unlock", "--password", "hunter2"], ["unlock", "--password", "<PASSWORD>"]),
        ([["user", "bob"], ["password", "hunter2"]], [["user", "bob"], ["password", "<PASSWORD>"]]),
        ([{"id": 1, "password": ["ssn", "hunter2"]}], [{"id": 1, "password": ["<PASSWORD>", "<PASSWORD>"]}]),
    ],
)
def test_a_rule_reaches_what_stands_below_its_name(masker: Masker, value: Json, masked: Json) -> None:
    assert kept(masker, value) == masked


@pytest.mark.parametrize(
    "value",
    [
        {"token": {"type": "bearer", "expires_in": 3600}},
        {"card": {"title": "Hello", "items": ["4111", "1112"]}},
        {"password": {"type": "string", "min_length": 8, "policy": "strong"}},
        {"passwords": {"policy": "strong", "required": True, "user": "bob"}},
        {"card": ["4111", "1112"]},
        {"labels": ["ssn", "phone"], "values": [12, 30]},
        [["Column", "Type"], ["password", "text"], ["ssn", "varchar"]],
        ["unlock", "--password", "--force"],
        ["use", "--password-file", "secret.txt"],
    ],
)
def test_a_rule_does_not_reach_what_is_told_about_its_value(masker: Masker, value: Json) -> None:
    assert kept(masker, value) == value


def test_a_default_in_the_schema_of_a_tool_is_masked_and_its_structure_is_not(masker: Masker) -> None:
    schema: Json = {"type": "object", "properties": {"pw": {"type": "string", "default": "hunter2"}}}
    tool: Json = {"name": "login", "inputSchema": schema}
    call = Call("vendor/x", {"tools": [tool]}, 1, Direction.TO_CLIENT)
    done = asyncio.run(masker.mask(call, server="crm")).forward
    assert isinstance(done, Call)
    masked: Json = {"type": "object", "properties": {"pw": {"type": "string", "default": "<PASSWORD>"}}}
    assert done.member("tools") == [{"name": "login", "inputSchema": masked}]


@pytest.mark.parametrize(
    "name",
    [
        *("password", "dbpassword", "userpassword", "passwordconfirm", "password_new", "password2", "x-password"),
        *("user.password", "user[password]", "PASSWORD", "p\u00e1ssword", "pass\u200bword", "smtppass", "rootpwd"),
    ],
)
def test_a_name_is_read_with_and_without_seams(masker: Masker, name: str) -> None:
    assert kept(masker, {name: "hunter2-A"}) != {name: "hunter2-A"}


@pytest.mark.parametrize(
    "name",
    [
        *("passwordless", "cardinal", "tokenizer", "phoneme", "emailed", "discard_number", "wildcards", "compass"),
        *("bypass", "monkey", "microphone", "panel", "opinion", "mailman", "keyboard", "passive", "secretary"),
    ],
)
def test_a_word_that_only_contains_another_is_not_it(masker: Masker, name: str) -> None:
    for value in ("Hunter2-A", CARD, "bob@localhost", 5551234567):
        assert _members(kept(masker, {name: value})) == _members(kept(masker, {"thing": value}))


def _members(value: Json) -> list[Json]:
    assert isinstance(value, dict)
    return list(value.values())


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("mobilephonenumber", ("mobile", "phone", "number")),
        ("ccnumber", ("cc", "number")),
        ("password", ("password",)),
        ("username", ("username",)),
        ("tokenizer", ("tokenizer",)),
        ("phone" * 40, ("phone" * 40,)),
    ],
)
def test_a_word_is_cut_where_known_words_cover_all_of_it(word: str, words: tuple[str, ...]) -> None:
    assert parted(word) == words


@pytest.mark.parametrize("name", ["客户电话", "お電話番号", "고객전화번호", "फोन", "फोन१", "ΚΙΝΗΤΌ", "Номер телефона"])
def test_a_name_written_without_blanks_is_what_it_ends_with(masker: Masker, name: str) -> None:
    assert kept(masker, {name: "5551234567"}) == {name: "<PHONE_NUMBER>"}


@pytest.mark.parametrize("name", ["电话费用", "电", "फैन", "फ", "телефония", "产品电话" * 3])
def test_a_name_that_only_begins_like_another_or_has_other_vowels_is_not_it(masker: Masker, name: str) -> None:
    assert kept(masker, {name: "5551234567"}) == {name: "5551234567"}


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_the_words_of_any_name_are_its_own(name: str) -> None:
    assert all(words == words.lower() for words in name_words(name))
    assert role_of(name) in Role


_LEAF = st.one_of(
    st.sampled_from(["ssn", "password", SSN, CARD, "x", "--token", "value", "name"]), st.integers(0, 10**9)
)
_NAMES = st.sampled_from(
    ["columns", "rows", "data", "name", "value", "password", "cards", "fields", "values", "schema"]
)
_VALUE = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=24
)


@given(_VALUE)
@settings(max_examples=100, deadline=None)
def test_masking_any_structure_keeps_its_form_and_masking_it_again_changes_nothing(masker: Masker, value: Json) -> None:
    once = kept(masker, value)
    assert _form(once) == _form(value)
    assert kept(masker, once) == once


def _form(value: Json) -> object:
    if isinstance(value, dict):
        return {name: _form(item) for name, item in value.items()}
    return [_form(item) for item in value] if isinstance(value, list) else None
