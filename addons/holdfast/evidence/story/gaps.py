"""Gaps: when the gateway was not watching, and when its clock cannot be trusted."""

import datetime as dt
from typing import Final

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.story.facts import Gap, GapKind
from holdfast.ledger.running import is_of_gateway

HEARTBEAT_S: Final = 60  # the writer's interval
SILENCE_S_MAX: Final = HEARTBEAT_S + 30  # a busy machine may be late; half an interval more is a gap
CLOCK_JUMP_S_MAX: Final = 5.0  # wall time against monotonic time within one process


class GapFinder:
    """Fed with Records in order, finds the gaps between them.

    Only the gateway's own Records show that it was watching. Where the ledger's writer runs apart, the writer's start
    says why a gateway goes on in another boot; what an operator has written while no gateway ran fills no gap.
    """

    def __init__(self) -> None:
        self._last: Entry | None = None
        self._seen: Entry | None = None  # the gateway's last Record
        self._writer: Entry | None = None  # the writer's start since then
        self._has_missed = False
        self._down: dict[str, Entry] = {}
        self._found: list[Gap] = []

    def add(self, entry: Entry) -> list[Gap]:
        """The gaps that the next Record ends."""
        self._found = []
        last, self._last = self._last, entry
        if last is not None:
            self._compare(last, entry)
        self._watching(entry)
        self._vouching(entry)
        return self._found

    def miss(self) -> None:
        """A Record is withheld here: silence before the next one says nothing."""
        self._has_missed = True

    def finish(self) -> list[Gap]:
        """The gaps that go on at the end of the range."""
        if self._last is None:
            return []
        last = self._last
        return [self._outage(down, last, "goes on at the end") for down in self._down.values()]

    def _compare(self, last: Entry, entry: Entry) -> None:
        if entry.at < last.at:
            self._note("clock went back", last, entry, "the wall clock of a later Record is earlier")
        if entry.text("boot") == last.text("boot"):
            self._same_clock(last, entry)

    def _watching(self, entry: Entry) -> None:
        if not is_of_gateway(entry.typ, entry.member("process")):
            self._writer = entry if entry.typ == "ledger.start" else self._writer
            return
        self._judge(entry)
        self._has_missed = False

    def _judge(self, entry: Entry) -> None:
        seen, self._seen = self._seen, entry
        writer, self._writer = self._writer, None
        if seen is None:
            return
        if entry.typ == "ledger.start":
            self._start(seen, entry)
        elif entry.text("boot") == seen.text("boot"):
            self._same_run(seen, entry)
        elif writer is None:
            self._note("unannounced start", seen, entry, "another process goes on without a start Record")
        elif writer.flag("clean") is False:
            self._note("crashed", seen, entry, "the ledger's writer died; the gateway refused until it was back")
        else:
            self._note("stopped", seen, entry, "the ledger's writer was stopped; the gateway refused until it was back")

    def _start(self, last: Entry, entry: Entry) -> None:
        if last.typ == "ledger.stop" and entry.flag("clean") is not False:
            self._note("stopped", last, entry, "stopped and started in order")
        else:
            self._note("crashed", last, entry, "started again without a stop Record: the process died")

    def _same_run(self, last: Entry, entry: Entry) -> None:
        if (entry.at - last.at).total_seconds() > SILENCE_S_MAX and not self._has_missed:
            self._note("silence", last, entry, f"no heartbeat, expected every {HEARTBEAT_S} s")

    def _same_clock(self, last: Entry, entry: Entry) -> None:
        passed_s = (entry.at - last.at).total_seconds()
        mono, last_mono = entry.number("mono"), last.number("mono")
        if mono is None or last_mono is None or passed_s < 0:
            return
        if abs(passed_s - (mono - last_mono) / 1e9) > CLOCK_JUMP_S_MAX:
            self._note("clock jumped", last, entry, "wall clock and monotonic clock disagree")

    def _vouching(self, entry: Entry) -> None:
        if entry.typ not in {"witness.down", "witness.up"}:
            return
        name = f"{entry.text('witness', 'kind')} {entry.text('witness', 'name')}"
        down = self._down.pop(name, None)
        if entry.typ == "witness.down":
            self._down[name] = down or entry
        elif down is not None:
            self._found.append(self._outage(down, entry, "until it vouched again"))

    @staticmethod
    def _outage(down: Entry, end: Entry, words: str) -> Gap:
        who = f"{down.text('witness', 'kind')} {down.text('witness', 'name')}"
        return Gap("not vouched for", down.index, end.index, down.at, end.at, f"{who}, {words}: {down.text('reason')}")

    def _note(self, kind: GapKind, last: Entry, entry: Entry, note: str) -> None:
        self._found.append(Gap(kind, last.index, entry.index, last.at, entry.at, note))


def duration_text(seconds: float) -> str:
    """Seconds as people say them: ``1 h 04 min``, ``12.4 s``."""
    span = dt.timedelta(seconds=abs(seconds))
    sign = "-" if seconds < 0 else ""
    minutes, rest_s = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days} d {hours:02} h"
    if hours:
        return f"{sign}{hours} h {minutes:02} min"
    if minutes:
        return f"{sign}{minutes} min {rest_s:02} s"
    return f"{sign}{span.total_seconds():.1f} s"
