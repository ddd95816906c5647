"""What one message may cost: a text made to be slow is refused, and does not stall the gateway.

Masking runs on the event loop, so a message that takes a minute takes it from everybody.
"""

import time
from collections.abc import Callable
from typing import Final

from holdfast.errors import MaskingError

MESSAGE_S_MAX: Final = 5.0  # processor time for one message; ordinary ones take less than a millisecond
_CHARS_UNCHECKED: Final = 16_384  # characters given to patterns between two looks at the clock


class Budget:
    """What is left of a message's share. Made once per message; remembers telephone numbers already tried in it."""

    __slots__ = ("_chars", "_clock", "_started_s", "phones")

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        """``clock`` gives the seconds of processor time that this thread has used."""
        self._clock = clock
        self._chars = 0
        self._started_s: float | None = None  # a short message never asks for the time
        self.phones: dict[tuple[str, int], list[tuple[int, int]]] = {}

    def spend(self, chars: int) -> None:
        """Count ``chars`` characters that are about to be given to a pattern.

        Raises:
            MaskingError: masking the message takes too long.
        """
        self._chars += chars
        if self._chars < _CHARS_UNCHECKED:
            return
        self._chars = 0
        self.look()

    @property
    def is_used(self) -> bool:
        """Whether the message is so long that its time has been looked at."""
        return self._started_s is not None

    def look(self) -> None:
        """Look at the clock.

        Raises:
            MaskingError: masking the message takes too long.
        """
        now_s = self._clock()
        if self._started_s is None:
            self._started_s = now_s
        elif now_s - self._started_s > MESSAGE_S_MAX:
            raise MaskingError(f"masking the message takes more than {MESSAGE_S_MAX:.0f} s")
