"""What the gateway itself says on a stream of HTTP+SSE (2024-11-05), where replies do not come back on the POST.

A client of that transport reads the POST's status alone. A refusal in its body would reach nobody, and the client would
wait for ever: it belongs on the session's stream.
"""

import asyncio
from typing import Final

from holdfast.sse import Event, format_event

WAITING_BYTES_MAX: Final = 1024 * 1024  # refusals are short; a client that does not read its stream has some thousand


class Outbox:
    """Events that wait to be sent on one stream.

    ``stirred`` is set when there is something to send, or something else has happened on the stream.
    """

    def __init__(self, stirred: asyncio.Event) -> None:
        self.stirred = stirred
        self._events: list[bytes] = []
        self._bytes_count = 0

    def put(self, body: bytes) -> bool:
        """Have ``body``, a message whose Record is durable, sent as an event; False where too much waits already."""
        event = format_event(Event(body.decode(), "message"))
        if self._bytes_count + len(event) > WAITING_BYTES_MAX:
            return False
        self._events.append(event)
        self._bytes_count += len(event)
        self.stirred.set()
        return True

    def take(self) -> bytes:
        """All that waits, which is then taken."""
        taken = b"".join(self._events)
        self._events.clear()
        self._bytes_count = 0
        return taken
