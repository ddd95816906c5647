"""A ledger served on a socket by a thread of the test, and peers that speak to it byte by byte."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Self

from tests.ledger.ledgers import open_ledger

from holdfast.ledger.draft import Draft
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.peers import RoleOf
from holdfast.ledger.remote.serving import LedgerSocket
from holdfast.ledger.remote.verbs import Role, Verbs
from holdfast.ledger.remote.wire import Frame

WAIT_S = 60


class Served:
    """The ledger in ``data``, open and served. Stop it and begin again as often as a test likes."""

    def __init__(self, data: Path, path: Path, role_of: RoleOf = lambda _uid: Role.KEEPER) -> None:
        self.data, self.path, self.role_of = data, path, role_of
        self.ledger: Ledger
        self.socket: LedgerSocket
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread

    def __enter__(self) -> Self:
        self.ledger = open_ledger(self.data)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.socket = LedgerSocket(self.path, Verbs(self.ledger, self.data), self.role_of)
        self.socket.claim()
        self.run(self.socket.start())
        return self

    def __exit__(self, *_exc: object) -> None:
        self.run(self.socket.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()
        self.ledger.close()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    def ask_loop[T](self, look: Callable[[], T]) -> T:
        """What ``look`` says on the server's loop."""

        async def looking() -> T:
            return look()

        return self.run(looking())

    @contextlib.contextmanager
    def peer(self) -> "Iterator[Peer]":
        with socket.socket(socket.AF_UNIX) as connected:
            connected.settimeout(WAIT_S)
            connected.connect(str(self.path))
            yield Peer(connected)


def appending(*drafts: Draft) -> tuple[dict[str, Any], bytes]:
    listed, payload = wire.drafts_out(drafts)
    return {"verb": "append", "drafts": listed}, payload


class Peer:
    """A client without manners."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self._splitter = wire.Splitter()
        self._frames: list[Frame] = []

    def say(self, header: dict[str, Any], payload: bytes = b"") -> None:
        self.socket.sendall(wire.encode(header, payload))

    def hear(self) -> Frame:
        """The next answer; what the server says unasked is passed over."""
        while True:
            while not self._frames:
                data = self.socket.recv(1 << 16)
                if not data:
                    raise EOFError
                self._frames = self._splitter.feed(data)
            frame = self._frames.pop(0)
            if frame.header["id"] != 0:
                return frame

    def ask(self, header: dict[str, Any], payload: bytes = b"") -> dict[str, Any]:
        self.say({"id": 7, **header}, payload)
        return dict(self.hear().header)

    def is_cut_off(self) -> bool:
        """Whether the server ended the connection without another word."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
