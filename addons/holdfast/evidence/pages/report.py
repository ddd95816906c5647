"""`reports/*.html`: one page for each report, and what some of them show besides their rows."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from holdfast.evidence.pages.bounds import APPROVALS_MAX, HOLDS_MAX, VIEW_CHARS_MAX, VIEWS_CHARS_MAX
from holdfast.evidence.pages.common import Summary, frame
from holdfast.evidence.pages.environment import render
from holdfast.evidence.pages.figures import END_OF, Figures
from holdfast.evidence.pages.strips import gap_strip, window_strip
from holdfast.evidence.pages.table import table
from holdfast.evidence.story.facts import HoldFact
from holdfast.evidence.tables.material import Material, Tally
from holdfast.evidence.tables.plain import visible_lines
from holdfast.evidence.tables.reports import REPORTS

type Extra = Callable[[Material], dict[str, Any]]


def render_reports(material: Material, figures: Figures) -> Iterator[tuple[Summary, bytes]]:
    """Every report's page, in order."""
    for place, report in enumerate(REPORTS):
        shown = table(report, material)
        template, extra = _EXTRAS.get(report.id[:2], ("", _nothing))
        data = render(
            "report.html.j2",
            **frame(material, "reports", "../"),
            **extra(material),
            extra=template,
            figures=figures,
            report=report,
            table=shown,
            reports_count=len(REPORTS),
            before=REPORTS[place - 1] if place else None,
            after=REPORTS[place + 1] if place + 1 < len(REPORTS) else None,
        )
        yield Summary(report, Tally(shown.total, shown.first_index, shown.last_index)), data


def _nothing(_: Material) -> dict[str, Any]:
    return {}


def _holds(material: Material) -> dict[str, Any]:
    shown: list[dict[str, Any]] = []
    chars_left = VIEWS_CHARS_MAX
    for fact in material.story.holds():
        if len(shown) == HOLDS_MAX:
            break
        hold = _hold(fact, material, chars_left)
        chars_left -= len(hold["view"] or "")
        shown.append(hold)
    return {"holds": {"shown": shown, "more": material.story.holds_count - len(shown)}}


def _hold(fact: HoldFact, material: Material, chars_left: int) -> dict[str, Any]:
    text = material.text(fact.view) if fact.view else None
    tone = {"approved": "mark-good", "pending": "mark-hold"}.get(END_OF.get(fact.ending, ""), "mark-bad")
    hold = {
        "fact": fact,
        "tone": tone,
        "approvals": fact.approvals[:APPROVALS_MAX],
        "more_approvals": max(0, len(fact.approvals) - APPROVALS_MAX),
        "view": None,
        "is_cut": False,
    }
    if text is None:
        return hold | {"why_not": "The view was erased, or is withheld: it is not in this package."}
    if chars_left <= 0:
        return hold | {"why_not": f"This page is full; the view is in approvals/{fact.hold_id}/view.txt."}
    # Spelling out what is hidden makes a text longer: the limit is about what stands in the page.
    whole = visible_lines(text[:VIEW_CHARS_MAX])
    shown = whole[: min(VIEW_CHARS_MAX, chars_left)]
    return hold | {"view": shown, "is_cut": len(shown) < len(whole) or len(text) > VIEW_CHARS_MAX}


# What a report shows besides its rows, by the number it begins with: a template, and what that needs.
_EXTRAS: Final[dict[str, tuple[str, Extra]]] = {
    "03": ("callers.html.j2", _nothing),
    "04": ("rules.html.j2", _nothing),
    "05": ("entities.html.j2", _nothing),
    "06": ("holds.html.j2", _holds),
    "09": ("timeline.html.j2", lambda material: {"strip": gap_strip(material.story)}),
    "11": ("timeline.html.j2", lambda material: {"strip": window_strip(material)}),
}
