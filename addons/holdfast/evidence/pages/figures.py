"""What the charts and key figures count, in one walk over the story, in memory that does not grow with the Records."""

import dataclasses
import datetime as dt
from typing import Final

from holdfast.evidence.pages.chart import Chart, Clock, Words, columns, histogram
from holdfast.evidence.pages.ranking import Ranked, Ranking
from holdfast.evidence.pages.strips import watchless
from holdfast.evidence.story.facts import CallFact, HoldFact, RefusedFact
from holdfast.evidence.story.story import Story

WAYS: Final = (
    ("allowed", "Allowed"),
    ("approved", "Allowed after approval"),
    ("pending", "Told to repeat"),
    ("denied", "Denied"),
    ("refused", "Refused"),
)
SIDES: Final = (("in-call", "In calls"), ("in-reply", "In replies"))
# Outcomes of a Hold in the colours of decisions; whatever else a Hold may come to is told to repeat, or waits.
ENDS: Final = (("approved", "Used"), ("denied", "Denied"), ("refused", "Expired or withdrawn"), ("pending", "Open"))
END_OF: Final = {"used": "approved", "denied": "denied", "waiting": "pending", "pending": "pending"}
_WAITS_S: Final = (10, 30, 60, 120, 300, 900, 3600)
WAIT_LABELS: Final = ("to 10 s", "to 30 s", "to 1 min", "to 2 min", "to 5 min", "to 15 min", "to 1 h", "longer")


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Key figures and charts of one story; a chart is None where there is nothing to draw."""

    ways: dict[str, int]
    requests_count: int
    from_servers_count: int
    holds_count: int
    holds_waiting_count: int
    findings_count: int
    gaps_count: int
    over_time: Chart | None
    waits: Chart | None
    callers: Ranked | None
    rules: Ranked | None
    entities: Ranked | None


def figures(story: Story) -> Figures:
    """Count everything that pages show."""
    counter = _Counter(story)
    for call in story.calls():
        counter.call(call)
    for refused in story.refused():
        counter.refused(refused)
    for hold in story.holds():
        counter.hold(hold)
    return counter.figures(story)


def _decided_by(fact: RefusedFact) -> tuple[str, str]:
    if fact.rule:
        return fact.rule, ""
    if fact.cause == "denied_by_rule":
        return "no rule allows it", "what holds where no rule matches"
    return fact.cause.replace("_", " "), "a cause of refusal, not a rule"


class _Counter:
    def __init__(self, story: Story) -> None:
        begin_at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        self.clock = Clock(story.first_at or begin_at, story.last_at or begin_at)
        self.over_time: list[dict[str, int]] = [{} for _ in range(self.clock.count)]
        self.waits: list[dict[str, int]] = [{} for _ in WAIT_LABELS]
        self.ways = dict.fromkeys((way for way, _ in WAYS), 0)
        self.callers, self.rules, self.entities = Ranking(), Ranking(), Ranking()
        self.from_servers_count = self.holds_count = self.waiting_count = self.findings_count = 0

    def call(self, fact: CallFact) -> None:
        self._find(fact.findings, "in-call")
        if fact.reply is not None:
            self._find(fact.reply.findings, "in-reply")
        self.rules.add((fact.rule or "no rule matched", ""), fact.way)
        if fact.direction == "to_client":
            self.from_servers_count += 1
        else:
            self._request(fact)

    def refused(self, fact: RefusedFact) -> None:
        if fact.is_decision:
            return
        self.rules.add(_decided_by(fact), fact.way)
        self._request(fact)

    def _request(self, fact: CallFact | RefusedFact) -> None:
        self.ways[fact.way] += 1
        column = self.over_time[self.clock.place(fact.at)]
        column[fact.way] = column.get(fact.way, 0) + 1
        party = fact.party
        name = (party.title, party.sub if party.name else "") if party else ("nobody known", "")
        self.callers.add(name, fact.way)

    def _find(self, findings: dict[str, int], tone: str) -> None:
        for name, count in findings.items():
            self.entities.add((name, ""), tone, count)
            self.findings_count += count

    def hold(self, fact: HoldFact) -> None:
        self.holds_count += 1
        tone = END_OF.get(fact.outcome, "refused")
        if fact.waited_s is None:
            self.waiting_count += 1
            return
        place = sum(fact.waited_s >= limit_s for limit_s in _WAITS_S)
        self.waits[place][tone] = self.waits[place].get(tone, 0) + 1

    def figures(self, story: Story) -> Figures:
        requests_count = sum(self.ways.values())
        gaps_count = sum(story.gap_kinds().values())
        return Figures(
            ways=self.ways,
            requests_count=requests_count,
            from_servers_count=self.from_servers_count,
            holds_count=self.holds_count,
            holds_waiting_count=self.waiting_count,
            findings_count=self.findings_count,
            gaps_count=gaps_count,
            over_time=self._over_time(story) if requests_count else None,
            waits=self._waits() if self.holds_count > self.waiting_count else None,
            callers=self.callers.ranked("Requests by caller", "Caller", WAYS, "The most frequent first."),
            rules=self.rules.ranked("Decisions by rule", "Rule", WAYS, "Every call and refusal, by what decided."),
            entities=self.entities.ranked(
                "Masked values by kind", "Kind", SIDES, "How many values were replaced before anything was kept."
            ),
        )

    def _over_time(self, story: Story) -> Chart:
        about = f"Requests per {self.clock.step_text}, UTC, by what became of them."
        tones = tuple((way, words) for way, words in WAYS if self.ways[way])
        words = Words("over-time", "Requests over time", about, tones)
        return columns(words, self.clock, self.over_time, watchless(story.gaps()))

    def _waits(self) -> Chart:
        waiting = f"; {self.waiting_count:,} had neither" if self.waiting_count else ""
        about = f"Holds by the time from opening to the last decision, else to the closing{waiting}."
        used = tuple((tone, words) for tone, words in ENDS if any(count.get(tone) for count in self.waits))
        words = Words("waits", "How long held calls waited", about, used, "Waited")
        return histogram(words, WAIT_LABELS, self.waits)
