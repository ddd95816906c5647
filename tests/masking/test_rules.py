import presidio_analyzer.predefined_recognizers as presidio
import pytest
from tests.live.harness.warm import KEPT
from tests.masking.conftest import rules_of

from holdfast.errors import RulesError
from holdfast.masking.catalogue import RECOGNIZERS
from holdfast.masking.entries import MaskingRules
from holdfast.masking.examples import check_examples, rules_without_examples

HEAD = "version: 1\nentities:\n  - entity: US_SSN\n"


def test_the_shipped_rules_prove_themselves(shipped_rules: MaskingRules) -> None:
    assert [str(problem) for problem in check_examples(shipped_rules, automata=KEPT)] == []
    assert rules_without_examples(shipped_rules) == []
    shown = [rule.examples for rule in shipped_rules.entities]
    shown += [rule.examples for rule in shipped_rules.patterns]
    shown += [rule.examples for rule in shipped_rules.keys]
    assert all(examples.matches and examples.passes for examples in shown)


def test_an_example_that_does_not_hold_is_named() -> None:
    rules = rules_of(
        "version: 1\nentities:\n  - entity: US_SSN\n    matches: ['no number']\n    passes: ['234-45-6789']\n"
    )
    assert [str(problem) for problem in check_examples(rules)] == [
        "masking.yaml:3: rule us-ssn: `matches` example 1 is not found",
        "masking.yaml:3: rule us-ssn: `passes` example 1 is found",
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + "colour: red\n", 4, "colour"),
        (HEAD + "  - entity: US_SSN\n", 4, "twice"),
        (HEAD + "  - {entity: CREDIT_CARD, operator: blur}\n", 4, "blur"),
        (HEAD + "  - {entity: CREDIT_CARD, forward: up}\n", 4, "up"),
        (HEAD + "  - {entity: CREDIT_CARD, threshold: 2}\n", 4, "threshold"),
        (HEAD + "  - {entity: CREDIT_CARD, keep: 12}\n", 4, "keep"),
        (HEAD + "  - {entity: CREDIT_CARD, colour: red}\n", 4, "colour"),
        (HEAD + "  - {entity: PERSON}\n", 4, "model"),
        (HEAD + "  - {entity: NO_SUCH_THING}\n", 4, "NO_SUCH_THING"),
        (HEAD + "patterns:\n  - {id: a, entity: US_SSN, regex: '(['}\n", 5, "regular expression"),
        (HEAD + "patterns:\n  - {id: a, entity: US_SSN, regex: 'x*'}\n", 5, "empty text"),
        (HEAD + "patterns:\n  - {id: a, entity: CRYPTO, regex: 'x'}\n", 5, "CRYPTO"),
        (HEAD + "patterns:\n  - {id: us-ssn, entity: US_SSN, regex: 'x'}\n", 5, "twice"),
        (HEAD + "patterns:\n  - {id: a, entity: US_SSN, regex: 'x', validator: crc}\n", 5, "crc"),
        (HEAD + "deny:\n  - {id: a, entity: US_SSN, words: ['']}\n", 5, "empty word"),
        (HEAD + "allow:\n  - {id: a}\n", 5, "nothing"),
        (HEAD + "paths:\n  - {id: a, action: forward, path: params}\n", 5, "begin"),
        (HEAD + "language: de\n", 4, "de"),
        (HEAD + "phone_regions: [USA]\n", 4, "regions"),
        (HEAD + "streams: {hold_back_ms: 60000}\n", 4, "hold_back_ms"),
        (HEAD + "streams: {hold_back_chars: 1}\n", 4, "hold_back_chars"),
        (HEAD + "streams: {colour: red}\n", 4, "colour"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    assert (caught.value.file, caught.value.line) == ("masking.yaml", line)
    assert words in str(caught.value)


@pytest.mark.parametrize(("entity", "name"), RECOGNIZERS.items())
def test_the_catalogue_names_what_presidio_has(entity: str, name: str) -> None:
    assert getattr(presidio, name)().supported_entities == [entity]


@pytest.mark.parametrize("more", ["", "operator: replace, ", "operator: pseudonym, forward: to_server, "])
def test_only_pseudonyms_that_travel_to_the_client_come_back(more: str) -> None:
    with pytest.raises(RulesError, match="restore"):
        rules_of(f"version: 1\nentities: [{{entity: US_SSN, {more}restore: caller}}]\n")
    rules = rules_of("version: 1\nentities: [{entity: US_SSN, operator: pseudonym, restore: caller}]\n")
    assert [rule.restores for rule in rules.entities] == [True]


def test_a_refusal_that_holds_in_no_direction_is_a_mistake() -> None:
    with pytest.raises(RulesError, match="refuse nothing"):
        rules_of("version: 1\nentities: [{entity: US_SSN, operator: refuse, forward: none}]\n")


def test_a_format_is_for_pseudonyms() -> None:
    with pytest.raises(RulesError, match="about pseudonyms"):
        rules_of("version: 1\nentities: [{entity: US_SSN, format: preserve}]\n")
