import asyncio
import logging
import os
import socket
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.live.harness.warm import masker_of
from tests.masking.conftest import KEY, rules_of

from holdfast import jsontext
from holdfast.call import Call, Direction, Reply
from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking import engine, leaves, place, quiet
from holdfast.masking.budget import Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finder import FullFinder
from holdfast.masking.language import CutterNlpEngine
from holdfast.masking.masker import Masker
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.words import Cutter

PAN = "4111111111111111"
SSN = "234-45-6789"


def forwarded(masker: Masker, value: Json, direction: Direction = Direction.TO_CLIENT, server: str = "crm") -> Json:
    call = Call("vendor/x", {"x": value}, 1, direction)
    done = asyncio.run(masker.mask(call, server=server)).forward
    assert isinstance(done, Call)
    return done.member("x")


def small(extra: str = "", entity: str = "") -> Masker:
    return Masker(rules_of(f"version: 1\nentities:\n  - entity: US_SSN\n{entity}{extra}"), KEY)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("replace", "a <CREDIT_CARD> b"),
        ("keep_last", "a ************1111 b"),
        ("remove", "a  b"),
    ],
)
def test_each_operator(operator: str, expected: str) -> None:
    rules = rules_of(f"version: 1\nentities: [{{entity: CREDIT_CARD, operator: {operator}}}]")
    assert Masker(rules, KEY).keep_text("a 4111 1111 1111 1111 b") == expected


def test_a_pseudonym_is_the_same_for_the_same_value_and_key_only() -> None:
    rules = rules_of("version: 1\nentities: [{entity: EMAIL_ADDRESS, operator: pseudonym}]")
    masker, other = Masker(rules, KEY), Masker(rules, bytes(32))
    bob = masker.keep_text("bob@example.com")
    assert bob == masker.keep_text("to bob@example.com")[3:]
    assert bob != masker.keep_text("eve@example.com")
    assert bob != other.keep_text("bob@example.com")
    assert bob.startswith("<EMAIL_ADDRESS_")
    assert len(bob) == len("<EMAIL_ADDRESS_>") + 12


def test_what_travels_depends_on_the_direction_and_what_is_kept_does_not() -> None:
    rules = rules_of(
        "version: 1\nentities:\n"
        "  - {entity: US_SSN, forward: to_client}\n"
        "  - {entity: EMAIL_ADDRESS, forward: none}\n"
        "  - {entity: CREDIT_CARD, forward: both}\n"
    )
    masker = Masker(rules, KEY)
    text = f"{SSN} bob@example.com {PAN}"
    assert forwarded(masker, text, Direction.TO_SERVER) == f"{SSN} bob@example.com <CREDIT_CARD>"
    assert forwarded(masker, text, Direction.TO_CLIENT) == "<US_SSN> bob@example.com <CREDIT_CARD>"
    assert masker.keep_text(text) == "<US_SSN> <EMAIL_ADDRESS> <CREDIT_CARD>"


def test_a_denied_word_is_masked_and_part_of_a_word_is_not() -> None:
    masker = small("deny:\n  - {id: projects, entity: PROJECT, words: [Bluebird, Red Fox]}\n", "  - entity: PROJECT\n")
    assert masker.keep_text("about bluebird, RED FOX and bluebirds") == "about <PROJECT>, <PROJECT> and bluebirds"


def test_an_allowed_value_passes() -> None:
    masker = small('allow:\n  - {id: sample, entity: US_SSN, words: ["234-45-6789"]}\n')
    assert masker.keep_text("234-45-6789 345-67-8901") == "234-45-6789 <US_SSN>"


def test_a_path_rule_masks_and_another_forwards() -> None:
    masker = small(
        "paths:\n"
        "  - {id: notes, entity: US_SSN, action: mask, server: crm, path: /params/x/*/note}\n"
        "  - {id: raw, action: forward, path: /params/x/raw/**}\n"
    )
    value: Json = {"0": {"note": "anything"}, "raw": {"deep": SSN}, "else": SSN}
    assert forwarded(masker, value) == {"0": {"note": "<US_SSN>"}, "raw": {"deep": SSN}, "else": "<US_SSN>"}
    assert forwarded(masker, {"0": {"note": "anything"}}, server="other") == {"0": {"note": "anything"}}
    kept = asyncio.run(masker.mask(Call("m", {"x": value}, 1, Direction.TO_CLIENT), server="crm")).keep
    assert SSN not in repr(kept)


@pytest.mark.parametrize(
    "text",
    [
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111\u20111111\u20111111\u20111111",
        "41\u00ad11111111111111",
        "\u0664\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661",
        "\U0001d7d2\U0001d7cf\U0001d7cf\U0001d7cf 1111 1111 1111",
        "card 4111\u22121111\u22121111\u22121111",
        "bob\uff20example.com",
        "b\u043eb@example.com",
    ],
)
def test_look_alikes_are_found_and_masked_where_they_stand(masker: Masker, text: str) -> None:
    masked = masker.keep_text(f"\u00e9 {text} \u00e9")
    assert masked.startswith("\u00e9 ")
    assert masked.endswith(" \u00e9")
    assert "1111 1111" not in masked
    assert "example" not in masked
    assert "<" in masked or "*" in masked


def test_an_invisible_character_at_either_end_of_a_value_is_not_the_end_of_masking(masker: Masker) -> None:
    for text in ("\u200bDE89370400440532013000", "DE89370400440532013000\u200b", "\u200b234-45-6789 \u00e9\u200b"):
        masked = masker.keep_text(text)
        assert "<" in masked
        assert not any(char.isdigit() for char in masked)


def test_a_mask_is_no_context_for_what_follows(masker: Masker) -> None:
    text = "<US_SSN> 234456789"
    assert masker.keep_text(text) == text


def test_the_whole_of_overlapping_findings_is_masked_once(masker: Masker) -> None:
    assert masker.keep_text("x DE89370400440532013000 y") == "x <IBAN_CODE> y"


PIECES = st.sampled_from(
    [
        *(PAN, "4111 1111 1111 1111", SSN, "234456789", "ssn", "card", "phone", "(212) 555-2368", "bob@example.com"),
        *("10.1.2.3", "DE89370400440532013000", "password: hunter2", "account", "945456787654", "<US_SSN>", "bank"),
        *("<EMAIL_ADDRESS_0123456789ab>", "************1111", "routing 121000358", "\u200b", "\uff14", "-", ".", ":"),
        *("@", "/", "x", "1", "AKIAIOSFODNN7EXAMPLE", "https://u:pw1234@h/x", "born 1980-02-29", "{", "[1,", '"'),
        *("Bearer abcdef123456789", "\\u0040", "\n", "<PASSWORD>", "value", "name"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=10).flatmap(
    lambda parts: st.sampled_from([" ", "", ", "]).map(lambda glue: glue.join(parts))
)
VALUES = st.recursive(
    TEXTS | st.integers(0, 10**19) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ssn", "card", "note", "value", "name", "dob", "token"]) | TEXTS, inner, max_size=3
        )
        | inner.map(lambda value: jsontext.wire(value).decode("utf-8", "replace"))
    ),
    max_leaves=8,
)
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def utf8(value: Json) -> bool:
    try:
        jsontext.wire(value)
    except UnicodeEncodeError:
        return False
    return True


@SLOW
@given(text=TEXTS)
def test_masking_a_masked_text_again_changes_nothing(masker: Masker, text: str) -> None:
    once = masker.keep_text(text)
    assert masker.keep_text(once) == once


@SLOW
@given(value=VALUES.filter(utf8), direction=st.sampled_from(Direction))
def test_masking_a_masked_message_again_changes_nothing(masker: Masker, value: Json, direction: Direction) -> None:
    done = asyncio.run(masker.mask(Call("vendor/x", {"x": value}, 1, direction), server="s"))
    again = asyncio.run(masker.mask(done.forward, server="s"))
    assert again.forward == done.forward
    kept = asyncio.run(masker.mask(done.keep, server="s"))
    assert kept.keep == done.keep
    assert kept.findings == ()


def test_the_digits_of_a_mask_are_none_of_a_value_that_a_key_rule_wants(masker: Masker) -> None:
    once = masker.keep_json({"ssn": "ask bob@example.com"})
    assert "<EMAIL_ADDRESS" in str(once)
    assert masker.keep_json(once) == once


class FailingFinder:
    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[object]:
        raise self.fault

    def expect(self, texts: Iterable[str], budget: Budget) -> None:
        pass


@pytest.mark.parametrize(
    "fault", [ValueError("quotes 234-45-6789"), TimeoutError(), quiet.SkippedError(), MemoryError()]
)
def test_an_engine_that_fails_lets_nothing_through(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    masker = small()
    monkeypatch.setattr(masker._core._tools.scanner, "finder", FailingFinder(fault))
    with pytest.raises(MaskingError) as caught:
        asyncio.run(masker.mask(Reply(1, {"x": SSN}, None, Direction.TO_CLIENT), server="s"))
    assert "234" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_pattern_that_presidio_skips_is_an_error_and_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    import presidio_analyzer.pattern_recognizer as presidio  # noqa: PLC0415 -- what is tampered with

    rules = rules_of("version: 1\nentities: [{entity: EMAIL_ADDRESS}]")
    masker = Masker(rules, KEY)
    # As with a spaCy model: the gateway's own way does not give Presidio whole texts.
    full = FullFinder(build_recognizers(rules), CutterNlpEngine(Cutter(["EMAIL_ADDRESS"])))
    monkeypatch.setattr(masker._core._tools.scanner, "finder", full)
    monkeypatch.setattr(presidio, "REGEX_TIMEOUT_SECONDS", 0.05)
    logging.disable(logging.CRITICAL)  # the alarm must not hang on the logging machinery
    try:
        with pytest.raises(MaskingError):
            masker.keep_json("bob@example.com " + "a." * 6000 + "@")
    finally:
        logging.disable(logging.NOTSET)


def test_limits_refuse_the_message(masker: Masker, monkeypatch: pytest.MonkeyPatch) -> None:
    nested: Json = SSN
    for _ in range(place.JSON_IN_TEXT_MAX + 1):
        nested = jsontext.wire([nested]).decode()
    with pytest.raises(MaskingError, match="nested"):
        masker.keep_json(nested)
    monkeypatch.setattr(engine, "LEAF_CHARS_MAX", 1000)
    with pytest.raises(MaskingError, match="characters"):
        masker.keep_json("x" * 1001)
    monkeypatch.setattr(leaves, "LEAVES_MAX", 10)
    with pytest.raises(MaskingError, match="texts"):
        masker.keep_json(["a"] * 11)
    small: list[Json] = [[[]] * 10, [{}] * 10, [None] * 10, "[" + "null," * 10 + "null]"]
    for value in small:
        with pytest.raises(MaskingError, match="arrays"):
            masker.keep_json(value)


def test_no_network_is_touched(monkeypatch: pytest.MonkeyPatch, shipped_rules: object) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    masker = Masker(rules_of("version: 1\nentities: [{entity: EMAIL_ADDRESS}, {entity: URL}]"), KEY)
    assert masker.keep_text("mail someone@brand-new.example.co.uk") == "mail <EMAIL_ADDRESS>"


def test_no_log_holds_a_raw_value(masker: Masker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    raw = "DE89 3704 0044 0532 0130 0\u212a"  # what Presidio logs as an IBAN that it cannot read
    masker.keep_text(f"{raw} bob@example.com {PAN} {SSN}")
    for value in (raw, "bob@", PAN, SSN):
        assert value not in caplog.text


def test_the_cache_holds_no_text(shipped_rules: MaskingRules) -> None:
    masker = masker_of(shipped_rules, KEY)
    masker.keep_text("a rather long text with 234-45-6789 in it")
    shown = repr(list(masker._core._tools.scanner._cache.items())) + repr(masker._core._tools.scanner._clean_names)
    assert SSN not in shown
    assert "rather" not in shown


def test_the_engine_is_described_by_what_decides() -> None:
    first, second = small().describe(), small("phone_regions: [GB]\n").describe()
    assert first.name == "presidio-analyzer"
    assert first.version
    assert first.config_hex != second.config_hex
    assert len(first.config_hex) == 64


def test_a_short_key_is_refused() -> None:
    with pytest.raises(MaskingError, match="32"):
        Masker(rules_of("version: 1\nentities: [{entity: US_SSN}]"), os.urandom(16))
