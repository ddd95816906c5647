"""`README.html`: the page that people open first."""

import itertools
from collections.abc import Sequence

from holdfast.evidence.pages.bounds import FIRST_EXCEPTIONS_MAX
from holdfast.evidence.pages.chronicle import chronicle
from holdfast.evidence.pages.common import Summary, frame
from holdfast.evidence.pages.environment import render
from holdfast.evidence.pages.figures import WAYS, Figures, figures
from holdfast.evidence.pages.table import table
from holdfast.evidence.story.gaps import duration_text
from holdfast.evidence.story.integrity import OPEN, VOUCHINGS, integrity_rows
from holdfast.evidence.tables.material import Material, Tally
from holdfast.evidence.tables.reports import REPORTS


def front_page(material: Material) -> bytes:
    """The front page alone: its links lead somewhere inside a package only."""
    tables = ((report, table(report, material, rows_max=0)) for report in REPORTS)
    summaries = [Summary(report, Tally(made.total, made.first_index, made.last_index)) for report, made in tables]
    return render_front(material, figures(material.story), summaries)


def render_front(material: Material, counted: Figures, summaries: Sequence[Summary]) -> bytes:
    """The front page of a package with these reports."""
    scope, story = material.scope, material.story
    kinds = story.exception_kinds()
    return render(
        "front.html.j2",
        **frame(material, "front"),
        figures=counted,
        ways=WAYS,
        kinds=sorted(kinds.items(), key=lambda item: (-item[1], item[0])),
        gap_kinds=sorted(story.gap_kinds().items(), key=lambda item: (-item[1], item[0])),
        first_exceptions=list(itertools.islice(story.exceptions(), FIRST_EXCEPTIONS_MAX)),
        exceptions_count=sum(kinds.values()),
        marks_count=len(material.marks),
        records_count=scope.end.size - scope.start.size,
        reports=summaries,
        outside=outside_sentence(material),
        log=chronicle(material.entries, scope.start.size, scope.end.size),
    )


def outside_sentence(material: Material) -> str:
    """Who outside vouched for the Records, and for how much of their time nobody has."""
    names: dict[str, None] = {}
    open_s = 0.0
    for _, _, _, kind, by, _, _, seconds in integrity_rows(material):
        if kind in VOUCHINGS:
            names[str(by)] = None
        elif kind == OPEN:
            open_s = float(str(seconds) or 0)
    if not names:
        return (
            f"Nobody outside has vouched for these Records, {duration_text(open_s)}: whoever has the ledger's key "
            "could have rewritten all that came after the last checkpoint that you or somebody else kept."
        )
    window = f"the last {duration_text(open_s)} are not vouched for yet" if open_s else "up to the last Record"
    return f"Outsiders vouched for these Records ({', '.join(names)}): {window}."
