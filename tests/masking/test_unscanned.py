"""What the engine cannot vouch for: by rule the message is refused, or the whole value is masked; it never passes."""

import dataclasses
from collections.abc import Iterable

import pytest
from presidio_analyzer import RecognizerResult
from tests.masking.conftest import KEY, rules_of

from holdfast import jsontext
from holdfast.call import Call, Direction, Message, Reply
from holdfast.errors import MaskingError, RulesError
from holdfast.jsontext import Json
from holdfast.masking import masker as maskers
from holdfast.masking.budget import IN_PLACE, KEPT, Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.engine import LEAF_CHARS_MAX
from holdfast.masking.finder import Finder
from holdfast.masking.finding import Finding, Masked
from holdfast.masking.masker import Masker
from holdfast.masking.place import JSON_IN_TEXT_MAX
from holdfast.masking.unscanned import MASK

SSN = "234-45-6789"
RULES = """
version: 1
on_failure: {on_failure}
entities:
  - {{entity: US_SSN}}
  - {{entity: EMAIL_ADDRESS, forward: none}}
paths:
  - {{id: open, action: forward, path: /params/arguments/open}}
"""
FAULTS = [TimeoutError(), ValueError(f"quotes {SSN}"), MemoryError(), OverflowError()]
STUMBLE = "777"


class Stumbling:
    """A finder that fails over every text with ``777`` in it."""

    def __init__(self, real: Finder, fault: Exception) -> None:
        self._real = real
        self._fault = fault

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        if STUMBLE in text:
            raise self._fault
        return self._real.find(text, context, budget)

    def expect(self, texts: Iterable[str], budget: Budget) -> None:
        self._real.expect(texts, budget)


@pytest.fixture(scope="module")
def cores() -> dict[str, Core]:
    return {word: Core(rules_of(RULES.format(on_failure=word)), KEY) for word in ("mask", "refuse")}


def masked(core: Core, value: Json, fault: Exception = FAULTS[0]) -> Masked:
    message = Call("tools/call", {"name": "put", "arguments": value}, 1, Direction.TO_SERVER)
    return masked_message(core, message, fault)


def masked_message(core: Core, message: Message, fault: Exception, budget: Budget | None = None) -> Masked:
    scanner, real = core._scanner, core._scanner.finder
    scanner.finder = Stumbling(real, fault)
    try:
        return core.mask(Task(message, "crm"), budget or Budget())
    finally:
        scanner.finder = real


def arguments(message: Message) -> Json:
    assert isinstance(message, Call)
    return message.arguments


@pytest.mark.parametrize("fault", FAULTS)
def test_a_message_is_refused_unless_the_rules_say_otherwise(cores: dict[str, Core], fault: Exception) -> None:
    with pytest.raises(MaskingError, match="at /params/arguments/note") as caught:
        masked(cores["refuse"], {"note": f"{SSN} 777", "other": "x"}, fault)
    assert SSN not in str(caught.value)
    assert caught.value.__suppress_context__


def test_refusing_is_the_default() -> None:
    assert rules_of("version: 1\nentities: [{entity: US_SSN}]").on_failure == "refuse"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_value_is_masked_whole_where_the_rules_say_so(cores: dict[str, Core], fault: Exception) -> None:
    done = masked(cores["mask"], {"note": f"bob@example.com {SSN} 777", "other": f"{SSN} of bob@example.com"}, fault)
    assert arguments(done.forward) == {"note": MASK, "other": "<US_SSN> of bob@example.com"}
    assert arguments(done.keep) == {"note": MASK, "other": "<US_SSN> of <EMAIL_ADDRESS>"}
    assert done.findings[0] == Finding("on-failure", "UNSCANNED", "/params/arguments/note", 31, 1.0, "engine")
    assert done.counts() == {"UNSCANNED": 1, "US_SSN": 1, "EMAIL_ADDRESS": 1}


def test_a_number_stays_a_number(cores: dict[str, Core]) -> None:
    done = masked(cores["mask"], {"note": 77712345678})
    assert arguments(done.forward) == {"note": 0}
    assert arguments(done.keep) == {"note": MASK}


def test_a_name_is_masked_and_its_value_is_not_lost(cores: dict[str, Core]) -> None:
    done = masked(cores["mask"], {"a 777": SSN, "b 777": "x"})
    assert arguments(done.forward) == arguments(done.keep) == {MASK: "<US_SSN>", f"{MASK}-2": "x"}
    assert "777" not in "".join(finding.path for finding in done.findings)


def test_a_text_in_a_text_is_masked_where_it_stands(cores: dict[str, Core]) -> None:
    done = masked(cores["mask"], {"note": '{"a":"x 777","b":"234-45-6789"}'})
    assert arguments(done.forward) == {"note": '{"a":"<UNSCANNED>","b":"<US_SSN>"}'}


def test_what_the_rules_forward_travels_as_it_is_and_is_kept_masked(cores: dict[str, Core]) -> None:
    done = masked(cores["mask"], {"open": "x 777"})
    assert arguments(done.forward) == {"open": "x 777"}
    assert arguments(done.keep) == {"open": MASK}


def test_a_protocol_field_is_kept_masked_and_still_finds_its_way(cores: dict[str, Core]) -> None:
    call = Call("tools/call", {"name": "tool 777", "arguments": {}}, "id 777", Direction.TO_SERVER)
    done = masked_message(cores["mask"], call, FAULTS[0])
    assert done.forward == call
    assert done.keep.id == MASK
    assert done.keep.name == MASK  # type: ignore[union-attr] # a Call


@pytest.mark.parametrize("word", ["mask", "refuse"])
def test_a_text_over_a_limit_is_treated_the_same_way(cores: dict[str, Core], word: str) -> None:
    large: Json = {"note": "x" * (LEAF_CHARS_MAX + 1)}
    nested: Json = SSN
    for _ in range(JSON_IN_TEXT_MAX + 1):
        nested = jsontext.wire([nested]).decode()
    if word == "refuse":
        for value in (large, {"note": nested}):
            with pytest.raises(MaskingError, match="at /params/arguments/note"):
                masked(cores[word], value)
        return
    assert arguments(masked(cores[word], large).keep) == {"note": MASK}
    done = masked(cores[word], {"note": nested})
    assert SSN not in str(done.forward)
    assert MASK in str(done.forward)


def test_masking_again_changes_nothing(cores: dict[str, Core]) -> None:
    reply = Reply(1, {"content": [{"type": "text", "text": "x 777"}], "ssn": "777"}, None, Direction.TO_CLIENT)
    once = masked_message(cores["mask"], reply, FAULTS[0]).keep
    twice = masked_message(cores["mask"], once, FAULTS[0])
    assert twice.forward == twice.keep == once
    assert twice.findings == ()


def test_nothing_is_masked_for_failing_where_somebody_with_more_time_will_try(cores: dict[str, Core]) -> None:
    call = Call("ping", {"note": "x 777"}, 1, Direction.TO_SERVER)
    with pytest.raises(MaskingError):
        masked_message(cores["mask"], call, FAULTS[0], Budget(limits=IN_PLACE))


def test_a_message_over_its_own_limits_is_refused_whatever_the_rules_say(cores: dict[str, Core]) -> None:
    spent = dataclasses.replace(IN_PLACE, message_s=-1.0, leaf_s=9.0, is_final=True)
    call = Call("ping", ["x" * 2000], 1, Direction.TO_SERVER)
    with pytest.raises(MaskingError, match="the message takes more than"):
        cores["mask"].mask(Task(call, "crm"), Budget(limits=spent))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1\non_failure: pass\nentities: [{entity: US_SSN}]", 2),
        ("version: 1\nentities:\n  - {entity: UNSCANNED}", 3),
    ],
)
def test_rules_that_would_let_something_pass_are_wrong(text: str, line: int) -> None:
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    assert caught.value.line == line


def test_a_text_beside_messages_is_not_shown_where_scanning_it_would_keep_others_waiting(
    masker: Masker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert masker.keep_text("x" * maskers.KEPT_CHARS_MAX) == "x" * maskers.KEPT_CHARS_MAX
    assert masker.keep_text("x" * (maskers.KEPT_CHARS_MAX + 1)) == "<UNSCANNED>"
    monkeypatch.setattr("holdfast.masking.masker.KEPT", dataclasses.replace(KEPT, message_s=-1.0))
    assert masker.keep_text("agent " * 600) == "<UNSCANNED>"
