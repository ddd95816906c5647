"""Waiting at a place on the board until something happens that the waiting call must know of."""

import asyncio

from holdfast.approval.board import Place
from holdfast.approval.holds import Leaving, State


async def until_decided(
    place: Place, waiter: object, leaving: Leaving, stopping: asyncio.Event, deadline_s: float
) -> None:
    """Return once the Hold at ``place`` is decided or over, the client leaves, the gateway stops, or time is up.

    Args:
        place: where the call waits.
        waiter: the request that waits; a grant is for whoever came last.
        leaving: how its client may give up.
        stopping: set when the gateway stops.
        deadline_s: until when it waits, in the event loop's time.
    """
    loop = asyncio.get_running_loop()
    while _goes_on(place, waiter) and leaving.why is None and not stopping.is_set():
        left_s = deadline_s - loop.time()
        if left_s <= 0:
            return
        awaited = (place.changed, leaving.gone, leaving.cancelled)
        events = [asyncio.create_task(event.wait()) for event in awaited]
        try:
            await asyncio.wait(events, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for event in events:
                event.cancel()


def _goes_on(place: Place, waiter: object) -> bool:
    state = place.hold.state
    return state.is_undecided or (state is State.GRANTED and not place.is_turn_of(waiter))
