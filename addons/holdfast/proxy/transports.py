"""What mitmproxy reads from and writes to, for a connection; and hanging up where it would forget to.

mitmproxy 12.2 ends a connection by cancelling its task. The task waits for its turn to tell the layers, and closes the
socket last. Where it is cancelled while it waits, the socket is forgotten: the second time, when a client leaves in the
middle of a reply (once since the reply is given up, once since the client is gone); or the first, when news of the peer
came in the same round of the loop, or addons are still being told of the connection. The peer would wait for good, and
the socket stay open. So what is left open is closed once the task has ended, in whatever way it did.
"""

import asyncio
from typing import Any

from mitmproxy import ctx
from mitmproxy.connection import Connection


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


def hang_up_after(connection: Connection) -> None:
    """Close what ``connection`` still has open when its task, which calls this, has ended."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("a connection is made by a task")
    task.add_done_callback(lambda _: hang_up(connection))


def _handlers() -> list[Any]:
    master = getattr(ctx, "master", None)
    server: Any = master.addons.get("proxyserver") if master is not None else None
    return [] if server is None else list(server.connections.values())
