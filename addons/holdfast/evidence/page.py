"""The report: one HTML file that a compliance officer reads, a pure function of scope, Records and payloads."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Final

import jinja2
import markupsafe

from holdfast.approval.visible import visible
from holdfast.evidence.chart import ORDER, draw
from holdfast.evidence.chronicle import chronicle
from holdfast.evidence.entry import Entry
from holdfast.evidence.facts import HoldFact
from holdfast.evidence.gaps import duration_text
from holdfast.evidence.identities import identities
from holdfast.evidence.plain import visible_lines
from holdfast.evidence.scope import Mark, Scope
from holdfast.evidence.story import Story
from holdfast.evidence.tables import counts_text

ROWS_MAX: Final = 500  # of one table; the CSV beside it holds every row
VIEW_CHARS_MAX: Final = 20_000  # some four hundred lines: what a reader of a report looks at
MARKS_MAX: Final = 40  # checkpoints listed; ledger/checkpoints.txt holds them all

WAY_WORDS: Final = {
    "allowed": "Allowed",
    "approved": "Allowed after approval",
    "pending": "Told to repeat",
    "denied": "Denied",
    "refused": "Refused",
}

type Entries = Callable[[], Iterable[Entry]]
type PayloadText = Callable[[str], str | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What the page is made of. ``entries`` may be read more than once; ``payload`` gives a masked text, or None."""

    scope: Scope
    story: Story
    entries: Entries
    payload: PayloadText
    marks: tuple[Mark, ...]


def render(report: Report) -> bytes:
    """The page as UTF-8 HTML: no script, no request to anywhere."""
    story = report.story
    exceptions = story.exceptions()
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            scope=report.scope,
            story=story,
            ways=[(way, WAY_WORDS[way], story.ways()[way]) for way in ORDER],
            from_servers_count=sum(fact.direction == "to_client" for fact in story.calls),
            held_count=len(story.holds),
            chart=draw(story),
            way_words=WAY_WORDS,
            holds=[_hold_view(hold, report) for hold in story.holds[:ROWS_MAX]],
            exceptions=exceptions[:ROWS_MAX],
            exceptions_count=len(exceptions),
            exception_kinds=_kinds(exceptions),
            gaps=story.gaps[:ROWS_MAX],
            identities=identities(story)[:ROWS_MAX],
            identities_count=len(identities(story)),
            marks=_few(report.marks),
            marks_count=len(report.marks),
            log=chronicle(report.entries(), story.count),
            rows_max=ROWS_MAX,
        )
    )
    return page.encode("utf-8")


def _hold_view(hold: HoldFact, report: Report) -> dict[str, Any]:
    text = report.payload(hold.view) if hold.view else None
    shown = None if text is None else text[:VIEW_CHARS_MAX]
    return {"fact": hold, "view": shown, "is_cut": text is not None and len(text) > VIEW_CHARS_MAX}


def _kinds(exceptions: Iterable[Any]) -> list[tuple[str, int]]:
    totals: dict[str, int] = {}
    for fact in exceptions:
        totals[fact.kind] = totals.get(fact.kind, 0) + 1
    return sorted(totals.items())


def _few(marks: tuple[Mark, ...]) -> list[Mark]:
    if len(marks) <= MARKS_MAX:
        return list(marks)
    return [*marks[: MARKS_MAX // 2], *marks[-MARKS_MAX // 2 :]]


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("holdfast.evidence", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Every value that a template prints passes here, so none can hide a character or turn the line around.
        finalize=_finalize,
    )
    environment.filters |= {
        "at": _at,
        "clock": _clock,
        "day": _day,
        "took": duration_text,
        "counts": counts_text,
        "digest": _digest,
        "lines": lambda text: markupsafe.escape(visible_lines(text)),
        "number": lambda count: f"{count:,}".replace(",", "\u202f"),
    }
    return environment


def _finalize(value: Any) -> Any:
    if isinstance(value, markupsafe.Markup):
        return value
    return visible(value) if isinstance(value, str) else value


def _at(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def _clock(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%H:%M")


def _day(at: dt.datetime) -> str:
    return f"{at.day} {at.strftime('%B %Y')}"


def _digest(text: str) -> markupsafe.Markup:
    return markupsafe.Markup('<code class="digest">{}</code>').format(visible(text))
