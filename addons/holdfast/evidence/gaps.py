"""Gaps: when the gateway was not watching, and when its clock cannot be trusted."""

import datetime as dt
from typing import Final

from holdfast.evidence.entry import Entry
from holdfast.evidence.facts import Gap, GapKind

HEARTBEAT_S: Final = 60  # the writer's interval
SILENCE_S_MAX: Final = HEARTBEAT_S + 30  # a busy machine may be late; half an interval more is a gap
CLOCK_JUMP_S_MAX: Final = 5.0  # wall time against monotonic time within one process


class GapFinder:
    """Fed with Records in order, finds the gaps between them."""

    def __init__(self) -> None:
        self._last: Entry | None = None
        self._found: list[Gap] = []

    def add(self, entry: Entry) -> None:
        """The next Record."""
        last, self._last = self._last, entry
        if last is None:
            return
        if entry.at < last.at:
            self._note("clock went back", last, entry, "the wall clock of a later Record is earlier")
        if entry.typ == "ledger.start":
            self._start(last, entry)
        elif last.typ != "ledger.genesis" and entry.text("boot") != last.text("boot"):
            self._note("unannounced start", last, entry, "another process goes on without a start Record")
        else:
            self._same_process(last, entry)

    def found(self) -> tuple[Gap, ...]:
        """The gaps so far, in order."""
        return tuple(self._found)

    def _start(self, last: Entry, entry: Entry) -> None:
        if last.typ == "ledger.genesis":
            return
        if last.typ == "ledger.stop" and entry.flag("clean") is not False:
            self._note("stopped", last, entry, "stopped and started in order")
        else:
            self._note("crashed", last, entry, "started again without a stop Record: the process died")

    def _same_process(self, last: Entry, entry: Entry) -> None:
        passed_s = (entry.at - last.at).total_seconds()
        if passed_s > SILENCE_S_MAX:
            self._note("silence", last, entry, f"no heartbeat, expected every {HEARTBEAT_S} s")
        mono, last_mono = entry.number("mono"), last.number("mono")
        if mono is None or last_mono is None or passed_s < 0:
            return
        if abs(passed_s - (mono - last_mono) / 1e9) > CLOCK_JUMP_S_MAX:
            self._note("clock jumped", last, entry, "wall clock and monotonic clock disagree")

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
