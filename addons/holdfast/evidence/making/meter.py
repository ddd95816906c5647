"""Progress on the way: how many Records of how many, and how long it will still take."""

from collections.abc import Callable
from typing import Final

from holdfast.clock import Clock, SystemClock

EVERY_S: Final = 2.0  # between two lines
_NS: Final = 1e9

type Say = Callable[[str], None]


class Meter:
    """Tells ``say`` what goes on: a line for each phase, and within long ones a line every two seconds."""

    def __init__(self, say: Say = lambda _: None, clock: Clock | None = None) -> None:
        self.say: Final = say
        self._clock: Final = clock or SystemClock()
        self._title, self._total = "", 0
        self._began_ns = self._told_ns = 0

    def begin(self, title: str, total: int) -> None:
        """A phase over ``total`` Records begins."""
        self._title, self._total = title, total
        self._began_ns = self._told_ns = self._clock.monotonic_ns()
        self.say(f"{title}: {total} Records")

    def at(self, count: int) -> None:
        """``count`` Records of the phase are done."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._told_ns < EVERY_S * _NS or not count:
            return
        self._told_ns = now_ns
        left_s = (now_ns - self._began_ns) / _NS / count * (self._total - count)
        self.say(f"{self._title}: {count} of {self._total}, {count * 100 // self._total} %, {left_s:.0f} s left")
