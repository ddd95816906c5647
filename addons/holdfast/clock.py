"""Time as an argument: what the wall clock and the monotonic clock say, and a clock that tests set."""

import dataclasses
import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Everything that needs time takes one of these."""

    def now_at(self) -> dt.datetime:
        """Wall time, aware, UTC."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed point; never goes back while the process lives."""


class SystemClock:
    """The machine's clocks."""

    def now_at(self) -> dt.datetime:
        """Wall time, aware, UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic_ns(self) -> int:
        """Nanoseconds of the process's monotonic clock."""
        return time.monotonic_ns()


@dataclasses.dataclass
class SetClock:
    """A clock that stands still until told otherwise, for tests and vectors."""

    at: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    ns: int = 0

    def now_at(self) -> dt.datetime:
        """The time this clock was set to."""
        return self.at

    def monotonic_ns(self) -> int:
        """The nanoseconds this clock was set to."""
        return self.ns

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by ``seconds``."""
        self.at += dt.timedelta(seconds=seconds)
        self.ns += int(seconds * 1e9)


def utc_text(at: dt.datetime) -> str:
    """``at`` as RFC 3339 UTC with microseconds and a ``Z``, the form of every Record.

    Raises:
        ValueError: ``at`` carries no time zone.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone is ambiguous; pass an aware datetime")
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_parse(text: str) -> dt.datetime:
    """The inverse of :func:`utc_text`, strict: one spelling per instant.

    Raises:
        ValueError: not exactly that form.
    """
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=dt.UTC)
