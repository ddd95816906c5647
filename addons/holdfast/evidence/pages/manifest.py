"""`evidence_manifest.html`: every control, every report, every file of a package, to be searched offline."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from holdfast.evidence.control.controls import PARTIAL, SUPPORTS, Control, Framework
from holdfast.evidence.pages.bounds import CONTROLS_LISTED_MAX
from holdfast.evidence.pages.common import Summary, frame
from holdfast.evidence.pages.environment import render
from holdfast.evidence.pages.files import PackedFile, listing
from holdfast.evidence.tables.material import Material

TONES: Final = {SUPPORTS: "good", PARTIAL: "hold"}  # what is not covered is neither good nor bad


@dataclasses.dataclass(frozen=True, slots=True)
class ControlLine:
    """A Control as pages show it: ``reports`` are ids with where they are, ``tone`` is the colour of its coverage."""

    framework: str
    edition: str
    control: Control
    tone: str
    reports: tuple[tuple[str, str], ...]


def control_line(framework: Framework, control: Control, href: str) -> ControlLine:
    """``control`` of ``framework``; ``href`` says where a report is, with ``{}`` for its id."""
    reports = tuple((report_id, href.format(report_id)) for report_id in control.reports)
    return ControlLine(framework.name, framework.edition, control, TONES.get(control.coverage, "quiet"), reports)


def render_manifest(material: Material, summaries: Sequence[Summary], files: Iterable[PackedFile]) -> bytes:
    """The manifest page of a package with these reports and files."""
    listed = listing(files)
    frameworks, left_out = _frameworks(material.controls)
    return render(
        "manifest.html.j2",
        **frame(material, "manifest"),
        frameworks=frameworks,
        controls_left_out=left_out,
        reports=summaries,
        groups=listed.groups,
        files_count=listed.files_count,
        files_bytes=listed.files_bytes,
    )


def _frameworks(frameworks: Sequence[Framework]) -> tuple[list[tuple[Framework, list[ControlLine]]], int]:
    shown: list[tuple[Framework, list[ControlLine]]] = []
    left = CONTROLS_LISTED_MAX
    for framework in frameworks:
        lines = [control_line(framework, control, "reports/{}.html") for control in framework.controls[:left]]
        left -= len(lines)
        if lines:
            shown.append((framework, lines))
    return shown, sum(len(framework.controls) for framework in frameworks) - (CONTROLS_LISTED_MAX - left)
