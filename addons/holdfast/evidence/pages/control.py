"""A page of its own for one or several controls: what the Records say to them, inline, and what they leave open."""

from collections.abc import Iterable, Sequence
from typing import Final

from holdfast.evidence.control import controls
from holdfast.evidence.control.controls import NOT_COVERED, PARTIAL, SUPPORTS, Framework
from holdfast.evidence.pages.bounds import CONTROL_ROWS_MAX, CONTROLS_MAX
from holdfast.evidence.pages.common import frame
from holdfast.evidence.pages.environment import render
from holdfast.evidence.pages.manifest import ControlLine, control_line
from holdfast.evidence.pages.table import Table, table
from holdfast.evidence.tables.material import Material
from holdfast.evidence.tables.reports import REPORTS, Report

_NAMES_MAX: Final = 4  # in the title of the page
_MEANINGS: Final = {
    SUPPORTS: "Supports: for calls that pass the gateway, these Records can serve as evidence for this control.",
    PARTIAL: "Partial: these Records speak to a part of this control; the rest needs other evidence.",
    NOT_COVERED: "Not covered: these Records say nothing that this control asks for.",
}


def control_page(material: Material, frameworks: Sequence[Framework], ids: Iterable[str]) -> bytes:
    """One self-contained page for the controls that ``ids`` name (see controls.select), with their reports inline.

    Raises:
        EvidenceError: an id names nothing.
    """
    chosen = [
        control_line(framework, control, "#{}")
        for framework in controls.select(frameworks, ids)
        for control in framework.controls
    ]
    shown = chosen[:CONTROLS_MAX]
    wanted = {report_id for line in shown for report_id in line.control.reports}
    return render(
        "control.html.j2",
        **frame(material, "control") | {"links": []},
        names=_names(shown),
        controls=shown,
        meanings=_MEANINGS,
        left_out=len(chosen) - len(shown),
        reports=_tables(material, wanted),
    )


def _names(lines: Sequence[ControlLine]) -> str:
    """``SOC 2: CC6.1, CC6.3; HIPAA: 164.312(b)``."""
    by_framework: dict[str, list[str]] = {}
    for line in lines[:_NAMES_MAX]:
        by_framework.setdefault(line.framework, []).append(line.control.id)
    names = "; ".join(f"{framework}: {', '.join(ids)}" for framework, ids in by_framework.items())
    rest = len(lines) - _NAMES_MAX
    return f"{names} and {rest} more" if rest > 0 else names


def _tables(material: Material, wanted: set[str]) -> list[tuple[Report, Table]]:
    return [(report, table(report, material, CONTROL_ROWS_MAX)) for report in REPORTS if report.id in wanted]
