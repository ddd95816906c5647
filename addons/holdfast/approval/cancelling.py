"""Held Calls that their client may take back with `notifications/cancelled` while they wait."""

import asyncio
import contextlib
from collections.abc import Iterator

from holdfast.call import Id

type _Key = tuple[str, type, Id]


class Cancellations:
    """Who waits, by whose ids they are and by typed id: ``"1"`` and ``1`` are two ids."""

    def __init__(self) -> None:
        self._waiting: dict[_Key, asyncio.Event] = {}

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
        self._waiting[key] = cancelled
        try:
            yield cancelled
        finally:
            if self._waiting.get(key) is cancelled:
                del self._waiting[key]

    def cancel(self, whose: str, call_id: object) -> bool:
        """Take back the Call ``call_id``; False where no such Call waits."""
        if not isinstance(call_id, str | int):
            return False
        cancelled = self._waiting.get((whose, type(call_id), call_id))
        if cancelled is not None:
            cancelled.set()
        return cancelled is not None
