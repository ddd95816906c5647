"""Records to a notebook: every Call with its end, every Hold with its decisions, every gap, in one pass.

A pure function of the Records, so that whoever holds them builds the same reports, byte by byte.
"""

import collections
import dataclasses
from collections.abc import Mapping
from typing import Final

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.files.payloads import Opened
from holdfast.evidence.files.times import time_text
from holdfast.evidence.story.changes import ChangeFinder
from holdfast.evidence.story.codec import decode, encode, pack
from holdfast.evidence.story.facts import AccessFact, HoldFact, party_of
from holdfast.evidence.story.gaps import GapFinder
from holdfast.evidence.story.notebook import Notebook
from holdfast.evidence.story.reading import (
    access_facts,
    approval_fact,
    call_fact,
    engine_text,
    hold_fact,
    mask_fact,
    refused_fact,
    reply_fact,
    rules_fact,
)
from holdfast.evidence.tables.population import population_row

SHOWN_MEMBERS: Final = frozenset({"view", "statement"})  # payloads that reports show and approvals/ holds
_CALL: Final = 1  # a mark for each Record, a byte each
_OTHER: Final = 0


@dataclasses.dataclass(slots=True)
class Counts:
    """What is counted on the way."""

    first: Entry | None = None
    last: Entry | None = None
    types: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    findings: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    versions: dict[str, None] = dataclasses.field(default_factory=dict)
    engines: dict[str, None] = dataclasses.field(default_factory=dict)
    rules_seen: dict[str, None] = dataclasses.field(default_factory=dict)
    payloads: int = 0
    erased: int = 0
    withheld: int = 0
    last_withheld: int = -1


class Teller:
    """Fed with the Records of a range in order, fills a Notebook.

    Args:
        book: what it fills.
        start: index of the first Record of the range.
        rules: the files of rule sets in force in the range, by digest.
    """

    def __init__(self, book: Notebook, start: int, rules: Mapping[str, Mapping[str, str]]) -> None:
        self.counts: Final = Counts()
        self._book: Final = book
        self._start: Final = start
        self._marks: Final = bytearray()
        self._gaps: Final = GapFinder()
        self._changes: Final = ChangeFinder(rules)

    def add(self, entry: Entry, opened: Mapping[str, Opened | None]) -> None:
        """The next Record, with its payloads by member; None where one was erased."""
        counts = self.counts
        counts.first = counts.first or entry
        counts.last = entry
        counts.types[entry.typ] += 1
        if version := entry.text("gw", "version"):
            counts.versions[version] = None
        if rules := entry.text("rules"):
            counts.rules_seen[rules] = None
        self._mark(entry.index, _CALL if entry.typ == "call" else _OTHER)
        row = population_row(entry)
        self._book.put("population", entry.index, row[1], pack(row))
        if findings := entry.counts("mask", "counts"):
            counts.findings.update(findings)
            self._book.put("masked", entry.index, encode(mask_fact(entry, findings)))
        for gap in self._gaps.add(entry):
            self._book.put("gaps", None, gap.from_index, gap.kind, encode(gap))
        for change in self._changes.others(entry):
            self._book.put("changes", None, change.index, encode(change))
        self._put_accesses(access_facts(entry))
        self._keep(entry, opened)
        self._add_typ(entry)

    def withhold(self, index: int) -> None:
        """The next Record, of which nothing is known."""
        self.counts.withheld += 1
        self.counts.last_withheld = index
        self._gaps.miss()

    def add_later(self, entry: Entry) -> None:
        """A Record after the range that says that payloads of the range were erased."""
        self._put_accesses(access_facts(entry))

    def finish(self) -> None:
        """After the last Record."""
        for gap in self._gaps.finish():
            self._book.put("gaps", None, gap.from_index, gap.kind, encode(gap))
        self._book.flush()
        self._link()

    def _mark(self, index: int, mark: int) -> None:
        place = index - self._start
        self._marks.extend(bytes(max(0, place + 1 - len(self._marks))))
        self._marks[place] = mark

    def _is_call(self, index: int) -> bool:
        place = index - self._start
        return 0 <= place < len(self._marks) and self._marks[place] == _CALL

    def _put_accesses(self, facts: list[AccessFact]) -> None:
        for fact in facts:
            commitment = fact.what if fact.kind == "erasure" else None
            self._book.put("accesses", None, fact.index, commitment, encode(fact))

    def _keep(self, entry: Entry, opened: Mapping[str, Opened | None]) -> None:
        for member, payload in opened.items():
            self.counts.payloads += 1
            commitment = entry.text(member, "c")
            if payload is None:
                self.counts.erased += 1
                self._book.put("absent", commitment, entry.index, member)
            elif member in SHOWN_MEMBERS:
                self._book.put("shown", commitment, payload.content_type, payload.key, payload.data)

    def _add_typ(self, entry: Entry) -> None:
        match entry.typ:
            case "call":
                self._call(entry)
            case "reply" | "call.lost":
                self._end(entry)
            case "refused":
                fact = refused_fact(entry)
                iss, sub = (fact.party.iss, fact.party.sub) if fact.party else ("", "")
                values = (entry.index, iss, sub, fact.way, time_text(fact.at), not fact.is_decision, encode(fact))
                self._book.put("refused", *values)
            case "hold.opened":
                self._put_hold(hold_fact(entry))
            case "approval" | "hold.closed":
                self._hold_goes_on(entry)
            case "rules.loaded":
                loaded = rules_fact(entry)
                if engine := engine_text(entry):
                    self.counts.engines[engine] = None
                self._book.put("rules", entry.index, encode(loaded))
                for change in self._changes.rules(entry, loaded):
                    self._book.put("changes", None, change.index, encode(change))
            case _:
                pass  # a type of a later version is counted and listed, and says nothing about Calls

    def _call(self, entry: Entry) -> None:
        fact = call_fact(entry)
        iss, sub = (fact.party.iss, fact.party.sub) if fact.party else ("", "")
        is_ours = fact.direction != "to_client"
        values = (entry.index, iss, sub, fact.way, time_text(fact.at), is_ours, fact.kind, fact.call_id, encode(fact))
        self._book.put("calls", *values)
        hold = self._hold(fact.hold_id) if fact.hold_id else None
        if hold is not None:
            self._put_hold(dataclasses.replace(hold, call_index=entry.index, outcome="used"))

    def _end(self, entry: Entry) -> None:
        fact = reply_fact(entry)
        index = next((index for index in entry.refs() if self._is_call(index)), None)
        if index is not None:
            self._book.put("replies", index, entry.index, fact.outcome, encode(fact))
            return
        what = f"{entry.text('rpc', 'method')} {entry.text('mcp', 'name')}".strip()
        who = party_of(entry)
        party = encode(who) if who else None
        self._book.put("loose", entry.index, entry.text("call"), fact.outcome, what, party, encode(fact))

    def _hold(self, hold_id: str) -> HoldFact | None:
        self._book.flush()
        row = self._book.one("SELECT body FROM holds WHERE id = ?", hold_id)
        hold: HoldFact | None = decode(HoldFact, row[0]) if row else None
        return hold

    def _put_hold(self, fact: HoldFact) -> None:
        self._book.put("holds", fact.hold_id, fact.index, fact.outcome, fact.closed_index, encode(fact))

    def _hold_goes_on(self, entry: Entry) -> None:
        hold = self._hold(entry.text("appr", "id"))
        if hold is None:
            return
        if entry.typ == "approval":
            self._put_hold(dataclasses.replace(hold, approvals=(*hold.approvals, approval_fact(entry))))
            return
        outcome = entry.text("outcome")
        self._put_hold(dataclasses.replace(hold, outcome=outcome, closed_index=entry.index, closed_at=entry.at))

    def _link(self) -> None:
        """Find the Calls of Replies that name them by id alone."""
        if self._book.one("SELECT 1 FROM loose") is None:
            return
        self._book.run("CREATE INDEX call_ids ON calls (call)")
        call = "(SELECT max(c.idx) FROM calls c WHERE c.call = l.call AND c.idx < l.idx)"
        self._book.run(
            f"INSERT OR REPLACE INTO replies SELECT {call} AS found, l.idx, l.outcome, l.body FROM loose l"  # noqa: S608
            " WHERE l.call != '' AND found IS NOT NULL ORDER BY l.idx"
        )
        self._book.run("DELETE FROM loose WHERE idx IN (SELECT idx FROM replies)")
