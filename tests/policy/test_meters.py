"""Meters: a budget counts what it is about, by Caller or session, within 60 seconds or as long as a session lasts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.call import Call, Direction
from holdfast.errors import Cause, Refused, RulesError
from holdfast.meters import Meters, Minute, Spender, weighing
from holdfast.policy.budgets import BudgetRules, parse_budgets
from holdfast.policy.document import Source, parse_document
from holdfast.policy.example import make_caller
from holdfast.policy.scope import Facts

ANN = Spender(("idp", "ann"), "s1")


def budgets(*listed: str) -> BudgetRules:
    text = "version: 1\nbudgets:\n" + "".join(f"  - {{description: d, {one}}}\n" for one in listed)
    return parse_budgets(parse_document(Source("budgets.yaml", text.encode())))


def facts(name: str = "t", method: str = "tools/call") -> Facts:
    call = Call(method, {"uri" if method.startswith("res") else "name": name}, 1, Direction.TO_SERVER)
    return Facts(call, make_caller(("staff",)), "crm")


def take(meters: Meters, rules: BudgetRules, count: int, *, now_s: int = 0, spender: Spender = ANN) -> None:
    for _ in range(count):
        meters.take(rules, facts(), spender, now_s)


def refused(meters: Meters, rules: BudgetRules, *, now_s: int = 0, spender: Spender = ANN) -> Refused:
    with pytest.raises(Refused) as raised:
        meters.take(rules, facts(), spender, now_s)
    assert raised.value.cause is Cause.OVER_BUDGET
    return raised.value


def test_a_caller_who_has_spent_the_minute_is_told_when_to_try_again() -> None:
    rules, meters = budgets("id: few, calls_per_minute: 2"), Meters()
    take(meters, rules, 1, now_s=0)
    take(meters, rules, 1, now_s=20)
    error = refused(meters, rules, now_s=30)
    assert (error.rule, error.next_step) == ("few", "Try again in 30 s.")
    take(meters, rules, 1, now_s=60)
    assert refused(meters, rules, now_s=60).next_step == "Try again in 20 s."


def test_a_refused_call_is_counted_by_no_budget() -> None:
    rules, meters = budgets("id: many, calls_per_minute: 3", "id: few, calls_per_minute: 1"), Meters()
    take(meters, rules, 1)
    refused(meters, rules)
    refused(meters, rules)
    assert refused(meters, budgets("id: many, calls_per_minute: 1")).rule == "many"
    take(meters, budgets("id: many, calls_per_minute: 3"), 2)


def test_callers_do_not_spend_each_others_budget() -> None:
    rules, meters = budgets("id: few, calls_per_minute: 1"), Meters()
    take(meters, rules, 1)
    take(meters, rules, 1, spender=Spender(("idp", "bob"), "s1"))
    take(meters, rules, 1, spender=Spender(("other idp", "ann"), "s1"))
    refused(meters, rules, spender=Spender(("idp", "ann"), "s2"))


def test_a_budget_by_session_counts_each_session() -> None:
    rules, meters = budgets("id: few, per: session, calls_per_minute: 1"), Meters()
    take(meters, rules, 1)
    take(meters, rules, 1, spender=Spender(("idp", "ann"), "s2"))
    refused(meters, rules)


def test_a_session_has_its_calls_once() -> None:
    rules, meters = budgets("id: few, calls_per_session: 2"), Meters()
    take(meters, rules, 2)
    assert "session" in refused(meters, rules, now_s=1_000_000).reason
    take(meters, rules, 1, spender=Spender(("idp", "ann"), "s2"))


@pytest.mark.parametrize(
    "about", ["name: T", "server: crm", "caller: {groups: STAFF}", "method: Tools/Call", "name: [x, t*]"]
)
def test_a_budget_is_read_widely(about: str) -> None:
    rules, meters = budgets(f"id: few, calls_per_minute: 1, {about}"), Meters()
    take(meters, rules, 1)
    refused(meters, rules)


@pytest.mark.parametrize("about", ["name: other", "server: hr", "caller: {groups: nobody}", "method: prompts/get"])
def test_a_budget_about_something_else_counts_nothing(about: str) -> None:
    take(Meters(), budgets(f"id: few, calls_per_minute: 1, {about}"), 5)


def test_a_limit_that_is_lowered_applies_to_what_was_counted_before() -> None:
    meters = Meters()
    take(meters, budgets("id: few, calls_per_minute: 9"), 5)
    refused(meters, budgets("id: few, calls_per_minute: 3"))


def test_a_result_that_is_too_large_is_refused_and_not_counted() -> None:
    rules, meters = budgets("id: small, result_bytes_per_call: 100, result_bytes_per_minute: 150"), Meters()
    found = weighing(rules, facts())
    meters.weigh(found, ANN, 100, 0)
    with pytest.raises(Refused, match="101 bytes"):
        meters.weigh(found, ANN, 101, 0)
    with pytest.raises(Refused, match="pass 150 bytes"):
        meters.weigh(found, ANN, 60, 10)
    meters.weigh(found, ANN, 50, 10)


def test_a_call_is_refused_while_the_bytes_of_the_minute_are_spent() -> None:
    rules, meters = budgets("id: small, result_bytes_per_minute: 100"), Meters()
    meters.weigh(weighing(rules, facts()), ANN, 100, 0)
    assert refused(meters, rules, now_s=15).next_step == "Try again in 45 s."
    take(meters, rules, 1, now_s=60)


def test_of_too_many_meters_the_least_lately_used_is_forgotten() -> None:
    rules, meters = budgets("id: few, calls_per_minute: 2"), Meters(count_max=2)
    for sub in ("ann", "bob", "ann", "cid"):
        take(meters, rules, 1, spender=Spender(("idp", sub), ""))
    refused(meters, rules)
    take(meters, rules, 2, spender=Spender(("idp", "bob"), ""))


def test_sessions_push_out_no_meter_by_caller() -> None:
    rules = budgets("id: few, calls_per_minute: 2", "id: own, per: session, calls_per_minute: 1, name: other")
    sessions, meters = budgets("id: own, per: session, calls_per_minute: 1, calls_per_session: 5"), Meters(count_max=2)
    take(meters, rules, 2)
    for number in range(9):
        take(meters, sessions, 1, spender=Spender(("idp", "ann"), f"s{number}"))
    assert refused(meters, rules).rule == "few"


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), max_size=40))
def test_a_minute_holds_what_came_within_sixty_seconds(steps: list[tuple[int, int]]) -> None:
    minute, all_of_them, now_s = Minute(), [], 0
    for pause_s, amount in steps:
        now_s += pause_s
        minute.add(now_s, amount)
        all_of_them.append((now_s, amount))
        assert minute.total(now_s) == sum(n for at_s, n in all_of_them if at_s > now_s - 60)
    wait_s = minute.wait_s(now_s, 3)
    assert sum(n for at_s, n in all_of_them if at_s > now_s + wait_s - 60) <= 3
    if wait_s:
        assert sum(n for at_s, n in all_of_them if at_s > now_s + wait_s - 1 - 60) > 3


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("id: a", "without a limit"),
        ("id: a, calls_per_minute: 0", "is 0"),
        ("id: a, calls_per_minute: 1, per: month", "is 'month'"),
        ("id: a, calls_per_minute: 1, arguments: []", "arguments is not known"),
        ("id: a, calls_per_hour: 1", "without a limit"),
    ],
)
def test_a_budget_that_is_wrong_is_an_error(entry: str, problem: str) -> None:
    with pytest.raises(RulesError, match=problem):
        budgets(entry)
