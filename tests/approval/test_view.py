"""What an approver sees, and what a caller cannot make them see."""

import dataclasses
import datetime as dt
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.approval.doubles import RULE, caller_of

from holdfast.approval.view import Shown, build_view
from holdfast.approval.visible import fold, visible
from holdfast.call import Call, Direction
from holdfast.jsontext import Json

AT = dt.datetime(2026, 11, 22, 18, 0, tzinfo=dt.UTC)


def shown(arguments: Json, name: str = "export_customers", who: str = "Agent Smith") -> Shown:
    call = Call("tools/call", {"name": name, "arguments": arguments}, 1, Direction.TO_SERVER)
    return Shown(
        hold="H-ABCDEFGH23",
        call=call,
        digest_hex="11" * 32,
        caller=caller_of("agent", name=who, groups=("agents",)),
        rule=RULE,
        server="crm",
        counts={"US_SSN": 1, "CREDIT_CARD": 2},
        opened_at=AT,
        expires_at=AT + dt.timedelta(minutes=15),
        rules_digest_hex="33" * 32,
    )


def text(arguments: Json, **more: str) -> str:
    return build_view(shown(arguments, **more)).decode()


def test_the_view_tells_what_who_why_and_until_when() -> None:
    assert text({"limit": 10, "card": "<CREDIT_CARD>"}) == (
        "HOLD H-ABCDEFGH23\n"
        "server     | crm\n"
        "method     | tools/call\n"
        "name       | export_customers\n"
        "caller     | Agent Smith (agent at https://idp.example)\n"
        "client     | agent-app\n"
        "groups     | agents\n"
        "rule       | exports: Exports of customer data\n"
        "findings   | CREDIT_CARD 2, US_SSN 1\n"
        "opened     | 2026-11-22T18:00:00.000000Z\n"
        "decide by  | 2026-11-22T18:15:00.000000Z\n"
        f"request    | {'11' * 32}\n"
        f"rules      | {'33' * 32}\n"
        "\n"
        "params as they would be sent, masked:\n"
        "| {\n"
        '|   "arguments": {\n'
        '|     "card": "<CREDIT_CARD>",\n'
        '|     "limit": 10\n'
        "|   },\n"
        '|   "name": "export_customers"\n'
        "| }\n"
        "end of H-ABCDEFGH23: ASCII only\n"
    )


def test_the_view_has_the_same_bytes_whatever_the_order_of_members() -> None:
    assert text({"a": 1, "b": 2}) == text({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("char", "spelled"),
    [
        ("\x1b", "⟨U+001B⟩"),  # escape: would repaint the screen
        ("\x9b", "⟨U+009B⟩"),  # the same in one byte
        ("\r", "⟨U+000D⟩"),
        ("\n", "⟨U+000A⟩"),
        ("\u202e", "⟨U+202E⟩"),  # right to left from here
        ("\u2066", "⟨U+2066⟩"),
        ("\u200b", "⟨U+200B⟩"),  # no width
        ("\u2060", "⟨U+2060⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\u2028", "⟨U+2028⟩"),  # a line of its own, to some
        ("\u00a0", "⟨U+00A0⟩"),
        ("\u3164", "⟨U+3164⟩"),  # a letter that draws nothing
        ("\ufe0f", "⟨U+FE0F⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),  # tags: text that only a model reads
        ("\U000e0100", "⟨U+E0100⟩"),
        ("\ue000", "⟨U+E000⟩"),
    ],
)
def test_characters_that_are_obeyed_or_unseen_are_spelled_out(char: str, spelled: str) -> None:
    assert visible(f"a{char}b") == f"a{spelled}b"
    view = text({"note": f"a{char}b"}, name=f"x{char}y", who=f"p{char}q")
    assert char not in view.replace("\n", "") or char == "\n"
    assert f"x{spelled}y" in view
    assert f"p{spelled}q" in view


def test_plain_text_of_any_script_stays_as_it_is() -> None:
    for plain in ("Grüße, Zoë", "東京", "Việt Nam", "שָׁלוֹם", "naïve — «déjà»"):
        assert visible(plain) == plain


def test_marks_that_pile_up_are_spelled_out() -> None:
    assert visible("a" + "\u0301" * 4) == "a\u0301\u0301⟨U+0301⟩⟨U+0301⟩"


def test_a_line_of_a_caller_never_looks_like_a_line_of_ours() -> None:
    hostile = "x" + " " * 200 + "rule       | harmless" + "\nHOLD H-OTHER00000\nfindings   | none"
    lines = text({"note": hostile}, name=hostile, who=hostile).splitlines()
    assert lines[0] == "HOLD H-ABCDEFGH23"
    labels = [line.split("|")[0] for line in lines if "|" in line]
    assert labels.count("rule       ") == 1
    assert labels.count("findings   ") == 1
    assert all(len(line) <= 100 for line in lines)
    body = lines[lines.index("params as they would be sent, masked:") + 1 : -1]
    assert all(line.startswith(("| ", "|… ")) for line in body)


def test_wide_characters_count_two_columns() -> None:
    assert fold("東京東京", 4) == ["東京", "東京"]
    assert fold("", 4) == [""]
    assert fold("abcdef", 4) == ["abcd", "ef"]


def test_letters_outside_ascii_are_counted_because_they_may_look_like_others() -> None:
    assert "end of H-ABCDEFGH23: 1 characters outside ASCII" in text({"to": "p\u0430ypal"})


def test_a_rule_that_needs_several_approvers_says_so() -> None:
    two = dataclasses.replace(shown({}), rule=dataclasses.replace(RULE, approvals_needed=2))
    assert b"needs      | 2 different approvers\n" in build_view(two)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.text(max_size=40))
def test_no_call_brings_an_unseen_character_into_a_view(arguments: Json, name: str) -> None:
    view = text(arguments, name=name, who=name)
    assert {unicodedata.category(char) for char in view.replace("\n", "")}.isdisjoint({"Cc", "Cf", "Cn", "Co", "Zl"})
    assert view.splitlines()[0] == "HOLD H-ABCDEFGH23"
