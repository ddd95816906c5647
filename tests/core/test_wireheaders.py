"""Ids in headers: a random one passes whatever it looks like, any other is searched."""

import secrets
import uuid
from pathlib import Path

import pytest
from tests.live.harness.warm import masker_of
from tests.policy.shipped import RULES

from holdfast.masking.masker import Masker
from holdfast.policy.ruleset import load_ruleset
from holdfast.wireheaders import tells


@pytest.fixture(scope="module")
def masker() -> Masker:
    return masker_of(load_ruleset(Path(RULES)).masking)


def test_ids_as_servers_draw_them_never_tell_anything(masker: Masker) -> None:
    drawn = [text for made in (uuid.uuid4() for _ in range(300)) for text in (made.hex, str(made))]
    drawn += ["305f680c22e84f55949cbfae5708764d", "1842fafe-576b-495d-8cda-4ecc7971624c", secrets.token_hex(32)]
    assert [value for value in drawn if tells(value, masker.keep_text)] == []


@pytest.mark.parametrize("value", ["234-45-6789", "bob@example.com", "4111-1111-1111-1111", "x.4111111111111111"])
def test_an_id_that_holds_a_regulated_value_is_found(masker: Masker, value: str) -> None:
    assert tells(value, masker.keep_text)


def test_digits_alone_are_no_random_id() -> None:
    assert tells("41111111111111114111111111111111", lambda _: "masked")
    assert not tells("305f680c22e84f55949cbfae5708764d", lambda _: "masked")
