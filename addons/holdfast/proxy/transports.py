"""What mitmproxy reads from and writes to, for a connection; and hanging up where it would forget to.

mitmproxy 12.2 tells the task of a server connection to end twice when a client leaves in the middle of a reply: once
since the reply is given up, once since the client is gone. Where the second comes while the first is being done, the
task ends before it has closed the socket. The server would wait, and the socket stay open, until the server gives up.
"""

from typing import Any

from mitmproxy import ctx
from mitmproxy.connection import Client, Connection


def transport_of(connection: Connection) -> Any:
    """The asyncio transport of ``connection``; None where it is not known."""
    for handler in _handlers():
        found = handler.transports.get(connection)
        if found is not None and found.writer is not None:
            return getattr(found.writer, "transport", None)
    return None


def hang_up(connection: Connection) -> None:
    """Close what ``connection`` still has open, its task having ended."""
    transport = transport_of(connection)
    if transport is not None:
        transport.close()


def hang_up_for(client: Client) -> None:
    """Close what ``client``, who is gone, has open at servers."""
    for handler in _handlers():
        for connection in handler.transports if handler.client is client else ():
            if connection is not client:
                hang_up(connection)


def _handlers() -> list[Any]:
    master = getattr(ctx, "master", None)
    server: Any = master.addons.get("proxyserver") if master is not None else None
    return [] if server is None else list(server.connections.values())
