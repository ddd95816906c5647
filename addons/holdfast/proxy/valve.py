"""Back-pressure on a server whose stream comes faster than it can be masked and recorded.

mitmproxy reads on while a hook is pending. What is read is kept in memory, and a stream with too much of it is cut. So
the transport is asked to read no more while much is waiting; the server notices as it would notice a slow client.
"""

from typing import Any, Final

from mitmproxy.connection import Connection

from holdfast.proxy.transports import transport_of

CLOSE_AT_BYTES: Final = 1024 * 1024  # waiting; less than one of the largest events, and far from the cut


class Valve:
    """Lets one server's bytes in, or not."""

    def __init__(self) -> None:
        self._closed: Any = None

    def close(self, connection: Connection) -> None:
        """Read no more from ``connection`` until :meth:`open`; nothing happens where its transport is not known."""
        transport = self._closed or transport_of(connection)
        if transport is not None and not transport.is_closing():
            # Each time anew: what mitmproxy reads from resumes by itself, once, when its own buffer was full before.
            transport.pause_reading()
            self._closed = transport

    def open(self) -> None:
        """Read on."""
        transport, self._closed = self._closed, None
        if transport is not None and not transport.is_closing():
            transport.resume_reading()
