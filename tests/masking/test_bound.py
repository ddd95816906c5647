"""Values that are handed over beside a query are called what the query calls them."""

import pytest

from holdfast.jsontext import Json
from holdfast.masking.masker import Masker

MUTATION = "mutation L($e: String!, $p: String!) { login(user: $e, password: $p) { id } }"
BOUND: list[tuple[Json, Json]] = [
    ({"query": MUTATION, "variables": {"e": "x", "p": "example"}},
     {"query": MUTATION, "variables": {"e": "x", "p": "<PASSWORD>"}}),
    ({"sql": "INSERT INTO u (a, password) VALUES ($1, $2)", "params": ["x", "example"]},
     {"sql": "INSERT INTO u (a, password) VALUES ($1, $2)", "params": ["x", "<PASSWORD>"]}),
    ({"sql": "UPDATE u SET password = ? WHERE a = ?", "args": ["example", "x"]},
     {"sql": "UPDATE u SET password = ? WHERE a = ?", "args": ["<PASSWORD>", "x"]}),
    ({"query": "SELECT 1 FROM u WHERE ssn = :s AND a = :a", "params": {"s": "078051120", "a": "x"}},
     {"query": "SELECT 1 FROM u WHERE ssn = :s AND a = :a", "params": {"s": "<US_SSN>", "a": "x"}}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), BOUND)
def test_a_value_beside_a_query_is_what_the_query_calls_it(masker: Masker, value: Json, expected: Json) -> None:
    assert masker.keep_json(value) == expected


def test_a_value_beside_a_query_about_nobody_stays(masker: Masker) -> None:
    value: Json = {"query": "SELECT * FROM t WHERE label = $1", "variables": {"p": "example"}, "values": ["tools"]}
    assert masker.keep_json(value) == value
