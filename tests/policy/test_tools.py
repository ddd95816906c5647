"""tools.yaml: which rule is about a definition, what screens find, and what is wrong with a file."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.shipped import RULES

from holdfast.catalog import KNOWN_COUNT_MAX
from holdfast.errors import RulesError
from holdfast.jsontext import Json
from holdfast.meters import METERS_COUNT_MAX
from holdfast.policy.budgets import parse_budgets
from holdfast.policy.definitions import Act, DefinitionRule, Described
from holdfast.policy.document import Source, parse_document, read_source
from holdfast.policy.examples import check_each
from holdfast.policy.pattern import SEARCH_CHARS_MAX
from holdfast.policy.screens import Screen, has_unseen
from holdfast.policy.tools import ToolRules, check_tools, parse_tools


def parsed(text: str) -> ToolRules:
    return parse_tools(parse_document(Source("tools.yaml", f"version: 1\n{text}".encode())))


def test_every_shipped_rule_proves_itself() -> None:
    rules = parse_tools(parse_document(read_source(RULES / "tools.yaml")))
    assert check_tools(rules, "tools.yaml").failures == ()
    every: tuple[DefinitionRule | Screen, ...] = (*rules.definitions, *rules.screens)
    for rule in every:
        assert rule.matches, rule.id
        assert rule.passes, rule.id


def test_the_first_rule_about_a_definition_decides() -> None:
    rules = parsed(
        "definitions:\n"
        "  - {id: a, description: d, kind: prompt, on_change: record}\n"
        "  - {id: b, description: d, server: crm, name: 'get*', on_first: refuse, on_change: record}\n"
        "  - {id: c, description: d}\n"
    )
    decided = {name: rules.act(Described("tool", "crm", name), pinned_before=False) for name in ("Get_a", "put")}
    assert [(act, rule.id if rule else "") for act, rule in decided.values()] == [(Act.REFUSE, "b"), (Act.PIN, "c")]
    assert rules.act(Described("tool", "crm", "put"), pinned_before=True)[0] is Act.HOLD
    assert rules.act(Described("prompt", "crm", "put"), pinned_before=True)[0] is Act.PIN


def test_without_a_rule_a_definition_is_pinned() -> None:
    assert ToolRules().act(Described("tool", "crm", "x"), pinned_before=True) == (Act.PIN, None)


def test_a_rule_that_only_lets_pass_reads_narrowly() -> None:
    rules = parsed("definitions: [{id: a, description: d, name: get, on_change: record}]\n")
    assert rules.rule_for(Described("tool", "s", "Get")) is None


def test_a_text_too_long_to_search_counts_as_found() -> None:
    (screen,) = parsed("screens: [{id: a, description: d, effect: hide, text: zzz}]\n").screens
    long: Json = {"description": "a" * (SEARCH_CHARS_MAX + 1)}
    assert screen.finds(Described("tool", "s", "t"), long, frozenset())


@pytest.mark.parametrize("kind", ["tool", "prompt", "server"])
def test_a_screen_is_about_the_kinds_that_it_names(kind: str) -> None:
    (screen,) = parsed("screens: [{id: a, description: d, effect: hide, kind: [tool, server], text: bad}]\n").screens
    assert screen.finds(Described(kind, "s", "t"), {"x": ["BAD"]}, frozenset()) is (kind != "prompt")


@pytest.mark.parametrize(
    "text",
    ["a\u200bb", "\u202eabc", "x\u2066", "\ufeffx", "a\U000e0041", "\U000e0001", "a\u200db", "\x1b[31m", "\u3164"],
)
def test_characters_that_nobody_sees_are_found(text: str) -> None:
    assert has_unseen(f"Reads {text} it.")


FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
PERSIAN, HINDI = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937"


@pytest.mark.parametrize(
    "text", ["plain\n\ttext\r\n", "Grüße", "你好", PERSIAN, HINDI, "\U0001f469\u200d\U0001f680", FLAG, "❤\ufe0f"]
)
def test_scripts_and_emoji_that_need_such_characters_pass(text: str) -> None:
    assert not has_unseen(text)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_has_nothing_unseen(text: str) -> None:
    assert not has_unseen(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("definitions: [{id: a, description: d, kind: tol}]\n", "kind names no kind"),
        ("definitions: [{id: a, description: d, on_change: pin}]\n", "on_change is 'pin'"),
        ("definitions: [{id: a, description: d, on_first: record}]\n", "on_first is 'record'"),
        ("definitions: [{id: a, description: d, effect: hide}]\n", "effect is not known"),
        (
            "definitions: [{id: a, description: d}]\nscreens: [{id: a, description: d, effect: hide, text: x}]\n",
            "twice",
        ),
        ("screens: [{id: a, description: d, effect: hide}]\n", "looks for nothing"),
        ("screens: [{id: a, description: d, effect: hide, text: x, unseen: true}]\n", "looks for nothing, or for sev"),
        ("screens: [{id: a, description: d, effect: deny, text: x}]\n", "effect is 'deny'"),
        ("screens: [{id: a, description: d, effect: hide, text: '('}]\n", "no regular expression"),
        ("tools: []\n", "tools is not known"),
    ],
)
def test_a_file_that_is_wrong_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(RulesError, match=problem):
        parsed(text)


DISPROVED = "screens: [{id: a, description: d, effect: hide, text: bad, matches: [{definition: {d: good}}], passes: [{definition: {d: bad}}]}]\n"  # noqa: E501 -- one line of YAML


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("definitions: [{id: a, description: d, name: x, matches: [{name: y}], passes: [{name: x}]}]\n", 2),
        (DISPROVED, 2),
        ("definitions: [{id: a, description: d}, {id: b, description: d, matches: [{name: x}]}]\n", 1),
    ],
)
def test_examples_that_do_not_hold_are_named(text: str, count: int) -> None:
    assert len(check_tools(parsed(text), "tools.yaml").failures) == count


def test_what_the_page_shows_loads_and_proves_itself() -> None:
    page = (RULES.parent / "docs" / "tools.md").read_text("utf-8")
    tools, budgets = (Source("tools.md", text.encode()) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    assert check_tools(parse_tools(parse_document(tools)), "tools.md").failures == ()
    assert check_each(parse_budgets(parse_document(budgets)).rules, "tools.md").failures == ()
    for number in (KNOWN_COUNT_MAX, METERS_COUNT_MAX):
        assert f"{number:,}" in page
