"""Held Calls that their client may take back with `notifications/cancelled` while they wait."""

import asyncio
import contextlib
from collections.abc import Iterator

from holdfast.call import Id

type _Key = tuple[str, type, Id]


class Cancellations:
    """Who waits, by whose ids they are and by typed id: ``"1"`` and ``1`` are two ids."""

    def __init__(self) -> None:
        self._waiting: dict[_Key, set[asyncio.Event]] = {}

    @contextlib.contextmanager
    def waiting(self, whose: str, call_id: Id | None) -> Iterator[asyncio.Event]:
        """While a Call waits: the event that is set when its client cancels it.

        Args:
            whose: the session, or the Caller where there is none: within this, ids are a client's own.
            call_id: the id of the Call.
        """
        cancelled = asyncio.Event()
        if call_id is None:
            yield cancelled
            return
        key = (whose, type(call_id), call_id)
        self._waiting.setdefault(key, set()).add(cancelled)
        try:
            yield cancelled
        finally:
            self._waiting[key].discard(cancelled)
            if not self._waiting[key]:
                del self._waiting[key]

    def cancel(self, whose: str, call_id: object) -> bool:
        """Take back the Call ``call_id``; False where no such Call waits.

        Where there is no session, two clients of one Caller may wait with the same id. None of them goes out then: the
        one that was taken back must not.
        """
        if not isinstance(call_id, str | int):
            return False
        waiting = self._waiting.get((whose, type(call_id), call_id), set())
        for cancelled in waiting:
            cancelled.set()
        return bool(waiting)
