"""The sealed state of a wait in legs: it brings the same call back, for the same Caller, for a while."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.approval.doubles import caller_of

from holdfast.approval.legs import FIRST, LEGS_MAX, STATE_BYTES_MAX, Leg, Legs, can_resume, input_required, shows_pages
from holdfast.call import Call, Direction
from holdfast.clock import SetClock
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject

KEY = bytes(range(32))
META = "io.modelcontextprotocol/"
ANN = caller_of("ann")
DIGEST = "ab" * 32


def modern(method: str = "tools/call", call_id: int | None = 1, **params: Json) -> Call:
    meta: JsonObject = {META + "protocolVersion": "2026-07-28", META + "clientCapabilities": {}}
    said: JsonObject = {"name": "pay", "arguments": {"to": "Bob"}, "_meta": meta}
    return Call(method, said | params, call_id, Direction.TO_SERVER)


def legs(clock: SetClock | None = None, key: bytes = KEY) -> Legs:
    return Legs(key, clock or SetClock(), lambda count: b"\7" * count)


def state_of(call: Call, leg: Leg = FIRST) -> str:
    state = legs().next_state(call, leg, DIGEST, ANN, 60)
    assert state is not None
    return state


def back(call: Call, state: str, **more: Json) -> Call:
    assert isinstance(call.params, dict)
    params = {**call.params, "requestState": state, **more}
    return dataclasses.replace(call, params=params, id=None if call.id is None else 2)


def test_a_call_that_comes_back_is_what_it_was() -> None:
    call = modern(requestState="of the server", inputResponses={"q": {"action": "accept"}})
    returned, leg = legs().resume(back(call, state_of(call), inputResponses={}), ANN)
    assert returned.params == call.params
    assert (leg.number, leg.digest_hex, leg.declined) == (1, DIGEST, False)


def test_a_call_with_a_state_of_the_server_is_left_alone() -> None:
    call = modern(requestState="hf2.of-the-server")
    assert legs().resume(call, ANN) == (call, FIRST)


def test_another_caller_cannot_use_the_state() -> None:
    call = modern()
    with pytest.raises(Refused) as refused:
        legs().resume(back(call, state_of(call)), caller_of("bob"))
    assert refused.value.cause is Cause.MALFORMED


def test_another_gateway_cannot_open_the_state() -> None:
    call = modern()
    with pytest.raises(Refused):
        legs(key=bytes(32)).resume(back(call, state_of(call)), ANN)


def test_an_expired_state_says_so() -> None:
    call, clock = modern(), SetClock()
    state = state_of(call)
    clock.advance(61)
    with pytest.raises(Refused) as refused:
        legs(clock).resume(back(call, state), ANN)
    assert refused.value.cause is Cause.HOLD_EXPIRED


@given(st.data())
def test_a_state_with_any_character_changed_opens_nothing(data: st.DataObject) -> None:
    call = modern()
    state = state_of(call)
    at = data.draw(st.integers(4, len(state) - 1))
    char = data.draw(st.characters(codec="ascii").filter(lambda c: c != state[at]))
    with pytest.raises(Refused):
        legs().resume(back(call, state[:at] + char + state[at + 1 :]), ANN)


@given(st.text(max_size=200))
def test_whatever_looks_like_a_state_of_ours_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        legs().resume(back(modern(), "hf1." + text), ANN)


def test_a_state_says_nothing_to_who_carries_it() -> None:
    call = modern(requestState="secret of the server")
    assert "secret" not in state_of(call)


def test_there_is_no_leg_after_the_last() -> None:
    call, leg = modern(), FIRST
    for number in range(LEGS_MAX):
        assert leg.number == number
        call, leg = legs().resume(back(call, state_of(call, leg)), ANN)
    assert legs().next_state(call, leg, DIGEST, ANN, 60) is None


def test_a_user_who_declines_is_given_no_further_leg() -> None:
    call = modern()
    _, leg = legs().resume(back(call, state_of(call), inputResponses={"holdfast.approval": {"action": "decline"}}), ANN)
    assert leg.declined
    assert legs().next_state(call, leg, DIGEST, ANN, 60) is None


def test_what_is_too_large_to_carry_is_not_carried() -> None:
    call = modern(inputResponses={"q": "x" * STATE_BYTES_MAX})
    assert legs().next_state(call, FIRST, DIGEST, ANN, 60) is None


@pytest.mark.parametrize(
    "call",
    [
        modern("tools/list"),
        modern(call_id=None),
        Call("tools/call", {"name": "pay"}, 1, Direction.TO_SERVER),
    ],
    ids=["another method", "a notification", "a client of the handshake era"],
)
def test_only_three_requests_of_the_modern_era_come_back(call: Call) -> None:
    assert not can_resume(call)
    with pytest.raises(Refused):
        legs().resume(back(call, state_of(modern())), ANN)


@pytest.mark.parametrize(
    ("capabilities", "shows"),
    [
        ({"elicitation": {"url": {}}}, True),
        ({"elicitation": {}}, False),
        ({"elicitation": {"form": {}}}, False),
        (7, False),
    ],
)
def test_a_page_is_only_for_clients_that_say_they_can_show_one(capabilities: Json, shows: bool) -> None:  # noqa: FBT001 -- a table's column
    assert shows_pages(modern(_meta={META + "clientCapabilities": capabilities})) is shows


def test_the_answer_asks_for_a_page_only_where_there_is_one() -> None:
    assert "inputRequests" not in input_required("hf1.x", None)
    asked = input_required("hf1.x", "https://gw.example.com/p")["inputRequests"]
    assert isinstance(asked, dict)
    assert list(asked) == ["holdfast.approval"]
