"""The events of one stream that wait for what follows: a text that ends in half a value runs on in the next.

An event waits while a text of it ends in what may be the beginning of a value, until the next text of its kind shows
what it is, a Reply or a question of the server ends the matter, too much waits, or its time is up. Events behind it
wait as well: their order stays.
"""

import collections
import dataclasses
import itertools
from collections.abc import Callable
from typing import Final

from holdfast.call import Body, Call, Direction, parse_body
from holdfast.errors import Refused
from holdfast.masking.seams import REACH_CHARS, Neighbours
from holdfast.masking.tails import run_on, tail_start
from holdfast.running import Key, Spot, spots_of
from holdfast.sse import Event

EVENTS_COUNT_MAX: Final = 64  # more at once is no talk that somebody follows; they go on as they are
BYTES_MAX: Final = 256 * 1024
KEYS_COUNT_MAX: Final = 64  # texts that run at once on one stream; of each the last characters are remembered
LOOKS_COUNT_MAX: Final = 8  # ends of texts that are looked at in one go, some milliseconds at most each; others wait


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """An event that was read, when its time is up, and what it says: nothing, messages, or why they are none."""

    event: Event
    size_bytes: int
    due_ns: int
    body: Body | Refused | None
    spots: tuple[tuple[Spot, ...], ...] = ()

    @property
    def all_spots(self) -> tuple[Spot, ...]:
        """The texts of all its messages."""
        return tuple(spot for spots in self.spots for spot in spots)

    @property
    def ends(self) -> bool:
        """Whether nothing before this event runs on behind it."""
        messages = self.body.messages if isinstance(self.body, Body) else ()
        return not messages or any(not isinstance(one, Call) or one.id is not None for one in messages)


def waiting_of(event: Event, due_ns: int) -> Waiting:
    """``event`` with the messages in it, and the texts in these that may run on."""
    data = (event.data or "").encode()
    if not data or event.name == "endpoint":
        return Waiting(event, len(data), due_ns, None)
    try:
        body = parse_body(data, Direction.TO_CLIENT)
    except Refused as refused:
        return Waiting(event, len(data), due_ns, refused)
    return Waiting(event, len(data), due_ns, body, tuple(spots_of(message) for message in body.messages))


class Window:
    """What waits, in order, and the ends of the texts that went before."""

    def __init__(self, chars: int, is_found: Callable[[str, str, int], bool]) -> None:
        """How texts are looked at.

        Args:
            chars: how many characters at the end of a text may be the beginning of a value.
            is_found: whether what ends a text, which stands at a path, from an index on is masked whatever follows.
        """
        self._chars = chars
        self._is_found = is_found
        self._queue: collections.deque[Waiting] = collections.deque()
        self._bytes = 0
        self._gone: collections.OrderedDict[Key, Neighbours] = collections.OrderedDict()

    @property
    def due_ns(self) -> int | None:
        """When the time of the first that waits is up; None where nothing waits."""
        return self._queue[0].due_ns if self._queue else None

    @property
    def count(self) -> int:
        """How many events wait."""
        return len(self._queue)

    def add(self, one: Waiting) -> None:
        """One more event."""
        self._queue.append(one)
        self._bytes += one.size_bytes

    def ready(self, now_ns: int) -> int:
        """How many events from the first need not wait any more."""
        if len(self._queue) > EVENTS_COUNT_MAX or self._bytes > BYTES_MAX:
            return len(self._queue)
        joined: dict[Key, str] = {}
        paths: dict[Key, str] = {}
        for one in self._queue:
            for spot in one.all_spots:
                before = joined.get(spot.key) or self._gone.get(spot.key, Neighbours()).before[-self._chars :]
                joined[spot.key] = run_on(before, spot.text[-REACH_CHARS:])[-2 * REACH_CHARS :]
                paths[spot.key] = spot.path
        open_chars = self._open_chars(joined, paths)
        free_from = len(self._queue)
        for index in range(len(self._queue) - 1, -1, -1):
            one = self._queue[index]
            if one.ends:
                break
            if one.due_ns > now_ns and any(open_chars[spot.key] > 0 for spot in one.all_spots):
                free_from = index
            for spot in one.all_spots:
                open_chars[spot.key] -= len(spot.text)
        return free_from

    def _open_chars(self, joined: dict[Key, str], paths: dict[Key, str]) -> dict[Key, int]:
        """How many characters at the end of each text may be the beginning of a value that nobody has found yet."""
        found: dict[Key, int] = {}
        looks_count = 0
        for key, text in joined.items():
            start = tail_start(text, self._chars)
            if start < len(text) and looks_count < LOOKS_COUNT_MAX:
                looks_count += 1
                start = len(text) if self._is_found(paths[key], text, start) else start
            found[key] = len(text) - start
        return found

    def take(self) -> Waiting:
        """The first event, which then waits no more."""
        one = self._queue.popleft()
        self._bytes -= one.size_bytes
        return one

    def beside(self, spot: Spot) -> Neighbours:
        """What stands before ``spot``, which was taken, and behind it as far as that has come."""
        behind = ""
        for one in itertools.islice(self._queue, EVENTS_COUNT_MAX):
            behind += "".join(other.text[:REACH_CHARS] for other in one.all_spots if other.key == spot.key)
            if len(behind) >= REACH_CHARS:
                break
        return dataclasses.replace(self._gone.get(spot.key, Neighbours()), behind=behind)

    def remember(self, spot: Spot, following: Neighbours) -> None:
        """``spot`` has gone; ``following`` is what stands before the next of its kind."""
        self._gone[spot.key] = following
        self._gone.move_to_end(spot.key)
        if len(self._gone) > KEYS_COUNT_MAX:
            self._gone.popitem(last=False)
