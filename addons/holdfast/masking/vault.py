"""The vault: which values the masks stand for that a Caller was given, so that the Caller may send the masks back.

In memory alone: it is on no disk, in no log and in no other process, and a restart empties it. A mask is known to the
Caller who was given it, for the server whose value it is, and to nobody else: a value that one server told never goes
to another, and whoever learns of a mask cannot ask what it stands for.
"""

import collections
import dataclasses
import html
import re
import urllib.parse
from collections.abc import Container, Iterable, Mapping
from typing import Final

from holdfast.masking.finding import Issued

PER_CALLER_COUNT_MAX: Final = 5_000  # values; a list of contacts has some hundreds. About 9 MB
COUNT_MAX: Final = 50_000  # of all Callers, about 90 MB
LIFETIME_S: Final = 8 * 3600  # a working day, from when the mask was last given
RUN: Final = re.compile(r"\w+")  # by the longest run of word characters in it, a mask is found in a text
_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")

type CallerKey = tuple[str, str]
type _Shelf = tuple[CallerKey, str]  # the Caller, and the server whose values they are
type _Slot = tuple[CallerKey, str, str]  # the same, and the mask


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """A mask as it may stand in a text, and the value spelled the same way; ``offset`` is where its longest run is."""

    token: str
    offset: int
    entity: str
    rule: str
    value: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    given_s: float
    is_certain: bool  # False where two values have this mask, or it was made of a part of one
    spellings: tuple[tuple[str, Spelling], ...] = dataclasses.field(repr=False)
    value: str = dataclasses.field(repr=False)


class Vault:
    """Values by Caller, server and mask. Written from one event loop; lookups may come from other threads."""

    def __init__(
        self,
        *,
        per_caller_count_max: int = PER_CALLER_COUNT_MAX,
        count_max: int = COUNT_MAX,
        lifetime_s: float = LIFETIME_S,
    ) -> None:
        self._per_caller_max = per_caller_count_max
        self._count_max = count_max
        self._lifetime_s = lifetime_s
        self._entries: collections.OrderedDict[_Slot, _Entry] = collections.OrderedDict()  # longest not given first
        self._held: dict[CallerKey, collections.OrderedDict[_Slot, None]] = {}
        self._runs: dict[_Shelf, dict[str, tuple[Spelling, ...]]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def give(self, caller: CallerKey, server: str, issued: Iterable[Issued], now_s: float) -> None:
        """Remember what ``caller`` is given of ``server``. ``now_s`` is a monotonic time in seconds."""
        self._expire(now_s)
        for one in issued:
            self._put((caller, server, one.token), one, now_s)

    def given(self, caller: CallerKey, server: str, entities: Container[str], now_s: float) -> "Given | None":
        """What ``caller`` may send back to ``server``, of ``entities``; None where that is nothing."""
        self._expire(now_s)
        runs = self._runs.get((caller, server))
        return Given(runs, entities) if runs else None

    def _put(self, slot: _Slot, one: Issued, now_s: float) -> None:
        known = self._entries.get(slot)
        if known is not None and known.value == one.value:
            self._entries[slot] = dataclasses.replace(known, given_s=now_s)
            self._entries.move_to_end(slot)
            self._held[slot[0]].move_to_end(slot)
            return
        if known is not None:
            self._remove(slot)
        entry = _Entry(now_s, known is None and one.value != "", _spellings(one), one.value)
        self._entries[slot] = entry
        self._held.setdefault(slot[0], collections.OrderedDict())[slot] = None
        if entry.is_certain:
            runs = self._runs.setdefault(slot[:2], {})
            for run, spelling in entry.spellings:
                runs[run] = tuple(sorted((*runs.get(run, ()), spelling), key=_longest_first))
        self._make_room(slot[0])

    def _make_room(self, caller: CallerKey) -> None:
        held = self._held[caller]
        if len(held) > self._per_caller_max:
            self._remove(next(iter(held)))
        elif len(self._entries) > self._count_max:
            # Whoever holds the most gives way, so that a crawl of one does not empty the shelves of the others.
            fullest = max(self._held.values(), key=len)
            self._remove(next(iter(fullest)))

    def _expire(self, now_s: float) -> None:
        while self._entries and now_s - next(iter(self._entries.values())).given_s > self._lifetime_s:
            self._remove(next(iter(self._entries)))

    def _remove(self, slot: _Slot) -> None:
        entry = self._entries.pop(slot)
        held = self._held[slot[0]]
        del held[slot]
        if not held:
            del self._held[slot[0]]
        runs = self._runs.get(slot[:2])
        if runs is None or not entry.is_certain:
            return
        for run, spelling in entry.spellings:
            left = tuple(one for one in runs.get(run, ()) if one is not spelling)
            if left:
                runs[run] = left
            else:
                runs.pop(run, None)
        if not runs:
            del self._runs[slot[:2]]


class Given:
    """What one Caller may send back to one server."""

    def __init__(self, runs: Mapping[str, tuple[Spelling, ...]], entities: Container[str]) -> None:
        self._runs = runs
        self._entities = entities

    def may_stand_in(self, text: str) -> bool:
        """Whether ``text`` has a run of word characters of any of the masks; most texts have none."""
        return not self._runs.keys().isdisjoint(RUN.findall(text))

    def spellings(self, run: str) -> list[Spelling]:
        """The masks whose longest run of word characters is ``run``, the longest first."""
        return [one for one in self._runs.get(run, ()) if one.entity in self._entities]

    def number(self, digits: str) -> Spelling | None:
        """The mask that is the number ``digits`` and stands for a number."""
        return next((one for one in self.spellings(digits) if one.token == digits and one.value.isdecimal()), None)


def _spellings(one: Issued) -> tuple[tuple[str, Spelling], ...]:
    """``one`` as texts, addresses (percent-encoded, by either habit) and HTML spell it."""
    quoted = (urllib.parse.quote(one.token, safe=""), urllib.parse.quote(one.value, safe=""))
    pairs = {
        (one.token, one.value): None,
        quoted: None,
        (_ESCAPE.sub(lambda match: match[0].lower(), quoted[0]), quoted[1]): None,
        (html.escape(one.token), html.escape(one.value)): None,
    }
    spelled: dict[str, tuple[str, Spelling]] = {}
    for token, value in pairs:
        run = max(RUN.finditer(token), key=lambda match: len(match[0]), default=None)
        if run is not None and token not in spelled:
            spelled[token] = run[0], Spelling(token, run.start(), one.entity, one.rule, value)
    return tuple(spelled.values())


def _longest_first(spelling: Spelling) -> int:
    return -len(spelling.token)
