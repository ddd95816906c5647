"""The eleven reports: what an auditor asks, how the rows were selected, and the rows themselves, as a stream.

Each is a table that follows from the Records alone. `reports/<id>.csv` holds all rows, `reports/<id>.html` shows them,
`reports/index.csv` counts them.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from holdfast.evidence.tables import rows_calls, rows_log
from holdfast.evidence.tables.material import Material, Tally
from holdfast.evidence.tables.plain import csv_chunks
from holdfast.evidence.tables.population import POPULATION

type Row = Sequence[object]

INDEX_FILE: Final = "reports/index.csv"
_INDEX_COLUMNS: Final = ("id", "title", "query", "rows", "first_index", "last_index")


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """One report. ``index`` names the column with the Record a row is about; it is empty where rows are about none."""

    id: str
    title: str
    question: str
    query: str
    columns: tuple[str, ...]
    rows: Callable[[Material], Iterator[Row]]
    index: str = "index"

    @property
    def file(self) -> str:
        """The CSV file in a package."""
        return f"reports/{self.id}.csv"


REPORTS: Final = (
    Report(
        "01-scope",
        "Scope",
        "Which system is this about, which period, which Records, and what was it made with?",
        "the description of the package (AuditInfo.json), and totals over every Record of the range",
        rows_log.SCOPE,
        rows_log.scope,
        index="",
    ),
    Report(
        "02-population",
        "Population",
        "Is this everything that happened, and how was it selected?",
        "every Record of the range that is not withheld, in the order of the ledger; no other selection",
        POPULATION,
        rows_calls.population,
    ),
    Report(
        "03-identity",
        "Identities",
        "Who used the gateway, how were they established, and how often which way?",
        "Records `call` from clients and `refused` (without decisions about holds), grouped by who.iss and who.sub; "
        "the line without both is what nobody known asked for",
        rows_calls.IDENTITY,
        rows_calls.identity,
        index="first_index",
    ),
    Report(
        "04-access-decisions",
        "Access decisions",
        "What was each caller let do, by which rule, and how did it end?",
        "every Record `call`, with the `reply` or `call.lost` that refers to it, and every Record `refused`",
        rows_calls.DECISIONS,
        rows_calls.decisions,
    ),
    Report(
        "05-masking",
        "Masking",
        "Which kinds of personal data were found and masked, where, and by which engine?",
        "every Record with mask.counts, one row for each kind of finding in it",
        rows_calls.MASKING,
        rows_calls.masking,
    ),
    Report(
        "06-approvals",
        "Holds and approvals",
        "Which calls waited for a person, who decided, why, and was the approval used?",
        "every Record `hold.opened`, with the `approval`, `hold.closed` and `call` that name its hold (appr.id)",
        rows_calls.APPROVALS,
        rows_calls.approvals,
    ),
    Report(
        "07-exceptions",
        "Exceptions",
        "What was denied, refused, failed, lost, expired or left unanswered?",
        "`call` with dec.effect deny, or a request without `reply` and `call.lost`; `reply` with out.ok false; "
        "`call.lost`; `refused` but for cause hold_pending; `hold.closed` as denied, expired or abandoned",
        rows_calls.EXCEPTIONS,
        rows_calls.exceptions,
    ),
    Report(
        "08-changes",
        "Changes",
        "Which rules, tool definitions, keys, options and versions were in force, and what changed when?",
        "every Record `rules.loaded`, one row for each file, compared with the rule set before; `tool.*`; "
        "`ledger.rotated`; every Record whose gw.config or gw.version differs from the one before",
        rows_log.CHANGES,
        rows_log.changes,
    ),
    Report(
        "09-gaps",
        "Gaps",
        "When was the gateway not watching, its clock wrong, or a witness overdue? (Who vouched when: 11-integrity.)",
        "neighbouring Records more than 90 s apart (heartbeats come every 60 s) unless Records between them are "
        "withheld, every start, every clock that went back or jumped by more than 5 s; `witness.down` to `witness.up`",
        rows_log.GAPS,
        rows_log.gaps,
        index="from_index",
    ),
    Report(
        "10-log-access",
        "Access to the log",
        "Who exported, erased, rotated or recovered, and when did recording start and stop?",
        "Records `evidence.exported`, `payload.erased` (one row for each payload; also those after the range that "
        "erased payloads of the range), `ledger.rotated`, `ledger.genesis`, `ledger.start`, `ledger.stop`",
        rows_log.ACCESS,
        rows_log.access,
    ),
    Report(
        "11-integrity",
        "Integrity",
        "What was signed, who outside vouched for it when, and how long could it have been rewritten?",
        "every checkpoint of the range, its cosignatures and time stamps, in order of size; a window is the time from "
        "the first Record that nobody outside had vouched for to the vouching that covers it",
        rows_log.INTEGRITY,
        rows_log.integrity,
    ),
)


def report(report_id: str) -> Report:
    """The report of that id.

    Raises:
        KeyError: there is none.
    """
    return {item.id: item for item in REPORTS}[report_id]


def csv_of(item: Report, material: Material) -> Iterator[bytes]:
    """The CSV of a report, piece by piece; afterwards ``material.tallies`` knows how many rows it has."""
    tally = Tally()
    place = item.columns.index(item.index) if item.index else None
    yield from csv_chunks(item.columns, _counted(item.rows(material), tally, place))
    material.tallies[item.id] = tally


def _counted(rows: Iterator[Row], tally: Tally, place: int | None) -> Iterator[Row]:
    for row in rows:
        tally.count(None if place is None else row[place])
        yield row


def index_csv(material: Material) -> Iterator[bytes]:
    """`reports/index.csv`, after every :func:`csv_of`."""
    rows = (
        (item.id, item.title, item.query, tally.rows, tally.first_index, tally.last_index)
        for item in REPORTS
        if (tally := material.tallies.get(item.id)) is not None
    )
    return csv_chunks(_INDEX_COLUMNS, rows)
