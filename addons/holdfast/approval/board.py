"""The board: every Hold the desk knows, in memory, in desk.db and in the Records, changed in one order.

A change is always: append the Records, write desk.db, change memory, wake who waits. Whoever changes a Hold holds the
lock of its place.
"""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.approval.holds import Hold, State
from holdfast.approval.records import Appends, closed_draft
from holdfast.approval.store import Store, open_store
from holdfast.errors import Cause, Refused
from holdfast.ledger.draft import Draft, Receipt

CLOSED_KEEP: Final = dt.timedelta(days=1)  # so that a late approver learns what became of a Hold
CLOSED_COUNT_MAX: Final = 10_000  # about 1 KB each


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How many Holds may be open at once: an approver's attention is what an agent could exhaust."""

    per_caller: int = 50
    in_all: int = 1000


LIMITS: Final = Limits()


class Place:
    """Where one Hold stands on the board, with those who wait for it."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self.lock = asyncio.Lock()
        self._waiters: list[object] = []
        self.changed = asyncio.Event()

    @property
    def waiter_count(self) -> int:
        """How many requests wait here."""
        return len(self._waiters)

    def enter(self, waiter: object) -> None:
        """Let one more request wait here."""
        self._waiters.append(waiter)

    def leave(self, waiter: object) -> None:
        """The request waits no more; another's turn may have come."""
        self._waiters.remove(waiter)
        if self.hold.state is State.GRANTED:
            self.show(self.hold)

    def is_turn_of(self, waiter: object) -> bool:
        """Whether a grant is for ``waiter``: who repeated the call has most likely given up on what came before."""
        return self._waiters[-1] is waiter

    def show(self, hold: Hold) -> None:
        """Put ``hold`` here and wake everybody who waits for a change."""
        self.hold = hold
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()


class Board:
    """All places, by id and by what a repeated call looks for."""

    def __init__(self, path: Path, ledger: Appends, limits: Limits) -> None:
        self._path = path
        self._ledger = ledger
        self._limits = limits
        self._places: dict[str, Place] = {}
        self._by_key: dict[tuple[str, str, str, str], Place] = {}
        self._opened_store: Store | None = None

    @property
    def _store(self) -> Store:
        if self._opened_store is None:
            raise Refused(Cause.UNAVAILABLE, "the approval desk is not open", next_step="Try again later.")
        return self._opened_store

    async def open(self) -> None:
        """Read desk.db. Raises SettingsError."""
        self._opened_store = open_store(self._path)
        for hold in await self._store.load():
            self._stand(Place(hold))

    async def close(self) -> None:
        """Close desk.db; nothing can change after this."""
        store, self._opened_store = self._opened_store, None
        if store is not None:
            await store.close()

    def places(self) -> Iterator[Place]:
        """Every place, oldest first; stable while others come and go."""
        yield from tuple(self._places.values())

    def by_key(self, key: tuple[str, str, str, str]) -> Place | None:
        """The place that a repeat of the same call joins: an open Hold, or one whose denial still stands."""
        return self._by_key.get(key)

    def find(self, prefix: str) -> list[Place]:
        """The places whose id is, or begins with, ``prefix``; those still being opened are not seen."""
        exact = self._places.get(prefix)
        places = [exact] if exact else [place for hold_id, place in self._places.items() if hold_id.startswith(prefix)]
        return [place for place in places if place.hold.state is not State.OPENING]

    def reserve(self, hold: Hold) -> Place:
        """A place for a new Hold in state opening.

        Raises:
            Refused: UNAVAILABLE, too many Holds are open.
        """
        # The Holds of one caller, and all of them, are counted over places that can still cost an approver's time.
        counted = [place.hold for place in self._places.values() if _is_counted(place.hold)]
        own_count = sum(one.requester.key == hold.requester.key for one in counted)
        if own_count >= self._limits.per_caller:
            raise _too_many(f"this caller has {own_count} calls waiting for approval, the most permitted")
        if len(counted) >= self._limits.in_all:
            raise _too_many(f"{len(counted)} calls are waiting for approval, the most permitted")
        if hold.id in self._places:
            raise Refused(Cause.UNAVAILABLE, "the id of a new hold is taken", next_step="Repeat the call.")
        place = Place(hold)
        self._stand(place)
        return place

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """Append Records; durable on return."""
        return await self._ledger.append(*drafts)

    async def put(self, place: Place, hold: Hold) -> None:
        """Make ``hold`` what stands at ``place``: on disk, then in memory, then woken."""
        await self._store.put(hold)
        if hold.state is not State.DENIED and not _is_counted(hold):
            self.unlist(place)
        place.show(hold)

    async def end(self, place: Place, state: State, outcome: str, note: str, call_id: str | None = None) -> None:
        """Record how a wait or a Hold ended, then move it to ``state``."""
        await self.append(closed_draft(place.hold, outcome, note, call_id))
        await self.put(place, place.hold.moved(state, note))

    def unlist(self, place: Place) -> None:
        """Let the next call of the same kind open a Hold anew."""
        if self._by_key.get(place.hold.key) is place:
            del self._by_key[place.hold.key]

    def discard(self, place: Place) -> None:
        """Take away a place whose Hold never opened."""
        self.unlist(place)
        self._places.pop(place.hold.id, None)
        place.show(place.hold.moved(State.ABANDONED))

    async def prune(self, now: dt.datetime) -> None:
        """Forget Holds closed long ago; the Records keep them."""
        closed = [place for place in self._places.values() if not _is_counted(place.hold)]
        surplus = max(0, len(closed) - CLOSED_COUNT_MAX)
        old = [place for i, place in enumerate(closed) if i < surplus or place.hold.expires_at + CLOSED_KEEP < now]
        for place in old:
            self.unlist(place)
            del self._places[place.hold.id]
        if old:
            await self._store.drop(place.hold.id for place in old)

    def _stand(self, place: Place) -> None:
        self._places[place.hold.id] = place
        if _is_counted(place.hold) or place.hold.state is State.DENIED:
            self._by_key[place.hold.key] = place


def _is_counted(hold: Hold) -> bool:
    return hold.state.is_open or hold.state is State.OPENING


def _too_many(reason: str) -> Refused:
    return Refused(Cause.UNAVAILABLE, reason, next_step="Wait until approvers have decided on them, then repeat it.")
