"""A window that comes again is not searched again, and says what a search of the whole text would say."""

import random

import pytest
import regex  # type: ignore[import-untyped] # it ships no types
from tests.masking.test_prefilter import Counted

from holdfast.masking import search as searching
from holdfast.masking.budget import Budget
from holdfast.masking.extent import extent_of
from holdfast.masking.prefilter import build_prefilter
from holdfast.masking.search import BEHIND_MAX, Search
from holdfast.masking.view import View

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
PATTERNS = {
    r"\d{2}": 0,
    r"\b\d{2}": 1,
    r"^\d{2}": 1,
    r"\A\d{2}": 1,
    r"\d{2}$": 1,
    r"(?<!ab)\d{2}": 2,
    r"(?<=x.)\d{2}(?=.b)": 2,
    r"(?<!a b)\d{2}(?!\w)": 3,
    r"(?<!(?<=a )b)\d{2}": 3,
    r"(?:a|(?<=x..)\d)\d": 3,
    r"(?<=[ax](?:b| b|  b))\d{2}(?![^a]b)": 4,
    r"(?=\d(?<=ab\d))\d{2}": 3,
}
PIECES = ["12", "ab12", "a b12", "a  b12", "xb12", "x b12", "12 b", "12ab", "123", "1 2", "\n", "-", "é", "x"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_window_that_is_known_says_what_the_whole_text_says(pattern: str) -> None:
    compiled = regex.compile(pattern, FLAGS)
    search = Search(compiled)
    extent = extent_of(pattern, FLAGS)
    assert extent is not None
    assert extent.behind == PATTERNS[pattern]
    dice = random.Random(pattern)
    budget = Budget()
    for _ in range(600):
        text = dice.choice(["", " ", "  "]).join(dice.choices(PIECES, k=dice.choice([1, 2, 3, 9])))
        expected = [match.span() for match in compiled.finditer(text)]
        assert search.spans(View(text), None, budget) == expected, text
    assert budget.windows


def test_the_same_window_of_another_text_is_not_searched() -> None:
    pattern = r"(?<!x)\d{4}-\d{4}(?!x)"
    search = Search(regex.compile(pattern, FLAGS))
    assert search.approximation is not None
    prefilter, (search.filter,) = build_prefilter((search.approximation,))
    budget = Counted()
    found: list[list[str]] = []
    for beside in ("and the words between two of them", "with others between them, as many"):
        text = f" {beside} ".join(["1234-5678", "8765-4321"] * 9)
        (hits,) = prefilter.scan([text])
        found.append([text[start:end] for start, end in search.spans(View(text), hits, budget)])
    assert len(budget.windows) < 6
    assert budget.chars > 4 * 9 * len("1234-5678") - 1
    assert found == [["1234-5678", "8765-4321"] * 9] * 2


def test_a_group_is_found_where_it_takes_part() -> None:
    search = Search(regex.compile(r"(?:key (?P<value>\d{2})|\d{3})", FLAGS), "value")
    for text in ("key 12 345 key 67", "345 " + "x" * 600 + "key 12"):
        budget = Budget()
        expected = [match.span("value") for match in regex.finditer(r"key (?P<value>\d{2})", text)]
        assert [search.spans(View(text), None, budget) for _ in range(2)] == [expected] * 2


def test_what_looks_far_back_or_is_long_is_searched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    far = Search(regex.compile(rf"(?<=a.{{0,{BEHIND_MAX}}})\d{{2}}", FLAGS))
    near = Search(regex.compile(r"(?<=a)[\dx]{2,}", FLAGS))
    budget = Budget()
    assert far.spans(View("a 12"), None, budget) == [(2, 4)]
    assert near.spans(View("a" + "12" * 300), None, budget) == [(1, 601)]
    assert not budget.windows
    monkeypatch.setattr(searching, "WINDOWS_MAX", 2)
    for number in range(10, 20):
        assert near.spans(View(f"a{number}"), None, budget) == [(1, 3)]
    assert len(budget.windows) == 2


@pytest.mark.parametrize("text", ["k1abcdef!", "k12abcdef!", "k1abcdef", "aka", "bkb", "akb", "!k1!"])
@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(?=k(?=[a-z0-9]*!))k1", r"(?!k(?![a-z0-9]*!))k1", r"(?!k(?=[a-z0-9]*!))k1", r"k1(?<!k1(?=[a-z0-9]*!))"),
        *(r"(?<=k(?=[a-z0-9]*!))12", r"(?<=(a|b))k\1", r"(?=(a|b)k)\wk\1", r"(?<=(?<=(.))k)1\1"),
    ],
)
def test_what_is_seen_within_what_is_seen_is_seen(pattern: str, text: str) -> None:
    compiled = regex.compile(pattern, FLAGS)
    search = Search(compiled)
    padded = " " * 60 + text + " " * 60
    prefilter, numbers = build_prefilter((search.approximation,) if search.approximation is not None else ())
    search.filter = 0 if numbers else None
    (hits,) = prefilter.scan([padded])
    expected = [match.span() for match in compiled.finditer(padded)]
    assert search.spans(View(padded), hits, Budget()) == search.spans(View(padded), None, Budget()) == expected
