import json

import pytest
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Call, Direction, Message, Reply
from holdfast.errors import Refused
from holdfast.masking import restoring
from holdfast.masking.budget import Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.finding import Issued, Masked
from holdfast.masking.restoring import forwarded, restore
from holdfast.masking.vault import Given, Vault

ANN = ("https://idp.example.com", "ann")
EVE = ("https://idp.example.com", "eve")
TOKEN = "<EMAIL_ADDRESS_0123456789ab>"
MAIL = "bob@example.com"
BOTH = frozenset({"EMAIL_ADDRESS", "PHONE_NUMBER"})


def issued(value: str = MAIL, token: str = TOKEN, entity: str = "EMAIL_ADDRESS") -> Issued:
    return Issued(token, entity, entity.lower(), value)


def given(*more: Issued) -> Given:
    vault = Vault()
    vault.give(ANN, "crm", more or (issued(),), 0.0)
    found = vault.given(ANN, "crm", BOTH, 1.0)
    assert found is not None
    return found


def argument(value: object, of: Given | None = None) -> object:
    call = Call("tools/call", {"name": "send", "arguments": {"to": value}}, 1, Direction.TO_SERVER)  # type: ignore[dict-item] # any JSON
    judged = restore(call, of or given(), str).message
    assert isinstance(judged, Call)
    return judged.arguments["to"]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (TOKEN, MAIL),
        (f"write to {TOKEN}, {TOKEN}.", f"write to {MAIL}, {MAIL}."),
        ([{"list": [TOKEN, 5, None, True, 1.5]}], [{"list": [MAIL, 5, None, True, 1.5]}]),
        ("crm://find?mail=%3CEMAIL_ADDRESS_0123456789ab%3E&n=1", "crm://find?mail=bob%40example.com&n=1"),
        ("crm://find?mail=%3cEMAIL_ADDRESS_0123456789ab%3e", "crm://find?mail=bob%40example.com"),
        ("<b>&lt;EMAIL_ADDRESS_0123456789ab&gt;</b>", f"<b>{MAIL}</b>"),
        ({TOKEN: "owner"}, {MAIL: "owner"}),
        (f"{TOKEN}x", f"{MAIL}x"),
        (
            "<EMAIL_ADDRESS_0123456789ac> EMAIL_ADDRESS_0123456789ab",
            "<EMAIL_ADDRESS_0123456789ac> EMAIL_ADDRESS_0123456789ab",
        ),
    ],
)
def test_a_mask_becomes_its_value_wherever_it_stands(sent: object, meant: object) -> None:
    assert argument(sent) == meant


def test_a_mask_in_json_in_a_text_becomes_its_value_and_stays_json() -> None:
    quoted = given(issued('"Bob" \\ <bob@example.com>'))
    inner = json.dumps({"to": [TOKEN], "deep": json.dumps({"cc": TOKEN})})
    meant = argument(inner, quoted)
    assert isinstance(meant, str)
    read = json.loads(meant)
    assert read["to"] == ['"Bob" \\ <bob@example.com>']
    assert json.loads(read["deep"]) == {"cc": '"Bob" \\ <bob@example.com>'}


def test_a_mask_that_another_program_escaped_in_json_is_known() -> None:
    inner = '{"to": "\\u003cEMAIL_ADDRESS_0123456789ab\\u003e"}'
    assert argument(inner) == '{"to": "bob@example.com"}'


def test_a_number_that_is_a_mask_becomes_its_number() -> None:
    phones = given(issued("2125552368", "9040100123", "PHONE_NUMBER"))
    assert argument([9040100123, -9040100123, 904010012, "9040100123", "x9040100123"], phones) == [
        2125552368,
        -2125552368,
        904010012,
        "2125552368",
        "x9040100123",
    ]


def test_names_of_tools_and_what_the_protocol_reads_stay_as_they_are() -> None:
    params = {"name": TOKEN, "_meta": {"x": TOKEN}, "arguments": {"to": TOKEN}}
    call = Call("tools/call", params, 1, Direction.TO_SERVER)  # type: ignore[arg-type] # any JSON
    judged = restore(call, given(), str).message
    assert isinstance(judged, Call)
    assert judged.params == {"name": TOKEN, "_meta": {"x": TOKEN}, "arguments": {"to": MAIL}}


def test_a_message_without_masks_is_itself() -> None:
    call = Call("tools/call", {"name": "send", "arguments": {"to": ["eve", {"n": '{"a": 1}'}]}}, 1, Direction.TO_SERVER)
    assert restore(call, given(), str).message is call
    assert restore(call, None, str).message is call


def test_two_members_do_not_become_one() -> None:
    assert argument({TOKEN: 1, MAIL: 2}) == {TOKEN: 1, MAIL: 2}


def test_what_was_restored_is_told_without_the_value() -> None:
    reply = Reply(1, {"content": {"to/x": f"a {TOKEN}"}}, None, Direction.TO_SERVER)
    (finding,) = restore(reply, given(), lambda name: f"[{name}]").findings
    assert (finding.rule, finding.entity, finding.path, finding.length) == (
        "email_address",
        "EMAIL_ADDRESS",
        "/[result]/[content]/[to~1x]",
        len(TOKEN),
    )
    assert MAIL not in repr((finding, issued()))


def test_a_message_with_more_masks_than_an_argument_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "RESTORED_COUNT_MAX", 3)
    assert argument([TOKEN] * 3) == [MAIL] * 3
    with pytest.raises(Refused, match="more than 3 masks"):
        argument([TOKEN] * 4)


def test_what_is_masked_on_its_way_to_the_server_stays_masked() -> None:
    # Another mask of the same kind stands in what is forwarded because the client sent that value itself.
    other = "<EMAIL_ADDRESS_ffffffffffff>"
    of = given(issued(), issued("eve@example.com", other))
    sent = _call(f"{TOKEN} eve@example.com")
    masked = Masked(_call(f"{TOKEN} {other}"), _call(f"{TOKEN} {other}"), ())
    after = forwarded(masked, sent, restore(sent, of, str), of)
    assert after.forward == _call(f"{MAIL} {other}")
    assert after.keep == masked.keep
    assert [finding.entity for finding in after.restored] == ["EMAIL_ADDRESS"]


def _call(text: str) -> Message:
    return Call("tools/call", {"name": "send", "arguments": {"to": text}}, 1, Direction.TO_SERVER)


def test_a_mask_belongs_to_one_caller_and_one_server() -> None:
    vault = Vault()
    vault.give(ANN, "crm", [issued()], 0.0)
    assert vault.given(EVE, "crm", BOTH, 0.0) is None
    assert vault.given(ANN, "mail", BOTH, 0.0) is None
    assert vault.given(ANN, "crm", BOTH, 0.0) is not None


def test_a_rule_that_no_longer_restores_leaves_the_mask() -> None:
    vault = Vault()
    vault.give(ANN, "crm", [issued()], 0.0)
    found = vault.given(ANN, "crm", frozenset({"PHONE_NUMBER"}), 0.0)
    assert argument(TOKEN, found) == TOKEN


def test_a_mask_that_stands_for_two_values_stands_for_neither() -> None:
    assert argument(TOKEN, given(issued(), issued("eve@example.com"), issued("2", "<PHONE_NUMBER_2>"))) == TOKEN


def test_a_value_is_forgotten_when_its_time_is_over_and_not_before() -> None:
    vault = Vault(lifetime_s=10)
    vault.give(ANN, "crm", [issued(), issued("1", "<PHONE_NUMBER_1>", "PHONE_NUMBER")], 0.0)
    vault.give(ANN, "crm", [issued()], 8.0)
    assert argument(f"{TOKEN} <PHONE_NUMBER_1>", vault.given(ANN, "crm", BOTH, 9.0)) == f"{MAIL} 1"
    assert argument(f"{TOKEN} <PHONE_NUMBER_1>", vault.given(ANN, "crm", BOTH, 11.0)) == f"{MAIL} <PHONE_NUMBER_1>"
    assert vault.given(ANN, "crm", BOTH, 18.5) is None
    assert len(vault) == 0


def test_a_caller_with_too_many_values_loses_its_own_oldest() -> None:
    vault = Vault(per_caller_count_max=2)
    vault.give(EVE, "crm", [issued()], 0.0)
    vault.give(ANN, "crm", [issued(str(n), f"<PHONE_NUMBER_{n}>", "PHONE_NUMBER") for n in range(3)], 0.0)
    text = "<PHONE_NUMBER_0> <PHONE_NUMBER_1> <PHONE_NUMBER_2>"
    assert argument(text, vault.given(ANN, "crm", BOTH, 0.0)) == "<PHONE_NUMBER_0> 1 2"
    assert argument(TOKEN, vault.given(EVE, "crm", BOTH, 0.0)) == MAIL


def test_of_all_callers_the_one_that_holds_most_gives_way() -> None:
    vault = Vault(count_max=3)
    vault.give(EVE, "crm", [issued()], 0.0)
    vault.give(ANN, "crm", [issued(str(n), f"<PHONE_NUMBER_{n}>", "PHONE_NUMBER") for n in range(50)], 0.0)
    assert len(vault) == 3
    assert argument(TOKEN, vault.given(EVE, "crm", BOTH, 0.0)) == MAIL
    assert argument("<PHONE_NUMBER_49>", vault.given(ANN, "crm", BOTH, 0.0)) == "49"


class Counted(Budget):
    """A budget that tells how many characters were given to patterns."""

    chars_count = 0

    def spend(self, chars: int) -> None:
        self.chars_count += chars
        super().spend(chars)


def spent(restore: str) -> int:
    """What a list of a hundred addresses costs, where masks of them ``restore`` or not."""
    rules = rules_of(f"version: 1\nentities:\n  - {{entity: EMAIL_ADDRESS, operator: pseudonym, restore: {restore}}}\n")
    reply = Reply(1, {"x": " and ".join(f"bob{n}@example.com" for n in range(100))}, None, Direction.TO_CLIENT)
    budget = Counted()
    Core(rules, KEY).mask(Task(reply, "crm"), budget)
    return budget.chars_count


def test_looking_whether_values_stand_out_counts_in_the_time_of_their_message() -> None:
    """A list of thousands would have kept the event loop for a second, outside of any budget."""
    assert spent("caller") > spent("none") + 100 * len("bob1@example.com")
