"""A session belongs to the Caller who opened it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller
from holdfast.identity.sessions import Sessions


def caller(sub: str, iss: str = "https://i.example") -> Caller:
    until = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Caller(iss, sub, sub, (), "aud", None, "jwt", "0" * 64, until)


def cause_of(sessions: Sessions, session_id: str, who: Caller) -> Cause | None:
    try:
        sessions.check("crm", session_id, who)
    except Refused as refused:
        return refused.cause
    return None


ADA, BO = caller("ada"), caller("bo")


def test_a_session_is_its_openers_until_it_ends() -> None:
    sessions = Sessions()
    assert cause_of(sessions, "s-1", ADA) is Cause.NO_SESSION
    sessions.open("crm", "s-1", ADA)
    sessions.open("crm", "s-1", ADA)
    assert cause_of(sessions, "s-1", ADA) is None
    assert cause_of(sessions, "s-1", BO) is Cause.FORBIDDEN
    assert cause_of(sessions, "s-1", caller("ada", "https://other.example")) is Cause.FORBIDDEN
    sessions.end("crm", "s-1")
    sessions.end("crm", "s-1")
    assert cause_of(sessions, "s-1", ADA) is Cause.NO_SESSION
    assert len(sessions) == 0


def test_no_refusal_quotes_a_session_id() -> None:
    with pytest.raises(Refused) as caught:
        Sessions().check("crm", "0c5f-secret", ADA)
    assert "0c5f-secret" not in caught.value.reason + caught.value.next_step


def test_a_server_that_gives_one_id_to_two_callers_is_at_fault() -> None:
    sessions = Sessions()
    sessions.open("crm", "s-1", ADA)
    with pytest.raises(Refused) as caught:
        sessions.open("crm", "s-1", BO)
    assert caught.value.cause is Cause.SERVER_FAULT
    assert cause_of(sessions, "s-1", ADA) is None


def test_one_caller_cannot_push_out_anothers_session() -> None:
    sessions = Sessions(sessions_count_max=10, per_caller_count_max=5)
    sessions.open("crm", "bo", BO)
    for n in range(100):
        sessions.open("crm", f"ada-{n}", ADA)
    assert cause_of(sessions, "bo", BO) is None
    assert len(sessions) == 6


def test_a_caller_over_the_limit_loses_the_session_used_least_lately() -> None:
    sessions = Sessions(per_caller_count_max=2)
    sessions.open("crm", "a", ADA)
    sessions.open("crm", "b", ADA)
    sessions.check("crm", "a", ADA)
    sessions.open("crm", "c", ADA)
    assert [cause_of(sessions, name, ADA) for name in "abc"] == [None, Cause.NO_SESSION, None]


def test_when_all_is_full_whoever_holds_most_gives_way() -> None:
    sessions = Sessions(sessions_count_max=4, per_caller_count_max=3)
    for name in "abc":
        sessions.open("crm", name, ADA)
    sessions.open("crm", "bo", BO)
    sessions.open("crm", "cy", caller("cy"))
    assert cause_of(sessions, "a", ADA) is Cause.NO_SESSION
    assert cause_of(sessions, "bo", BO) is None
    assert cause_of(sessions, "cy", caller("cy")) is None


def test_a_session_of_one_server_is_none_at_another() -> None:
    sessions = Sessions()
    sessions.open("crm", "s-1", ADA)
    with pytest.raises(Refused) as refused:
        sessions.check("docs", "s-1", ADA)
    assert refused.value.cause is Cause.NO_SESSION
    sessions.open("docs", "s-1", BO)
    sessions.end("docs", "s-1")
    assert cause_of(sessions, "s-1", ADA) is None


def test_sessions_come_back_from_records() -> None:
    before, after = Sessions(), Sessions()
    before.open("crm", "s-1", ADA)
    after.restore(before.digest_hex("crm", "s-1"), ADA.key)
    assert cause_of(after, "s-1", ADA) is None
    assert cause_of(after, "s-1", BO) is Cause.FORBIDDEN


def test_the_digest_is_fixed_for_ever() -> None:
    # printf 'holdfast/session/v2\0crm\0s-1' | sha256sum
    assert Sessions.digest_hex("crm", "s-1") == "b4570b210955350bb6e91e19800c7fc1ca6a0f467b6f5318e286f7a3643365bc"


@given(
    st.lists(
        st.tuples(st.sampled_from(["open", "check", "end"]), st.sampled_from("abcdefgh"), st.sampled_from([ADA, BO]))
    )
)
def test_limits_and_ownership_hold_whatever_happens(steps: list[tuple[str, str, Caller]]) -> None:
    sessions, owners = Sessions(sessions_count_max=5, per_caller_count_max=3), dict[str, Caller]()
    for step, name, who in steps:
        match step:
            case "open" if owners.get(name, who) is who or cause_of(sessions, name, who) is Cause.NO_SESSION:
                sessions.open("crm", name, who)
                owners[name] = who
            case "end":
                sessions.end("crm", name)
                owners.pop(name, None)
            case _:
                assert cause_of(sessions, name, who) is not None or owners[name] is who
        assert len(sessions) <= 5
