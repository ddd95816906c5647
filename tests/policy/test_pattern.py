import time

import pytest
from tests.policy.build import section

from holdfast.policy.pattern import BUDGET_S, Budget, Fit, Pattern, parse_pattern
from holdfast.policy.texts import search

CATASTROPHES = [
    ("(a+)+$", "a" * 5000 + "b"),
    ("(a|aa)+$", "a" * 5000 + "b"),
    (r"(\w+\s?)*$", "word " * 20_000 + "!"),
    ("x(?!.*y.*z.*w)", "xy" * 50_000),
]


def pattern(text: str) -> Pattern:
    return parse_pattern(section("p: x"), "p", text)


@pytest.mark.parametrize(("text", "subject"), CATASTROPHES)
def test_an_expression_that_would_never_end_ends_in_its_budget(text: str, subject: str) -> None:
    started_s = time.thread_time()
    assert pattern(text).occurs(subject, Budget()) is Fit.UNREADABLE
    assert time.thread_time() - started_s < BUDGET_S * 3


def test_many_texts_share_one_budget() -> None:
    costly, budget = pattern("(a|aa)+"), Budget(0.02)
    started_s = time.thread_time()
    fits = [costly.fits("a" * 18 + "b", budget) for _ in range(1000)]
    assert fits[-1] is Fit.UNREADABLE
    assert time.thread_time() - started_s < 1


def test_a_text_too_long_to_search_is_unreadable() -> None:
    assert search((pattern("x"),), ["y" * 600_000, "y" * 600_000]) is Fit.UNREADABLE


def test_many_small_texts_are_one_search() -> None:
    started_s = time.thread_time()
    assert search((pattern("needle"),), [f"text {index}" for index in range(50_000)]) is Fit.FAILS
    assert time.thread_time() - started_s < 2


@pytest.mark.parametrize(
    "value",
    [
        "DROP TABLE x",
        ["a", {"b": "drop\u00a0table"}],
        {"drop table": 1},
        '{"q": "dr\\u006fp table"}',
        '{"q": "drop\\ttable"}',
        '{"q": 1, "q": "dr\\u006fp table"}',
        '"[\\"{\\\\\\"a\\\\\\": \\\\\\"drop table\\\\\\"}\\"]"',
        "ｄｒｏｐ　ｔａｂｌｅ",  # noqa: RUF001 -- full width letters, on purpose
        "dr\u200bop table",
        "first line\ndrop table",
    ],
)
def test_a_text_is_found_wherever_it_stands_and_however_it_is_written(value: object) -> None:
    assert search((pattern(r"^(.* )?.{0,20}drop\s+table"),), value) is Fit.HOLDS  # type: ignore[arg-type] # JSON


def test_two_texts_are_never_read_as_one() -> None:
    patterns = (pattern(r"drop\s+table"), pattern("drop.{0,9}table"))
    assert search(patterns, ["drop", "table", "drop"]) is Fit.FAILS
