"""An addon that makes two things meet, in one round of the loop, which meet there by themselves once in a while.

The file `order` beside it says which two, for the next client that comes; the file `ready` comes when it is the other
side's turn. Tests copy this file and write the order.
"""

import asyncio
from pathlib import Path
from typing import Any

from mitmproxy import ctx
from mitmproxy.connection import Client
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from holdfast.proxy.hooks import Ending

ORDER = Path(__file__).with_name("order")
READY = Path(__file__).with_name("ready")


class Meeting:
    """What happens to one client and its server, at the moments at which mitmproxy or the gate asks its addons."""

    def __init__(self, client: Client) -> None:
        self.client = client
        # Kept, since Python would close in time what nobody refers to.
        self.handler: Any = ctx.master.addons.get("proxyserver").connections[client.id]

    async def connecting(self) -> None:
        """The server is about to be connected to."""

    async def connected(self) -> None:
        """The server has been connected to."""

    async def ending(self) -> None:
        """The end of an exchange that broke off has been written down; both sides are closed next."""

    async def left(self) -> None:
        """The client is gone; mitmproxy ends what it still has at servers next."""


class EndMeetsLeaving(Meeting):
    """The server is hung up on by the exchange that breaks off, while it is hung up on since the client is gone."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._at_end, self._is_gone = asyncio.Event(), asyncio.Event()

    async def ending(self) -> None:
        self._at_end.set()
        await self._is_gone.wait()

    async def left(self) -> None:
        await self._at_end.wait()
        self._is_gone.set()  # wakes `ending`, before mitmproxy wakes the server's task in the same round


class EndMeetsGoodbye(Meeting):
    """The client is hung up on by the exchange that breaks off, while its own goodbye is read."""

    async def ending(self) -> None:
        READY.touch()
        reader = self.handler.transports[self.client].reader
        while not reader.at_eof():  # noqa: ASYNC110 -- an event would come too late: its round is the client's task's
            await asyncio.sleep(0)  # looks in every round before its news are read, and so goes ahead of that task


class ConnectingMeetsLeaving(Meeting):
    """The server is reached when the client is gone already, and another addon still has something to do about that."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._is_gone, self._is_connected = asyncio.Event(), asyncio.Event()

    async def connecting(self) -> None:
        READY.touch()
        await self._is_gone.wait()

    async def connected(self) -> None:
        self._is_connected.set()
        await asyncio.Event().wait()  # until mitmproxy gives up

    async def left(self) -> None:
        self._is_gone.set()
        await self._is_connected.wait()


MEETINGS = {kind.__name__: kind for kind in (EndMeetsLeaving, EndMeetsGoodbye, ConnectingMeetsLeaving)}


class Meetings:
    """Sends each hook to the meeting of its client."""

    name = "meetings"

    def __init__(self) -> None:
        self._of: dict[str, Meeting] = {}

    def client_connected(self, client: Client) -> None:
        if ORDER.exists():
            self._of[client.id] = MEETINGS[ORDER.read_text("utf-8")](client)
            ORDER.unlink()

    async def client_disconnected(self, client: Client) -> None:
        if client.id in self._of:
            await self._of[client.id].left()

    async def server_connect(self, data: ServerConnectionHookData) -> None:
        if data.client.id in self._of:
            await self._of[data.client.id].connecting()

    async def server_connected(self, data: ServerConnectionHookData) -> None:
        if data.client.id in self._of:
            await self._of[data.client.id].connected()

    async def holdfast_end(self, ending: Ending) -> None:
        client = ending.passing.flow.client_conn
        if ending.reason is not None and client.id in self._of:
            await self._of[client.id].ending()


class Loader:
    """Lets :class:`Meetings` be asked behind the gate, not with the scripts, which are asked before it."""

    def load(self, _loader: object) -> None:
        ctx.master.addons.add(Meetings())


addons = [Loader()]
