"""One fetched value that is kept fresh, and a bucket that bounds how often strangers can make us fetch.

Fresh: used as it is. Older than ``refresh_s``: used, and fetched anew in the background. Older than ``max_stale_s``:
nobody passes until a fetch succeeds. However many ask at once, one fetch is under way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from holdfast.clock import Clock
from holdfast.identity.jwks import KeysError

RETRY_S: Final = 5.0  # after a failed fetch, how long until the next: a dead issuer is not asked on every request

_log = logging.getLogger("holdfast.identity")


class Allowance:
    """A token bucket: ``burst`` at once, then one every ``every_s``."""

    def __init__(self, clock: Clock, *, burst: int, every_s: float) -> None:
        self._clock = clock
        self._burst = float(burst)
        self._every_ns = every_s * 1e9
        self._left = float(burst)
        self._at_ns = clock.monotonic_ns()

    def take(self) -> bool:
        """Whether one more is allowed now; if so it is used up."""
        now_ns = self._clock.monotonic_ns()
        self._left = min(self._burst, self._left + (now_ns - self._at_ns) / self._every_ns)
        self._at_ns = now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Cached[T]:
    """A value that ``load`` fetches."""

    def __init__(
        self, label: str, load: Callable[[], Awaitable[T]], clock: Clock, *, refresh_s: float, max_stale_s: float
    ) -> None:
        self._label = label
        self._load = load
        self._clock = clock
        self._refresh_s = refresh_s
        self._max_stale_s = max_stale_s
        self._value: T | None = None
        self._loaded_ns = 0
        self._loaded_at = clock.now_at()
        self._failed_ns: int | None = None
        self._task: asyncio.Task[None] | None = None

    def value(self) -> T | None:
        """The value if it is not stale, else None. Starts a background fetch when one is due."""
        if self._value is None:
            return None
        age_s = self._age_s()
        if age_s > self._refresh_s and not self._failed_lately():
            self._start()
        return self._value if age_s <= self._max_stale_s else None

    async def get(self) -> T:
        """The value, fetched first where it is missing or stale.

        Raises:
            KeysError: missing or stale, and it could not be fetched now or a moment ago.
        """
        value = self.value()
        if value is None and (self._task or not self._failed_lately()):
            await self.renew()
            value = self.value()
        if value is None:
            raise KeysError("missing or out of date, and the issuer cannot be reached")
        return value

    async def renew(self) -> None:
        """Fetch now, or wait for the fetch under way. A failure leaves the value as it is and is logged."""
        # Shielded: one client that goes away must not end the fetch that others wait for.
        await asyncio.shield(self._start())

    def is_under_way(self) -> bool:
        """Whether a fetch is running that :meth:`renew` would wait for."""
        return self._task is not None

    def _age_s(self) -> float:
        # The wall clock too: the monotonic clock stands still while a machine sleeps, and keys do not.
        wall_s = (self._clock.now_at() - self._loaded_at).total_seconds()
        return max(wall_s, (self._clock.monotonic_ns() - self._loaded_ns) / 1e9)

    def _failed_lately(self) -> bool:
        return self._failed_ns is not None and self._clock.monotonic_ns() - self._failed_ns < RETRY_S * 1e9

    def _start(self) -> asyncio.Task[None]:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._fetch())
        return self._task

    async def _fetch(self) -> None:
        try:
            value = await self._load()
        except KeysError as error:
            self._failed_ns = self._clock.monotonic_ns()
            _log.warning("identity: %s could not be renewed: %s", self._label, error)
        else:
            self._value = value
            self._loaded_ns, self._loaded_at = self._clock.monotonic_ns(), self._clock.now_at()
            self._failed_ns = None
        finally:
            self._task = None
