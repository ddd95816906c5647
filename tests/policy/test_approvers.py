import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.build import approval

from holdfast.errors import RulesError
from holdfast.policy.approvers import Approver, key_problem

VECTORS = json.loads((Path(__file__).parent / "vectors" / "ed25519_keys.json").read_text("utf-8"))
P = 2**255 - 19


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


KEY = encoded(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw())


@given(st.binary(min_size=32, max_size=32))
def test_every_key_that_somebody_could_have_made_is_taken(seed: bytes) -> None:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert key_problem(encoded(public)) is None


@pytest.mark.parametrize("key_hex", VECTORS["small_order"])
def test_a_key_of_small_order_is_refused(key_hex: str) -> None:
    problem = key_problem(encoded(bytes.fromhex(key_hex)))
    assert problem is not None
    assert "small order" in problem


def test_a_key_that_is_not_canonical_is_refused() -> None:
    assert key_problem(encoded((P + 3).to_bytes(32, "little"))) == "is not in canonical form"


def test_a_key_that_is_not_on_the_curve_is_refused() -> None:
    assert key_problem(encoded((2).to_bytes(32, "little"))) == "is not on the curve"


@pytest.mark.parametrize(
    "text",
    ["", "AAAA", KEY[:-1], KEY + "\n", KEY + "=", KEY.replace("=", ""), encoded(bytes(33)), "é" * 44, KEY[:-2] + "9="],
)
def test_a_text_that_is_not_the_one_spelling_of_32_bytes_is_refused(text: str) -> None:
    problem = key_problem(text)
    assert problem is not None
    assert "base64" in problem


def test_people_are_enrolled_by_key_or_by_name_or_both() -> None:
    rules = approval(
        "[]",
        f"""\
        - {{id: alice, name: Alice, groups: [a], public_key: "{KEY}"}}
        - {{id: bob, iss: https://idp.example, sub: "7"}}
        """,
    )
    assert rules.approvers == (
        Approver("alice", "Alice", ("a",), KEY, None, None),
        Approver("bob", "bob", (), None, "https://idp.example", "7"),
    )


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("- {id: a}", "names nobody"),
        ("- {id: a, iss: x}", "stands alone"),
        ("- {id: a, sub: x}", "stands alone"),
        ("- {id: a, iss: '', sub: ''}", "stands alone"),
        (f"- {{id: a, iss: x, public_key: '{KEY}'}}", "stands alone"),
        ("- {id: a, public_key: abc}", "is not base64"),
        (f"- {{id: a, public_key: '{encoded(bytes(32))}'}}", "small order"),
        ("- {id: a, iss: x, sub: y, mail: z}", "mail is not known"),
        ("- {id: a, iss: x, sub: y}\n- {id: a, iss: x, sub: z}", "used twice"),
        ("- {id: a, iss: x, sub: y}\n- {id: b, iss: x, sub: y}", "belongs to another approver"),
        (f"- {{id: a, public_key: '{KEY}'}}\n- {{id: b, public_key: '{KEY}'}}", "belongs to another approver"),
    ],
)
def test_an_approver_who_could_be_nobody_or_two_is_refused(people: str, words: str) -> None:
    with pytest.raises(RulesError, match=words):
        approval("[]", people)
