"""What docs/rules.md shows and says is so."""

import re

import pytest
from tests.policy.shipped import RULES

from holdfast.policy.access import parse_access
from holdfast.policy.cases import parse_cases
from holdfast.policy.document import Source, parse_document
from holdfast.policy.examples import check_examples
from holdfast.policy.holding import HoldRule
from holdfast.policy.pattern import BUDGET_S, MATCH_CHARS_MAX, SEARCH_CHARS_MAX


@pytest.fixture(scope="module")
def page() -> str:
    return (RULES.parent / "docs" / "rules.md").read_text("utf-8")


@pytest.fixture(scope="module")
def shown(page: str) -> list[Source]:
    return [Source("rules.md", text.encode()) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]


def test_the_rule_on_the_page_loads_and_proves_itself(shown: list[Source]) -> None:
    proven = check_examples(parse_access(parse_document(shown[0])), "rules.md")
    assert (proven.rules_count, proven.examples_count, proven.failures) == (1, 2, ())


def test_the_cases_on_the_page_load(shown: list[Source]) -> None:
    assert [case.rule for case in parse_cases(shown[1])] == ["refunds"]


def test_the_limits_on_the_page_are_those_in_the_code(page: str) -> None:
    text = " ".join(page.split())
    assert f"a budget of {BUDGET_S} s of processor time" in text
    assert f"arguments of at most {MATCH_CHARS_MAX:,} characters" in text
    assert f"searches at most {SEARCH_CHARS_MAX:,} characters" in text
    rule = HoldRule(id="r", description="d")
    for key in ("wait_s", "expires_s", "use_s", "approvals_needed"):
        assert re.search(rf"^\| `{key}` \|.*\(default {getattr(rule, key)}\b", page, re.MULTILINE), key
