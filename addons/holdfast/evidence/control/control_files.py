"""The files in `rules/controls/`: YAML to Controls, when a package is built. A verifier reads the package's JSON."""

from pathlib import Path
from typing import Final

from holdfast.evidence.control.controls import (
    CONTROLS_MAX,
    COVERAGES,
    FRAMEWORK_ID,
    NOT_COVERED,
    REPORT_IDS,
    Control,
    Framework,
    fault_of,
)
from holdfast.policy.document import Section, parse_document, read_source, require_version

FOLDER: Final = "controls"  # below the folder of the rules


def load(directory: Path) -> tuple[Framework, ...]:
    """The frameworks in the YAML files of ``directory``, ordered by file name; none where there is no such folder.

    Raises:
        RulesError: a file is wrong; names file, line and key.
    """
    paths = sorted(directory.glob("*.yaml")) if directory.is_dir() else []
    return tuple(parse_framework(parse_document(read_source(path))) for path in paths)


def parse_framework(section: Section) -> Framework:
    """One file.

    Raises:
        RulesError: names file, line and key.
    """
    require_version(section)
    framework_id = section.text("framework")
    if FRAMEWORK_ID.fullmatch(framework_id) is None or f"{framework_id}.yaml" != section.file:
        raise section.error("framework", "is not the name of the file", f"Write {section.file.removesuffix('.yaml')}")
    name, edition, note = section.text("name"), section.text("edition"), section.text("note", "")
    controls: dict[str, Control] = {}
    for item in section.sections("controls"):
        control = _parse_control(item)
        if control.id in controls:
            raise item.error("id", "stands twice in the file", "Give each control one entry")
        controls[control.id] = control
    if not 0 < len(controls) <= CONTROLS_MAX:
        raise section.error("controls", f"has {len(controls)} entries", f"List 1 to {CONTROLS_MAX} controls")
    section.done()
    return Framework(framework_id, name, edition, note, tuple(controls.values()))


def _parse_control(section: Section) -> Control:
    coverage = section.choice("coverage", COVERAGES)
    is_covered = coverage != NOT_COVERED
    control = Control(
        id=section.text("id"),
        title=section.text("title"),
        requirement=section.text("requirement"),
        coverage=coverage,
        gives=section.text("gives") if is_covered else section.text("gives", ""),
        left_to_you=section.text("left_to_you"),
        reports=section.texts("reports") if is_covered else section.texts("reports", ()),
    )
    section.done()
    fault = fault_of(control)
    if fault is not None:
        remedy = f"The reports are {', '.join(REPORT_IDS)}" if fault[0] == "reports" else "See docs/controls.md"
        raise section.error(*fault, remedy)
    return control
