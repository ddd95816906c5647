"""How databases and services wrap a value: the member that names it stands further up, or beside it."""

import pytest
from tests.masking.test_structure import SSN, kept

from holdfast.jsontext import Json
from holdfast.masking.masker import Masker


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"ssn": {"S": SSN}}, {"ssn": {"S": "<US_SSN>"}}),  # as DynamoDB has it
        ({"pwds": {"L": [{"S": "ab"}]}}, {"pwds": {"L": [{"S": "<PASSWORD>"}]}}),
        ({"ssns": {"SS": [SSN]}}, {"ssns": {"SS": ["<US_SSN>"]}}),
        (
            {"pwds": {"arrayValue": {"values": [{"stringValue": "ab"}]}}},  # as Firestore has it
            {"pwds": {"arrayValue": {"values": [{"stringValue": "<PASSWORD>"}]}}},
        ),
        ({"user.pwd.keyword": ["ab"]}, {"user.pwd.keyword": ["<PASSWORD>"]}),  # as Elasticsearch has it
        ({"pwd": {"$eq": "ab"}}, {"pwd": {"$eq": "<PASSWORD>"}}),  # as MongoDB is asked
        ({"ssn": {"$in": [SSN]}}, {"ssn": {"$in": ["<US_SSN>"]}}),
        ({"Pwd__c": "ab"}, {"Pwd__c": "<PASSWORD>"}),  # as Salesforce has it
        (
            {"Pwd": {"type": "rich_text", "rich_text": [{"plain_text": "ab"}]}},  # as Notion has it
            {"Pwd": {"type": "rich_text", "rich_text": [{"plain_text": "<PASSWORD>"}]}},
        ),
        (
            {"field": "pwd", "fromString": "ab", "toString": "cd"},  # as Jira has it
            {"field": "pwd", "fromString": "<PASSWORD>", "toString": "<PASSWORD>"},
        ),
        (
            {"op": "replace", "path": "/user/pwd", "value": "ab"},  # RFC 6902
            {"op": "replace", "path": "/user/pwd", "value": "<PASSWORD>"},
        ),
        (
            {"kind": "Secret", "data": {"conn": "cTF3Mg=="}, "stringData": {"x.conf": "a=b", "type": "c"}},
            {"kind": "Secret", "data": {"conn": "<PASSWORD>"}, "stringData": {"x.conf": "<PASSWORD>", "type": "c"}},
        ),
        (
            {"label": "wifi", "type": "CONCEALED", "value": "ab"},
            {"label": "wifi", "type": "CONCEALED", "value": "<PASSWORD>"},
        ),
        ({"pwd": {"from": "ab", "to": "cd"}}, {"pwd": {"from": "<PASSWORD>", "to": "<PASSWORD>"}}),
        (["user", "ada", "pwd", "a1", "ssn", SSN], ["user", "ada", "pwd", "<PASSWORD>", "ssn", "<US_SSN>"]),  # Redis
        (
            {"element": "Pwd field", "ref": "e12", "text": "a1"},  # as a browser is told to type
            {"element": "Pwd field", "ref": "e12", "text": "<PASSWORD>"},
        ),
        ({"selector": "#pwd", "value": "ab"}, {"selector": "#pwd", "value": "<PASSWORD>"}),
        (
            {"loc": ["body", "pwd"], "msg": "too short", "input": "a1"},  # as errors of a check say it
            {"loc": ["body", "pwd"], "msg": "too short", "input": "<PASSWORD>"},
        ),
        ({"path": ["pwd"], "received": "a1"}, {"path": ["pwd"], "received": "<PASSWORD>"}),
        (
            {"field": {"title": "What is your SSN?"}, "text": SSN},
            {"field": {"title": "What is your SSN?"}, "text": "<US_SSN>"},
        ),
        (
            {"SSN": {"textAnswers": {"answers": [{"value": SSN}]}}},
            {"SSN": {"textAnswers": {"answers": [{"value": "<US_SSN>"}]}}},
        ),
        (
            {"type": {"coding": [{"code": "x", "display": "SSN"}]}, "value": SSN},
            {"type": {"coding": [{"code": "x", "display": "SSN"}]}, "value": "<US_SSN>"},
        ),
        (
            {"type": {"coding": [{"code": "MR"}]}, "value": "00784512"},
            {"type": {"coding": [{"code": "MR"}]}, "value": "<MEDICAL_RECORD>"},
        ),
        (
            {"dob": {"timestampValue": "1975-02-11T00:00:00Z"}, "token": {"timestamp": "2024-11-22T00:00:00Z"}},
            {"dob": {"timestampValue": "<DATE_OF_BIRTH>"}, "token": {"timestamp": "2024-11-22T00:00:00Z"}},
        ),
    ],
)
def test_a_value_is_found_in_what_wraps_it(masker: Masker, value: Json, masked: Json) -> None:
    assert kept(masker, value) == masked


@pytest.mark.parametrize("names", [("emailAddress", "displayName"), ("address", "name"), ("email", "real_name")])
def test_a_name_beside_an_address_of_mail_is_a_person_s(masker: Masker, names: tuple[str, str]) -> None:
    found = kept(masker, dict(zip(names, ("ada@example.com", "Ada L"), strict=True)))
    assert isinstance(found, dict)
    assert found[names[1]] == "<PERSON>"


@pytest.mark.parametrize(
    "value",
    [
        {"properties": {"password": {"$ref": "#/definitions/text"}}},
        {"password": {"type": "string", "minLength": 8, "pattern": "^[a-z]+$"}},
        {"ssn": {"type": "array", "items": {"type": "string"}}},
        {"kind": "ConfigMap", "data": {"conn": "cTF3Mg=="}},
        {"kind": "Secret", "metadata": {"name": "db", "namespace": "prod"}},
        {"op": "add", "path": "/user/name", "value": "ab"},
        {"path": "/etc/passwords", "content": "none"},
        {"field": "status", "fromString": "open", "toString": "done"},
        {"token": {"type": "keyword"}},
        {"element": "Password field", "ref": "e12"},
        {"element": "Forgot password link", "ref": "e12", "text": "a1"},
        ["user", "password", "token", "role"],
        ["password", "user", "role", "token"],
        ["read", "a1", "token", "next"],
        {"range": {"from": "a1", "to": "b2"}},
        {"name": "lodash", "repository": "git@github.com:x/y.git", "version": "lodash@4.17.21"},
        {"type": {"coding": [{"code": "XX"}]}, "value": "00784512"},
    ],
)
def test_what_says_how_a_value_is_kept_is_none(masker: Masker, value: Json) -> None:
    assert kept(masker, value) == value
