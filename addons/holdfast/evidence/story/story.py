"""The story that Records tell: totals, and what grows with the Records as iterators in the order of the ledger."""

import dataclasses
import datetime as dt
import heapq
import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.files.payloads import Opened
from holdfast.evidence.story import exceptions
from holdfast.evidence.story.codec import decode, unpack
from holdfast.evidence.story.facts import (
    AccessFact,
    CallFact,
    ChangeFact,
    Exceptional,
    Gap,
    HoldFact,
    MaskFact,
    Party,
    RefusedFact,
    ReplyFact,
    RulesFact,
    Way,
)
from holdfast.evidence.story.identities import IdentityLine, identities
from holdfast.evidence.story.notebook import Notebook
from holdfast.evidence.story.teller import Counts, Teller

WAYS: Final[tuple[Way, ...]] = ("allowed", "approved", "pending", "denied", "refused")
_WITH_REPLIES: Final = "SELECT c.body, r.body FROM calls c LEFT JOIN replies r ON r.call = c.idx"


class Story:
    """Everything the reports are made of; a context manager, since it holds a temporary database.

    ``count`` are the Records that are shown, from ``first_at`` to ``last_at``; ``withheld_count`` those that are not.
    ``types`` and ``findings`` are totals by name; ``versions``, ``engines`` and ``rules_seen`` in order of appearance.
    """

    def __init__(self, book: Notebook, counts: Counts) -> None:
        self._book: Final = book
        self._last_withheld: Final = counts.last_withheld
        self.count: Final = counts.types.total()
        self.withheld_count: Final = counts.withheld
        self.first_index: Final = counts.first.index if counts.first else 0
        self.first_at: Final = counts.first.at if counts.first else None
        self.last_at: Final = counts.last.at if counts.last else None
        self.types: Final = dict(sorted(counts.types.items()))
        self.findings: Final = dict(sorted(counts.findings.items()))
        self.versions: Final = tuple(counts.versions)
        self.engines: Final = tuple(counts.engines)
        self.rules_seen: Final = tuple(counts.rules_seen)
        self.payloads_count: Final = counts.payloads
        self.erased_count: Final = counts.erased
        self.calls_count: Final = self._number("SELECT count(*) FROM calls")
        self.refused_count: Final = self._number("SELECT count(*) FROM refused")
        self.holds_count: Final = self._number("SELECT count(*) FROM holds")
        self.rules_count: Final = self._number("SELECT count(*) FROM rules")
        self.from_servers_count: Final = self._number("SELECT count(*) FROM calls WHERE NOT is_ours")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the temporary database."""
        self._book.close()

    @property
    def seconds(self) -> float:
        """The time between the first and the last Record."""
        return (self.last_at - self.first_at).total_seconds() if self.first_at and self.last_at else 0.0

    def ways(self) -> dict[Way, int]:
        """How many requests of clients went which way."""
        totals: dict[Way, int] = dict.fromkeys(WAYS, 0)
        for table in ("calls", "refused"):
            for way, count in self._book.each(f"SELECT way, count(*) FROM {table} WHERE is_ours GROUP BY way"):  # noqa: S608
                totals[way] += count
        return totals

    def gap_kinds(self) -> dict[str, int]:
        """How many gaps there are of each kind."""
        return dict(self._book.each("SELECT kind, count(*) FROM gaps GROUP BY kind ORDER BY kind"))

    def exception_kinds(self) -> dict[str, int]:
        """How many exceptions there are of each kind."""
        totals: dict[str, int] = {}
        for fact in self.exceptions():
            totals[fact.kind] = totals.get(fact.kind, 0) + 1
        return dict(sorted(totals.items()))

    def calls(self) -> Iterator[CallFact]:
        """Every Call that was judged, with its end."""
        return self._calls(f"{_WITH_REPLIES} ORDER BY c.idx")

    def refused(self) -> Iterator[RefusedFact]:
        """Everything that was refused."""
        return self._facts(RefusedFact, "SELECT body FROM refused ORDER BY idx")

    def requests(self) -> Iterator[CallFact | RefusedFact]:
        """What clients asked for: Calls towards servers, and what was refused."""
        calls = self._calls(f"{_WITH_REPLIES} WHERE c.is_ours ORDER BY c.idx")
        refused = self._facts(RefusedFact, "SELECT body FROM refused WHERE is_ours ORDER BY idx")
        return heapq.merge(calls, refused, key=operator.attrgetter("index"))

    def moments(self) -> Iterator[tuple[dt.datetime, Way]]:
        """When clients asked, and which way it went: the requests for a chart, in the order of the ledger."""
        rows = self._book.each(
            "SELECT at, way, idx FROM calls WHERE is_ours UNION ALL SELECT at, way, idx FROM refused WHERE is_ours"
            " ORDER BY idx"
        )
        return ((dt.datetime.fromisoformat(at), way) for at, way, _ in rows)

    def holds(self) -> Iterator[HoldFact]:
        """Every Hold that was opened, with its decisions and its end."""
        facts: Iterator[HoldFact] = self._facts(HoldFact, "SELECT body FROM holds ORDER BY idx")
        return (dataclasses.replace(fact, is_cut=fact.index < self._last_withheld) for fact in facts)

    def rules(self) -> Iterator[RulesFact]:
        """Every rule set that was loaded."""
        return self._facts(RulesFact, "SELECT body FROM rules ORDER BY idx")

    def changes(self) -> Iterator[ChangeFact]:
        """What came into force."""
        return self._facts(ChangeFact, "SELECT body FROM changes ORDER BY idx, place")

    def gaps(self) -> Iterator[Gap]:
        """Times in which the gateway was not watching, or nobody vouched, or a clock cannot be trusted."""
        return self._facts(Gap, "SELECT body FROM gaps ORDER BY idx, place")

    def masked(self) -> Iterator[MaskFact]:
        """Every Record with Findings."""
        return self._facts(MaskFact, "SELECT body FROM masked ORDER BY idx")

    def identities(self) -> Iterator[IdentityLine]:
        """Who asked, in the order of ``(iss, sub)``."""
        return identities(self._book)

    def accesses(self) -> Iterator[AccessFact]:
        """What was done to the log itself; each erased payload with the Records that commit to it."""
        rows = self._book.each(
            "SELECT a.body, b.idx FROM accesses a LEFT JOIN absent b ON b.c = a.c ORDER BY a.idx, a.place"
        )
        for body, index in rows:
            fact: AccessFact = decode(AccessFact, body)
            yield fact if index is None else dataclasses.replace(fact, concerns=(index,))

    def population(self) -> Iterator[tuple[Any, ...]]:
        """Every Record that is shown, as a row of `02-population`."""
        return (unpack(body) for (body,) in self._book.each("SELECT body FROM population ORDER BY idx"))

    def exceptions(self) -> Iterator[Exceptional]:
        """What a reviewer should look at, in the order of the ledger."""
        sources = (self._call_exceptions(), self._reply_exceptions(), self._loose_exceptions())
        refused = (exceptions.of_refused(fact) for fact in self.refused())
        closed = self._facts(HoldFact, "SELECT body FROM holds WHERE closed IS NOT NULL ORDER BY closed")
        holds = (exceptions.of_hold(fact) for fact in closed)
        found = (filter(None, source) for source in (*sources, refused, holds))
        return heapq.merge(*found, key=lambda fact: (fact.index, fact.kind))

    def payload(self, commitment: str) -> Opened | None:
        """A view or statement by its commitment: the payloads that reports show. None for every other one."""
        row = self._book.one("SELECT ct, key, data FROM shown WHERE c = ?", commitment)
        return Opened(*row) if row else None

    def time_of(self, index: int) -> dt.datetime | None:
        """When the first Record from ``index`` on that is shown was written; None after the last."""
        row = self._book.one("SELECT at FROM population WHERE idx >= ? ORDER BY idx LIMIT 1", index)
        return dt.datetime.fromisoformat(row[0]) if row else None

    def last_before(self, size: int) -> dt.datetime | None:
        """When the last Record before ``size`` that is shown was written; None where there is none."""
        row = self._book.one("SELECT at FROM population WHERE idx < ? ORDER BY idx DESC LIMIT 1", size)
        return dt.datetime.fromisoformat(row[0]) if row else None

    def _call_exceptions(self) -> Iterator[Exceptional | None]:
        unsure = "c.way = 'denied' OR (r.call IS NULL AND c.kind NOT IN ('notification', 'reply'))"
        return map(exceptions.of_call, self._calls(f"{_WITH_REPLIES} WHERE {unsure} ORDER BY c.idx"))

    def _reply_exceptions(self) -> Iterator[Exceptional | None]:
        sql = (
            "SELECT c.body, r.body FROM replies r JOIN calls c ON c.idx = r.call"
            " WHERE r.outcome != 'ok' AND c.way != 'denied' ORDER BY r.idx"
        )
        for call, reply in self._book.each(sql):
            fact: CallFact = decode(CallFact, call)
            yield exceptions.of_reply(decode(ReplyFact, reply), fact.party, fact.what)

    def _loose_exceptions(self) -> Iterator[Exceptional | None]:
        for what, party, reply in self._book.each("SELECT what, party, body FROM loose ORDER BY idx"):
            who: Party | None = decode(Party, party) if party else None
            yield exceptions.of_reply(decode(ReplyFact, reply), who, what)

    def _calls(self, sql: str) -> Iterator[CallFact]:
        for call, reply in self._book.each(sql):
            if reply is not None:
                yield decode(CallFact, call, reply=decode(ReplyFact, reply))
                continue
            fact: CallFact = decode(CallFact, call)
            yield dataclasses.replace(fact, is_cut=True) if fact.index < self._last_withheld else fact

    def _facts(self, kind: Any, sql: str) -> Iterator[Any]:
        return (decode(kind, body) for (body,) in self._book.each(sql))

    def _number(self, sql: str) -> int:
        row = self._book.one(sql)
        return int(row[0]) if row else 0


def tell(entries: Iterable[Entry], start: int = 0, rules: Mapping[str, Mapping[str, str]] | None = None) -> Story:
    """The story of ``entries``, without their payloads."""
    book = Notebook()
    teller = Teller(book, start, rules or {})
    for entry in entries:
        teller.add(entry, {})
    teller.finish()
    return Story(book, teller.counts)
