"""What one message may cost: a text made to be slow does not stall the gateway, and is refused in the end.

There are two sizes. What is masked on the event loop has a few milliseconds, since it takes them from everybody;
what that is not enough for goes to a worker process, which has seconds (the package ``work``).
"""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from holdfast.errors import MaskingError
from holdfast.masking.prefilter import Hits
from holdfast.masking.quiet import REGEX_TIMEOUT_S
from holdfast.masking.unscanned import LeafError
from holdfast.masking.view import shown

LEAF_S_MAX: Final = 2.0  # processor time for one text of it
MESSAGE_S_MAX: Final = 5.0  # processor time for one message; ordinary ones take less than a millisecond
JSON_VALUES_MAX: Final = 2048  # of JSON in one text on the event loop, as many as a whole message may have there
_BESIDE_VALUES: Final = ("{", "[", ",", ":")  # one of these stands beside each
RESULT_CHARS: Final = 64  # what one result costs that is judged, lifted or masked, in characters given to a pattern


# What may be a number; whether what stands before it, or behind, may touch one; whether that makes a time of it.
type Candidate = tuple[str, bool, bool, bool]
type Try = tuple[int, int, Sequence[str]]  # start and end in a candidate, and the regions in which that is a number


# Who searches; the window with what is seen around it; where it begins and ends in that; whether more text follows.
type Window = tuple[object, str, int, int, bool]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much a message may cost.

    ``message_s``, ``leaf_s`` and ``search_s`` are seconds of processor time, for all of the message, for one scan of
    one text of it, and for one search of one pattern. ``chars_unchecked`` is how many characters are given to patterns
    between two looks at the clock, ``hits_max`` how many places one scan of the prefilter may name (None: any number).
    ``is_final`` is False where somebody with more time takes over from a budget that is spent.
    """

    message_s: float
    leaf_s: float
    search_s: float
    chars_unchecked: int
    hits_max: int | None
    is_final: bool


WHOLE: Final = Limits(MESSAGE_S_MAX, LEAF_S_MAX, REGEX_TIMEOUT_S, 16_384, None, is_final=True)
# Together with what is done between two looks at the clock it keeps the loop for less than 50 ms.
IN_PLACE: Final = Limits(0.01, 0.01, 0.01, 1024, 12_000, is_final=False)  # a hit takes a microsecond
# For the end of a text on a stream, of which several may be looked at in one turn: what takes longer waits.
END: Final = Limits(0.005, 0.005, 0.005, 256, 4096, is_final=False)
# Texts beside messages are short, and nobody can wait for a worker where they are needed.
KEPT: Final = Limits(0.03, 0.03, 0.03, 1024, None, is_final=True)


class Budget:
    """What is left of a message's share. Made once per message; remembers what was learnt of its texts."""

    __slots__ = (
        *("_chars", "_clock", "_has_looked", "_leaf_s", "_limits", "_shown", "_started_s"),
        *("candidates", "dialled", "expected", "hits", "hits_max", "is_again", "judged", "numbers", "phones"),
        *("search_s", "windows"),
    )

    def __init__(self, clock: Callable[[], float] = time.thread_time, limits: Limits = WHOLE) -> None:
        """``clock`` gives the seconds of processor time that this thread has used."""
        self._clock = clock
        self._limits = limits
        self._chars = 0
        # A short message never asks for the time where there is much of it.
        self._started_s: float | None = None if limits.is_final else clock()
        self._leaf_s: float | None = None
        self._has_looked = False
        self.hits_max = limits.hits_max
        self.search_s = limits.search_s
        self.phones: dict[tuple[str, int, bool], list[tuple[int, int]]] = {}
        self.candidates: dict[Candidate, tuple[list[Try], Iterator[Try]]] = {}
        self.numbers: dict[str, Sequence[str]] = {}
        self.dialled: dict[str, Sequence[str]] = {}
        self.judged: dict[object, dict[tuple[str, float], float]] = {}  # values, by who judges them
        self.windows: dict[Window, tuple[tuple[int, int], ...]] = {}  # what a search found in each
        self.expected: list[str] = []
        self.hits: dict[str, Hits | None] = {}
        self._shown: dict[str, bytes] = {}
        # Whether a text is looked at again with masks in it: each value of a row is as near to a word as the first.
        self.is_again = False

    @property
    def is_final(self) -> bool:
        """Whether the message is refused when this is spent; else somebody with more time takes over."""
        return self._limits.is_final

    def open(self, text: str) -> None:
        """What may be JSON in ``text`` is about to be read.

        Raises:
            LeafError: it may have more values than a message that is masked on the event loop.
        """
        if not self.is_final and sum(map(text.count, _BESIDE_VALUES)) > JSON_VALUES_MAX:
            raise LeafError(f"JSON in a text may have more than {JSON_VALUES_MAX} values")

    def show(self, text: str) -> bytes:
        """What :func:`~holdfast.masking.view.shown` makes of ``text``, made once where that costs something."""
        if text.isascii():
            return shown(text)
        known = self._shown.get(text)
        return known if known is not None else self._shown.setdefault(text, shown(text))

    def begin_leaf(self) -> None:
        """What follows is for another text."""
        self._leaf_s = None

    def spend(self, chars: int) -> None:
        """Count ``chars`` characters that are about to be given to a pattern.

        Raises:
            LeafError: masking one text takes too long.
            MaskingError: masking the message does.
        """
        self._chars += chars
        if self._chars < self._limits.chars_unchecked:
            return
        self._chars = 0
        self.look()

    def each[T](self, results: Iterable[T]) -> Iterator[T]:
        """``results`` one by one, each counted before something is done about it. Raises like :meth:`spend`."""
        for result in results:
            self.spend(RESULT_CHARS)
            yield result

    @property
    def is_used(self) -> bool:
        """Whether the message is so long that its time has been looked at."""
        return self._has_looked

    def look(self) -> None:
        """Look at the clock. Raises like :meth:`spend`."""
        now_s = self._clock()
        self._has_looked = True
        if self._started_s is None:
            self._started_s = now_s
        if self._leaf_s is None:
            self._leaf_s = now_s
        if now_s - self._leaf_s > self._limits.leaf_s:
            raise LeafError(f"masking a text takes more than {self._limits.leaf_s:g} s")
        if now_s - self._started_s > self._limits.message_s:
            raise MaskingError(f"masking the message takes more than {self._limits.message_s:g} s")
