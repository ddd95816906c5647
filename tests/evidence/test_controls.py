"""Controls: what the shipped files say, how they are read, and the table that a package shows."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import EvidenceError
from holdfast.evidence.control import control_files, controls
from holdfast.evidence.control.controls import Control, Framework
from holdfast.evidence.tables.material import Tally
from holdfast.evidence.tables.plain import csv_bytes
from holdfast.evidence.tables.reports import REPORTS
from holdfast.ledger import record

ROOT = Path(__file__).parents[2]
SHIPPED = control_files.load(ROOT / "rules" / "controls")
BY_ID = {framework.id: framework for framework in SHIPPED}
PAGE = (ROOT / "docs" / "controls.md").read_text("utf-8")
ALL = [(framework, control) for framework in SHIPPED for control in framework.controls]
NAMES = [f"{framework.id}:{control.id}" for framework, control in ALL]


def test_every_framework_that_we_name_has_a_file() -> None:
    assert [framework.id for framework in SHIPPED] == [
        "eu-ai-act", "gdpr", "hipaa", "iso27001", "nist-800-53", "pci-dss", "soc2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("framework", "ids"),
    [
        ("soc2", "CC6.1 CC6.3 CC6.6 CC6.7 CC6.8 CC7.2 CC7.3 CC8.1 C1.1"),
        ("iso27001", "A.5.3 A.5.15 A.5.18 A.5.28 A.5.33 A.8.2 A.8.11 A.8.12 A.8.15 A.8.16 A.8.17 A.8.32"),
        (
            "pci-dss",
            (
                "3.3.1 3.4.1 10.2.1.1 10.2.1.2 10.2.1.3 10.2.1.4 10.2.1.5 10.2.1.6 10.2.1.7 10.2.2 10.3.1 10.3.2 "
                "10.3.3 10.3.4 10.4.1 10.5.1 10.6 10.7.2"
            ),
        ),
        ("hipaa", "164.312(a)(1) 164.312(b) 164.312(c)(1) 164.312(d) 164.316(b)(2)(i)"),
        ("gdpr", "Art.5(1)(c) Art.5(1)(f) Art.5(2) Art.17 Art.25 Art.30 Art.32"),
        ("eu-ai-act", "Art.12(1) Art.14(1) Art.19(1) Art.26(6)"),
        (
            "nist-800-53",
            (
                "AU-2 AU-3 AU-3(1) AU-3(3) AU-5 AU-6 AU-7 AU-8 AU-9 AU-9(2) AU-9(3) AU-9(4) AU-10 AU-11 AU-12 AC-3 "
                "AC-3(2) AC-5 AC-6(9) CM-3 SI-7"
            ),
        ),
    ],
)
def test_a_clause_that_an_auditor_looks_for_is_there(framework: str, ids: str) -> None:
    known = {control.id.replace(" ", "") for control in BY_ID[framework].controls}
    assert set(ids.split()) - known == set()


def test_the_reports_that_controls_may_name_are_those_of_a_package() -> None:
    assert tuple(report.id for report in REPORTS) == controls.REPORT_IDS


@pytest.mark.parametrize(("framework", "control"), ALL, ids=NAMES)
def test_no_control_claims_what_evidence_cannot_show(framework: Framework, control: Control) -> None:
    text = f"{control.title} {control.requirement} {control.gives} {control.left_to_you} {framework.note}"
    assert re.findall(r"(?i)compliant|compliance|certif|guarantee|tamper-?proof|fully|always secure", text) == []


@pytest.mark.parametrize(("framework", "control"), ALL, ids=NAMES)
def test_every_control_leaves_something_to_the_operator_and_says_it_shortly(
    framework: Framework, control: Control
) -> None:
    assert control.left_to_you
    assert len(control.title) <= 50
    assert all(len(text) <= 400 for text in (control.requirement, control.gives, control.left_to_you))


@pytest.mark.parametrize(("framework", "control"), ALL, ids=NAMES)
def test_what_a_control_says_to_give_exists(framework: Framework, control: Control) -> None:
    members = {name for name, _, _ in record.documentation()}
    dotted = set(re.findall(r"\b[a-z]+\.[a-z_]+\b", control.gives)) - {"docs.md"}
    files = {name for name in dotted if name.endswith((".md", ".yaml"))} | {"controls.md", "mapping.md", "records.md"}
    assert dotted - members - set(record.KINDS) - files == set()


def test_supports_is_said_of_clauses_about_the_records_themselves_and_of_nothing_wider() -> None:
    said = {f"{framework.id}:{control.id}" for framework, control in ALL if control.coverage == controls.SUPPORTS}
    assert said == {
        "hipaa:164.312(b)",
        "nist-800-53:AC-3", "nist-800-53:AC-6(9)", "nist-800-53:AU-3", "nist-800-53:AU-3(1)", "nist-800-53:AU-7",
        "nist-800-53:AU-8",
        "pci-dss:7.3.3", "pci-dss:10.2.1.1", "pci-dss:10.2.1.4", "pci-dss:10.2.1.6", "pci-dss:10.2.2",
    }  # fmt: skip


def test_the_page_counts_what_the_files_cover() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)\.yaml` \|[^|]+\| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    expected = [(one.id, *(str(count) for count in one.counts().values())) for one in SHIPPED]
    assert sorted(rows) == expected


@pytest.mark.parametrize("framework", SHIPPED, ids=lambda one: one.id)
def test_a_framework_reads_back_from_the_package(framework: Framework) -> None:
    data = controls.as_json(framework)
    assert controls.parse_json(data) == framework
    assert data.endswith(b"}\n")


def _spaced(data: bytes) -> bytes:
    return data.replace(b'"id"', b' "id"', 1)


def _edited(member: str, value: object) -> Callable[[bytes], bytes]:
    def edit(data: bytes) -> bytes:
        framework = json.loads(data)
        framework["controls"][0][member] = value
        return json.dumps(framework, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    return edit


@pytest.mark.parametrize(
    "change",
    [
        _spaced,
        lambda data: data[:-1],
        lambda data: data.replace(b"holdfast-controls/1", b"holdfast-controls/2"),
        lambda data: data.replace(b'"note"', b'"more":1,"note"'),
        lambda data: data.replace(b'"id":"soc2"', b'"id":"../soc2"'),
        _edited("coverage", "full"),
        _edited("reports", ["12-wishes"]),
        _edited("reports", []),
        _edited("reports", "01-scope"),
        _edited("gives", "You are compliant."),
        _edited("gives", ""),
        _edited("id", "CC6.1"),
        _edited("title", 1),
        _edited("more", "x"),
        lambda _: b"",
        lambda _: b"[]\n",
        lambda _: b"[" * 100_000,
    ],
)
def test_another_spelling_or_claim_in_a_package_is_refused(change: Callable[[bytes], bytes]) -> None:
    data = controls.as_json(BY_ID["soc2"])
    assert change(data) != data
    with pytest.raises(EvidenceError, match="controls"):
        controls.parse_json(change(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_framework_or_an_error(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        controls.parse_json(data)


def ids_of(frameworks: tuple[Framework, ...]) -> list[str]:
    return [f"{framework.id}:{control.id}" for framework in frameworks for control in framework.controls]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["CC6.1"], ["soc2:CC6.1"]),
        (["cc6.1", "CC8.1"], ["soc2:CC6.1", "soc2:CC8.1"]),
        (["CC8.1", "CC6.1"], ["soc2:CC6.1", "soc2:CC8.1"]),
        (["gdpr:art.32"], ["gdpr:Art. 32"]),
        (["Art. 17", "AU-3(1)"], ["gdpr:Art. 17", "nist-800-53:AU-3(1)"]),
        (["10.6"], ["pci-dss:10.6"]),
    ],
)
def test_controls_are_chosen_by_id(asked: list[str], found: list[str]) -> None:
    assert ids_of(controls.select(SHIPPED, asked)) == found


def test_a_framework_is_chosen_whole_and_no_choice_means_all() -> None:
    assert controls.select(SHIPPED, ["HIPAA"]) == (BY_ID["hipaa"],)
    assert controls.select(SHIPPED, ["soc2", "CC6.1"]) == (BY_ID["soc2"],)
    assert controls.select(SHIPPED, []) == SHIPPED


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("CC6.11", "CC6.1"), ("soc-2", "soc2"), ("AU3", "AU-3"), ("gdpr:Art. 31", "gdpr:Art. 30"),
        ("iso27002", "iso27001"),
        ("??", "there are eu-ai-act, gdpr"), ("", "there are eu-ai-act"),
    ],
)  # fmt: skip
def test_an_id_that_names_nothing_is_refused_with_the_nearest(asked: str, near: str) -> None:
    with pytest.raises(EvidenceError, match=r"no framework and no control is called") as caught:
        controls.select(SHIPPED, ["CC6.1", asked])
    assert near in str(caught.value)


@dataclasses.dataclass
class Walked:
    """What is left of a package's material when its reports have been written: how many rows each has."""

    tallies: dict[str, Tally]


COUNTS = Walked({name: Tally(rows=10 + number) for number, name in enumerate(controls.REPORT_IDS)})


def test_the_table_has_a_row_for_each_control_with_the_rows_of_its_reports() -> None:
    rows = list(controls.csv_rows(SHIPPED, COUNTS))
    assert [f"{row[0]}:{row[1]}" for row in rows] == NAMES
    assert {len(row) for row in rows} == {len(controls.CSV_COLUMNS)}
    by_control = {f"{row[0]}:{row[1]}": dict(zip(controls.CSV_COLUMNS, row, strict=True)) for row in rows}
    assert by_control["pci-dss:10.2.1.4"]["reports"] == "04-access-decisions 07-exceptions"
    assert by_control["pci-dss:10.2.1.4"]["rows"] == "13 16"
    assert by_control["soc2:CC6.2"]["coverage"] == "not covered"
    assert by_control["soc2:CC6.2"]["rows"] == ""


def test_the_table_is_the_same_from_the_files_and_from_the_package() -> None:
    read_back = [controls.parse_json(controls.as_json(framework)) for framework in SHIPPED]
    of_files = csv_bytes(controls.CSV_COLUMNS, controls.csv_rows(SHIPPED, COUNTS))
    assert csv_bytes(controls.CSV_COLUMNS, controls.csv_rows(read_back, COUNTS)) == of_files
