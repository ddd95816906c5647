"""Scores of masking: what labelled texts say against what is found, and data sets in their forms."""

import gzip
import json
from pathlib import Path

import pytest
from scripts import rules as command
from tests.live.harness.warm import KEPT

from holdfast.errors import RulesError
from holdfast.masking.entries import MaskingRules
from holdfast.masking.scoring.labelled import Label, Labelled, read_labelled
from holdfast.masking.scoring.located import Locator
from holdfast.masking.scoring.score import Tally, score

CARD = "4111 1111 1111 1111"
MAIL = "bob@example.com"


@pytest.fixture(scope="module")
def locator(shipped_rules: MaskingRules) -> Locator:
    return Locator(shipped_rules, KEPT)


@pytest.mark.parametrize(
    "text",
    [
        f"write to {MAIL}, card {CARD}.",
        f"{MAIL} {MAIL}",
        f"{CARD}\n{MAIL}",
        json.dumps({"note": f"mail {MAIL}", "card": CARD, "n": 3}),
        json.dumps([{"to": MAIL}, {"to": MAIL}], indent=2),
    ],
)
def test_what_is_masked_is_located_where_it_stands(locator: Locator, text: str) -> None:
    found = [text[label.start : label.end] for label in locator.locate(text)]
    assert sorted(found) == sorted([MAIL] * text.count(MAIL) + [CARD] * text.count(CARD))


def test_a_number_that_is_masked_is_located(locator: Locator) -> None:
    text = '{"ssn": 234456789, "name": "x"}'
    assert [text[label.start : label.end] for label in locator.locate(text)] == ["234456789"]


def test_a_text_without_findings_has_no_place(locator: Locator) -> None:
    assert locator.locate("order 12 of 30") == []


def found_at(*labels: Label) -> Tally:
    text = Labelled("x" * 40, (Label(0, 10, "A"), Label(20, 30, "B")))
    return score([text], lambda _: list(labels)).of("A")


def test_a_finding_counts_when_half_of_it_and_the_label_agree() -> None:
    assert found_at(Label(0, 10, "A")).recall == 1.0
    assert found_at(Label(0, 20, "A")).recall == 1.0
    assert found_at(Label(0, 21, "A")).recall == 0.0
    assert found_at(Label(0, 10, "B")).recall == 0.0


def test_what_is_masked_as_something_else_does_not_leak() -> None:
    assert found_at(Label(0, 10, "B")).leak == 0.0
    assert found_at(Label(0, 4, "A")).leak == 0.6


def test_what_has_no_label_is_masked_too_much() -> None:
    text = Labelled("x" * 40, (Label(0, 10, "A"),))
    total = score([text], lambda _: [Label(5, 25, "A")])
    assert (total.clean, total.clean_masked, total.over) == (30, 15, 0.5)
    assert total.of("A").precision == 0.0


def test_where_nothing_is_counted_there_is_no_share() -> None:
    empty = Tally()
    assert (empty.recall, empty.precision, empty.f1, empty.leak) == (None, None, None, None)


def test_data_sets_are_read_in_their_forms(tmp_path: Path) -> None:
    spans = [{"entity_type": "US_SSN", "start_position": 1, "end_position": 3}]
    (tmp_path / "a.json").write_text(json.dumps([{"full_text": "abc", "spans": spans}]))
    line = {
        "text": "abc",
        "language": "en",
        "annotations": [{"entity_type": "SOCIAL_SECURITY_NUMBER", "start": 1, "end": 3}],
    }
    other = {"text": "abc", "language": "de", "annotations": []}
    lines = "\n".join(json.dumps(entry) for entry in (line, other, line))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    one = Labelled("abc", (Label(1, 3, "US_SSN"),))
    assert read_labelled(tmp_path / "a.json") == [one]
    assert read_labelled(tmp_path / "b.jsonl.gz") == [one, one]


def test_a_folder_is_a_corpus_of_clean_texts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe")
    assert read_labelled(tmp_path) == [Labelled("x = 1", ())]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('{"text": "a", "annotations": []}\n{"text": ', 2, "no JSON"),
        ('{"text": "a"}', 1, "no text or no labels"),
        ('{"text": "a", "annotations": [{"start": 3, "end": 1, "entity_type": "A"}]}', 1, "names no span"),
        ("7", 1, "no object"),
    ],
)
def test_a_data_set_in_no_known_form_is_an_error_that_names_the_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text(text)
    with pytest.raises(RulesError) as error:
        read_labelled(path)
    assert error.value.line == line
    assert problem in str(error.value)


def test_a_data_set_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"none\.json"):
        read_labelled(tmp_path / "none.json")


def test_the_command_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spans = [{"entity_type": "EMAIL_ADDRESS", "start_position": 3, "end_position": 3 + len(MAIL)}]
    data = tmp_path / "a.json"
    data.write_text(json.dumps([{"full_text": f"to {MAIL}", "spans": spans}]))
    assert command.main(["score", str(data)]) == 0
    assert "EMAIL_ADDRESS" in capsys.readouterr().out
    assert command.main(["score", "--json", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)[str(data)]["entities"]["EMAIL_ADDRESS"]["recall"] == 1.0


def test_the_command_scores_another_profile_than_the_rules_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = [{"entity_type": "EMAIL_ADDRESS", "start_position": 3, "end_position": 3 + len(MAIL)}]
    data = tmp_path / "a.json"
    data.write_text(json.dumps([{"full_text": f"to {MAIL}", "spans": spans}]))
    assert command.main(["score", "--json", "--profile", "pci", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)[str(data)]["entities"]["EMAIL_ADDRESS"]["recall"] == 0.0


def test_a_profile_that_there_is_not_is_an_error_that_says_which_file_it_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["score", "--profile", "shop", str(tmp_path)]) == 1
    assert "rules/profiles/shop.yaml" in capsys.readouterr().err


def test_where_labels_and_masking_disagree_is_shown_by_form_and_never_by_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts: list[object] = [{"full_text": f"write to {MAIL}", "spans": []}] * 2
    span = {"entity_type": "PLATE", "start_position": 6, "end_position": 12}
    texts.append({"full_text": "plate Ab1234 seen", "spans": [span]})
    data = tmp_path / "a.json"
    data.write_text(json.dumps(texts))
    assert command.main(["score", "--differences", "5", str(data)]) == 0
    shown = capsys.readouterr().out
    assert "2 x EMAIL_ADDRESS: 'write to ' 'aaa@aaaaaaa.aaa'" in shown
    assert "1 x PLATE: 'plate ' 'Aa0000'" in shown
    assert MAIL not in shown


def test_json_that_is_written_otherwise_around_a_mask_is_located_all_the_same(locator: Locator) -> None:
    text = '{"a" :"caf\\u00e9 \\/ x",\n\n"ssn":234456789 ,"z":"\\u00e9", "card" : "' + CARD + '"}'
    assert [text[label.start : label.end] for label in locator.locate(text)] == ["234456789", CARD]
