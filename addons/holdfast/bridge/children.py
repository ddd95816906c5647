"""Which child a request is for: one for each session, and one for each Caller without sessions.

MCP 2026-07-28 has no sessions, and a stdio server may well have a state, so a Caller's requests go to one child. Who
that is the gateway says, with a keyed digest. A client that only tried whether the server knows that version begins its
session with the same child, as it would over stdio.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

from holdfast.bridge.child import Child
from holdfast.bridge.numbering import Renumbered, Unchanged
from holdfast.bridge.relay import Relay

log = logging.getLogger(__name__)

CHILDREN_MAX: Final = 64  # processes of a server that was written for one user
IDLE_S: Final = 3600  # clients that never say goodbye: some never do
_LOOK_S: Final = 30

type Start = Callable[[Callable[[bytes], None]], Awaitable[Child]]


class TooManyChildrenError(Exception):
    """As many children as may be, and none of them idle."""


class Children:
    """The children that run, found by session or by Caller. ``start`` starts one."""

    def __init__(self, start: Start, *, children_max: int = CHILDREN_MAX) -> None:
        self._start = start
        self._max = children_max
        self._sessions: dict[tuple[str, str], Relay] = {}
        self._shared: dict[str, Relay] = {}
        self._starting = asyncio.Lock()
        self._tidying: asyncio.Task[None] | None = None

    async def open_session(self, caller: str) -> tuple[str, Relay]:
        """A new session of ``caller``, with a child of its own.

        Raises:
            SettingsError: the child cannot be started.
            TooManyChildrenError: there are too many.
        """
        session = secrets.token_hex(16)
        tried = self._shared.get(caller)
        if tried is not None and tried.is_untouched and not tried.has_ended:
            relay = self._shared.pop(caller)
            relay.numbering = Unchanged()
        else:
            relay = await self._begin(Relay(Unchanged()))
        self._sessions[(caller, session)] = relay
        return session, relay

    def session(self, caller: str, session: str) -> Relay | None:
        """The relay of a session of ``caller``, or None where there is none or its child has ended."""
        relay = self._sessions.get((caller, session))
        if relay is not None and relay.has_ended:
            del self._sessions[(caller, session)]
            return None
        return relay

    async def shared(self, caller: str) -> Relay:
        """The relay of a Caller who has no session.

        Raises:
            SettingsError: the child cannot be started.
            TooManyChildrenError: there are too many.
        """
        async with self._starting:  # two requests at once begin one child
            relay = self._shared.get(caller)
            if relay is None or relay.has_ended:
                relay = self._shared[caller] = await self._begin(Relay(Renumbered()))
        return relay

    async def _begin(self, relay: Relay) -> Relay:
        if self._tidying is None:
            self._tidying = asyncio.create_task(self._tidy(), name="idle children")
        if len(self._sessions) + len(self._shared) >= self._max:
            await self._drop(self._idle(0)[:1])
        if len(self._sessions) + len(self._shared) >= self._max:
            raise TooManyChildrenError(f"{self._max} processes of the server run, and none is idle")
        child = await self._start(relay.hear)
        relay.attach(child)
        return relay

    async def end_session(self, caller: str, session: str) -> bool:
        """End a session and its child; False where there is none."""
        relay = self._sessions.pop((caller, session), None)
        if relay is None:
            return False
        await relay.stop()
        return True

    def _idle(self, for_s: float) -> list[Relay]:
        """The relays that nobody has used for so long: those whose child has ended, then the longest idle first."""
        now_s = time.monotonic()
        all_of_them = [*self._sessions.values(), *self._shared.values()]
        idle = [one for one in all_of_them if one.has_ended or (one.is_idle and now_s - one.used_at_s >= for_s)]
        return sorted(idle, key=lambda one: (not one.has_ended, one.used_at_s))

    async def _drop(self, relays: list[Relay]) -> None:
        for relay in relays:
            self._sessions = {key: one for key, one in self._sessions.items() if one is not relay}
            self._shared = {key: one for key, one in self._shared.items() if one is not relay}
            await relay.stop()

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            idle = self._idle(IDLE_S)
            if idle:
                log.info("%d idle processes of the server are ended", len(idle))
            await self._drop(idle)

    async def stop(self) -> None:
        """End every child."""
        if self._tidying is not None:
            self._tidying.cancel()
        relays = [*self._sessions.values(), *self._shared.values()]
        self._sessions, self._shared = {}, {}
        await asyncio.gather(*(relay.stop() for relay in relays))
