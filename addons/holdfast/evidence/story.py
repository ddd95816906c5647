"""Records to a story: every Call with its end, every Hold with its decisions, every gap.

A pure function of the Records, so that whoever holds them builds the same reports, byte by byte.
"""

import collections
import dataclasses
import datetime as dt
from collections.abc import Iterable

from holdfast.evidence.entry import Entry
from holdfast.evidence.exceptions import exceptions_of
from holdfast.evidence.facts import CallFact, Exceptional, Gap, HoldFact, RefusedFact, RulesFact, Way
from holdfast.evidence.gaps import GapFinder
from holdfast.evidence.reading import approval_fact, call_fact, hold_fact, refused_fact, reply_fact, rules_fact


@dataclasses.dataclass(frozen=True, slots=True)
class Story:
    """Everything the reports are made of, in the order of the ledger."""

    count: int
    first_index: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    types: dict[str, int]
    findings: dict[str, int]
    versions: tuple[str, ...]
    calls: tuple[CallFact, ...]
    refused: tuple[RefusedFact, ...]
    holds: tuple[HoldFact, ...]
    rules: tuple[RulesFact, ...]
    rules_seen: tuple[str, ...]
    gaps: tuple[Gap, ...]

    @property
    def seconds(self) -> float:
        """The time between the first and the last Record."""
        return (self.last_at - self.first_at).total_seconds() if self.first_at and self.last_at else 0.0

    def requests(self) -> list[CallFact | RefusedFact]:
        """What clients asked for: Calls towards servers, and what was refused."""
        asked: list[CallFact | RefusedFact] = [fact for fact in self.calls if fact.direction != "to_client"]
        return asked + [fact for fact in self.refused if not fact.is_decision]

    def ways(self) -> dict[Way, int]:
        """How many requests of clients went which way."""
        totals: dict[Way, int] = {"allowed": 0, "approved": 0, "pending": 0, "denied": 0, "refused": 0}
        for fact in self.requests():
            totals[fact.way] += 1
        return totals

    def exceptions(self) -> tuple[Exceptional, ...]:
        """What a reviewer should look at, in the order of the ledger."""
        return exceptions_of(self.calls, self.refused, self.holds)


def tell(entries: Iterable[Entry]) -> Story:
    """The story of ``entries``, which follow one another without a hole."""
    teller = _Teller()
    for entry in entries:
        teller.add(entry)
    return teller.story()


class _Teller:
    def __init__(self) -> None:
        self.first: Entry | None = None
        self.last: Entry | None = None
        self.types: collections.Counter[str] = collections.Counter()
        self.findings: collections.Counter[str] = collections.Counter()
        self.versions: dict[str, None] = {}
        self.rules_seen: dict[str, None] = {}
        self.calls: dict[int, CallFact] = {}
        self.call_by_id: dict[str, int] = {}
        self.refused: list[RefusedFact] = []
        self.holds: dict[str, HoldFact] = {}
        self.rules: list[RulesFact] = []
        self.gaps = GapFinder()

    def add(self, entry: Entry) -> None:
        self.first = self.first or entry
        self.last = entry
        self.types[entry.typ] += 1
        self.findings.update(entry.counts("mask", "counts"))
        if version := entry.text("gw", "version"):
            self.versions[version] = None
        if rules := entry.text("rules"):
            self.rules_seen[rules] = None
        self.gaps.add(entry)
        self._add_typ(entry)

    def _add_typ(self, entry: Entry) -> None:
        match entry.typ:
            case "call":
                self._call(entry)
            case "reply" | "call.lost":
                self._end(entry)
            case "refused":
                self.refused.append(refused_fact(entry))
            case "hold.opened":
                self.holds[entry.text("appr", "id")] = hold_fact(entry)
            case "approval":
                self._approval(entry)
            case "hold.closed":
                self._hold_closed(entry)
            case "rules.loaded":
                self.rules.append(rules_fact(entry))
            case _:
                pass  # a type of a later version is counted and listed, and says nothing about Calls

    def _call(self, entry: Entry) -> None:
        fact = call_fact(entry)
        self.calls[entry.index] = fact
        self.call_by_id[fact.call_id] = entry.index
        hold = self.holds.get(fact.hold_id)
        if hold is not None:
            self.holds[fact.hold_id] = dataclasses.replace(hold, call_index=entry.index, outcome="used")

    def _end(self, entry: Entry) -> None:
        index = ended_call(entry, self.calls, self.call_by_id)
        if index is None:
            return
        self.calls[index] = dataclasses.replace(self.calls[index], reply=reply_fact(entry))

    def _approval(self, entry: Entry) -> None:
        hold = self.holds.get(entry.text("appr", "id"))
        if hold is not None:
            approvals = (*hold.approvals, approval_fact(entry))
            self.holds[hold.hold_id] = dataclasses.replace(hold, approvals=approvals)

    def _hold_closed(self, entry: Entry) -> None:
        hold = self.holds.get(entry.text("appr", "id"))
        if hold is not None:
            self.holds[hold.hold_id] = dataclasses.replace(
                hold, outcome=entry.text("outcome"), closed_index=entry.index, closed_at=entry.at
            )

    def story(self) -> Story:
        return Story(
            count=self.types.total(),
            first_index=self.first.index if self.first else 0,
            first_at=self.first.at if self.first else None,
            last_at=self.last.at if self.last else None,
            types=dict(sorted(self.types.items())),
            findings=dict(sorted(self.findings.items())),
            versions=tuple(self.versions),
            calls=tuple(self.calls.values()),
            refused=tuple(self.refused),
            holds=tuple(self.holds.values()),
            rules=tuple(self.rules),
            rules_seen=tuple(self.rules_seen),
            gaps=self.gaps.found(),
        )


def ended_call[T](entry: Entry, calls: dict[int, T], call_by_id: dict[str, int]) -> int | None:
    """The index of the `call` Record that a `reply` or `call.lost` Record ends; None where it began earlier."""
    for index in entry.refs():
        if index in calls:
            return index
    return call_by_id.get(entry.text("call"))
