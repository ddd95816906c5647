"""The direct way through Presidio's recognizers finds what AnalyzerEngine finds."""

import dataclasses
import json
import random
from pathlib import Path

import pytest
import spacy
from tests.live.harness.warm import scanner_of
from tests.masking.conftest import KEY, rules_of

from holdfast.errors import MaskingError
from holdfast.masking.budget import Budget
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import MaskingRules
from holdfast.masking.gate import Need, need_of
from holdfast.masking.masker import Masker
from holdfast.masking.view import View
from holdfast.masking.words import name_context, name_words

VECTORS = Path(__file__).parents[1] / "vectors" / "pii"
SEEDS = ["4111 1111 1111 1111", "234-45-6789", "ssn 234456789", "DE89370400440532013000", "a@b.co", "10.1.2.3",
         "(212) 555-2368", "+44 20 7946 0958", "passport", "driver", "account", "945456787654", "2001:db8::1",
         "::1", "BB1388568", "00:1A:2B:3C:4D:5E", "<US_SSN>", "password=abcd1234",
         "\u0661\u0662\u0663", "\u212a", "\u017f", "\u00e9"]  # fmt: skip


def texts() -> list[str]:
    samples: list[str] = []
    for name in ("presidio_research_sample.json", "pii_anon_eval_sample.json"):
        samples += json.loads((VECTORS / name).read_text())
    chance = random.Random(4)  # the same texts on every run
    for _ in range(1500):
        parts = chance.choices([*SEEDS, "the", "x1", "-", ".", "2024-11-22"], k=chance.randint(1, 6))
        text = chance.choice([" ", "", " ", ", "]).join(parts)
        if chance.random() < 0.5:
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice("0189aZ .-:@/_\u00a0\u0664") + text[at + chance.randint(0, 1) :]
        samples.append(text)
    return samples


@pytest.mark.parametrize(
    ("pattern", "need"),
    [
        (r"\d{3}-\d{2}", Need(6, 5, frozenset({frozenset("-")}))),
        (r"(?:a\d|\d\d)+", Need(2, 1)),
        (r"x?@[.:]", Need(2, 0, frozenset({frozenset("@"), frozenset(".:")}))),
        (r"[\d.]{4}", Need(4)),
        (r"[^0-9]\w", Need(2)),
        (r"(?<=:)a", Need(1)),
        (r"[[:digit:]]x", Need()),
        (r"(?:foo){e<=1}", Need()),
        (r"\p{L}1", Need()),
    ],
)
def test_the_needs_of_a_pattern_are_never_too_many(pattern: str, need: Need) -> None:
    assert need_of(pattern) == need


def test_a_gate_counts_digits_of_every_script() -> None:
    assert View("\u0661\u0662\u0663 7").digits == 4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("creditCardNo", ("credit", "card", "no")),
        ("user_SSN2", ("user", "ssn", "2")),
        ("XMLHttp-id", ("xml", "http", "id")),
    ],
)
def test_names_are_cut_into_words(name: str, words: tuple[str, ...]) -> None:
    assert name_words(name) == words


def test_an_identifier_gives_no_context() -> None:
    assert name_context("account_id") == ()
    assert name_context("bankAccounts") == ("bank", "account")


def test_a_spacy_model_that_the_rules_name_finds_names(tmp_path: Path) -> None:
    model = spacy.blank("en")
    model.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}])  # type: ignore[attr-defined] # a ruler
    model.to_disk(tmp_path / "model")
    rules = rules_of(
        f"version: 1\nnlp: {{spacy_model: {tmp_path / 'model'}}}\n"
        "entities: [{entity: PERSON}, {entity: CREDIT_CARD}]"
    )
    text = Masker(rules, KEY).keep_text("Ada Lovelace paid with 4111 1111 1111 1111")
    assert text == "<PERSON> paid with <CREDIT_CARD>"


def test_a_model_that_is_not_installed_is_not_fetched() -> None:
    rules = rules_of("version: 1\nnlp: {spacy_model: en_core_no_such}\nentities: [{entity: PERSON}]")
    with pytest.raises(MaskingError, match="not installed"):
        Scanner(rules, KEY)


def test_findings_of_one_place_come_in_one_order(shipped_rules: MaskingRules) -> None:
    """Two rules say the same of a place: which of them a Record names must not depend on how a set lies in memory."""
    number = "\uff12\uff11\uff19-\uff10\uff19-\uff19\uff19\uff19\uff19"
    spans = scanner_of(shipped_rules).scan(f"9999={number}", (), Budget())
    assert len({(span.start, span.end, span.entity) for span in spans}) < len(spans)
    assert list(spans) == sorted(spans, key=dataclasses.astuple)
