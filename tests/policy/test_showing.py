"""What a list may show: what some arguments, or some filling of a template, could let pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.call import Call, Direction
from holdfast.policy.access import AccessRules, judge_access, parse_access
from holdfast.policy.decision import Allow
from holdfast.policy.document import Source, parse_document
from holdfast.policy.example import make_caller
from holdfast.policy.names import Glob
from holdfast.policy.showing import could_call, could_fill

ALLOW = "{id: a, description: d, effect: allow, method: '*'"
DENY = "{id: d, description: d, effect: deny"


def rules(*listed: str) -> AccessRules:
    text = "version: 1\nrules:\n" + "".join(f"  - {one}\n" for one in listed)
    return parse_access(parse_document(Source("access.yaml", text.encode())))


def call(name: str, method: str = "tools/call") -> Call:
    return Call(method, {"uri" if method.startswith("res") else "name": name}, 1, Direction.TO_SERVER)


def shown(access: AccessRules, name: str = "t") -> bool:
    return could_call(access, call(name), make_caller(("staff",)), "crm")


def test_nothing_is_shown_where_no_rule_allows() -> None:
    assert not shown(rules(DENY + "}"))


def test_an_allow_rule_with_conditions_shows_what_it_could_let_pass() -> None:
    assert shown(rules(ALLOW + ", name: t, arguments: [{path: /n, max: 3}]}"))


def test_a_deny_rule_with_conditions_hides_nothing() -> None:
    denied = DENY + ", name: t, arguments: [{path: /n, min: 3}]}"
    assert shown(rules(denied, ALLOW + "}"))
    assert not shown(rules(denied))


def test_a_deny_rule_without_conditions_hides_in_whatever_case() -> None:
    access = rules(DENY + ", name: drop*}", ALLOW + "}")
    assert not shown(access, "Drop_table")
    assert shown(access, "get")


@pytest.mark.parametrize(
    "elsewhere", ["caller: {groups: [other]}", "server: hr", "name: u", "from: server", "method: prompts/get"]
)
def test_a_rule_about_something_else_shows_nothing(elsewhere: str) -> None:
    one = f"{{id: a, description: d, effect: allow, {elsewhere}" + ("}" if "method" in elsewhere else ", method: '*'}")
    assert not shown(rules(one))


@given(
    st.text("ab*", max_size=5), st.lists(st.text("ab", max_size=2), min_size=1, max_size=3), st.text("ab", max_size=3)
)
def test_a_template_whose_filling_passes_is_shown(glob: str, pieces: list[str], filling: str) -> None:
    filled = Glob.of(glob)
    if filled.fits_narrowly(filling.join(pieces)):
        assert filled.could_fit_narrowly(pieces)


@pytest.mark.parametrize(
    ("glob", "template", "stays"),
    [
        ("docs://*", "docs://{page}", True),
        ("docs://handbook/*", "docs://{section}/{page}", True),
        ("docs://handbook/returns", "docs://{section}/{page}", True),
        ("docs://*.pdf", "docs://{page}.txt", False),
        ("mail://*", "docs://{page}", False),
        ("docs://one", "docs://{page}/more", False),
        ("*", "docs://{+path}{?query}", True),
        ("*", "docs://%2e%2e/{page}", False),
    ],
)
def test_a_template_stays_where_a_filling_could_pass(glob: str, template: str, *, stays: bool) -> None:
    access = rules(f"{ALLOW}, name: '{glob}'}}")
    assert could_fill(access, call(template, "resources/read"), make_caller(), "crm") is stays


def test_a_template_that_a_deny_rule_names_is_hidden_whatever_is_filled_in() -> None:
    access = rules(DENY + ", name: 'FILE://*'}", ALLOW + "}")
    assert not could_fill(access, call("file:///{path}", "resources/read"), make_caller(), "crm")


@given(st.sampled_from(["get", "Drop", "drop_all", "put"]), st.integers(0, 9))
def test_whatever_may_be_called_is_shown(name: str, n: int) -> None:
    access = rules(DENY + ", name: 'drop*', arguments: [{path: /n, min: 5}]}", ALLOW + ", name: ['get', 'd*', 'D*']}")
    asked = Call("tools/call", {"name": name, "arguments": {"n": n}}, 1, Direction.TO_SERVER)
    if isinstance(judge_access(access, asked, make_caller(), "crm"), Allow):
        assert could_call(access, asked, make_caller(), "crm")
