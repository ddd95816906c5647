"""Files of controls: read strictly, and every mistake named with file, line and key."""

import re
from pathlib import Path

import pytest

from holdfast.errors import RulesError
from holdfast.evidence.control import control_files
from holdfast.evidence.control.controls import Framework

PAGE = (Path(__file__).parents[2] / "docs" / "controls.md").read_text("utf-8")

FILE = """\
version: 1
framework: house
name: Rules of the house
edition: "3"
note: Ours.
controls:
  - id: H-1
    title: Nobody acts alone
    requirement: Two people agree before customer data leaves.
    coverage: supports
    gives: Who asked and who approved (hold.opened, approval).
    left_to_you: Which calls are held.
    reports: [06-approvals]
  - id: H-2
    title: Doors are locked
    requirement: Doors are locked at night.
    coverage: not covered
    left_to_you: The doors.
"""


def read(folder: Path, text: str, name: str = "house.yaml") -> Framework:
    (folder / name).write_text(text)
    (framework,) = control_files.load(folder)
    return framework


def test_a_file_of_your_own_is_read(tmp_path: Path) -> None:
    framework = read(tmp_path, FILE)
    assert (framework.id, framework.edition, framework.counts()) == (
        "house", "3", {"supports": 1, "partial": 0, "not covered": 1},
    )  # fmt: skip
    assert framework.controls[0].reports == ("06-approvals",)
    assert framework.controls[1].gives == ""


def test_no_folder_means_no_controls(tmp_path: Path) -> None:
    assert control_files.load(tmp_path / "controls") == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("version: 1", "version: 2", 1, "version"),
        ("framework: house", "framework: home", 2, "framework is not the name of the file"),
        ("framework: house", "framework: House", 2, "framework is not the name of the file"),
        ("note: Ours.", "notes: Ours.", 5, "notes is not known"),
        ("  - id: H-2", "  - id: H-1", 14, "controls[1].id stands twice"),
        ("  - id: H-2", "  - id: '; drop'", 14, "controls[1].id is no id"),
        ("    title: Doors are locked", "    title: ''", 15, "controls[1].title is empty"),
        ("    title: Doors are locked", "    titel: Doors", 14, "controls[1].title is missing"),
        ("coverage: supports", "coverage: full", 10, "controls[0].coverage is 'full'"),
        ("[06-approvals]", "[06-approvals, 12-wishes]", 13, "controls[0].reports names '12-wishes'"),
        ("[06-approvals]", "[06-approvals, 06-approvals]", 13, "controls[0].reports names a report twice"),
        ("[06-approvals]", "[]", 13, "controls[0].reports must name those"),
        ("    reports: [06-approvals]\n", "", 7, "controls[0].reports is missing"),
        ("    left_to_you: The doors.", "    left_to_you: The doors.\n    reports: [06-approvals]", 19, "reports must"),
        ("    left_to_you: The doors.", "    left_to_you: The doors.\n    gives: Much.", 19, "gives must"),
        ("gives: Who asked", "gives: You are compliant. Who asked", 11, "controls[0].gives promises"),
        ("gives: Who asked", "gives: " + "w" * 1501, 11, "controls[0].gives is empty or longer"),
        ("    left_to_you: Which calls are held.\n", "", 7, "controls[0].left_to_you is missing"),
        (
            "    left_to_you: The doors.",
            "    left_to_you: The doors.\n    owner: me",
            19,
            "controls[1].owner is not known",
        ),
    ],
)
def test_a_mistake_is_named_with_file_line_and_key(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert FILE.count(old) == 1
    with pytest.raises(RulesError, match=re.escape(f"house.yaml:{line}: ")) as caught:
        read(tmp_path, FILE.replace(old, new))
    assert said in str(caught.value)


def test_a_file_without_controls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="controls has 0 entries"):
        read(tmp_path, FILE.partition("controls:")[0])


def test_the_page_shows_an_example_that_parses(tmp_path: Path) -> None:
    example = PAGE.partition("```yaml\n")[2].partition("```")[0]
    framework = read(tmp_path, example, f"{re.search('framework: (.+)', example)[1]}.yaml")  # type: ignore[index] # it is on the page
    assert framework.controls
