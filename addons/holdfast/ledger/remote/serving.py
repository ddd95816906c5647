"""The ledger's Unix socket: claimed, served, and given back. Who is on it: peers.py; what they ask: verbs.py."""

import asyncio
import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import Final

from holdfast.errors import SettingsError
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.peers import Connection, Peers, RoleOf
from holdfast.ledger.remote.verbs import Verbs

PUSH_S: Final = 1.0  # how often peers are told of a new checkpoint
_TURNS: Final = 5
PATH_BYTES_MAX: Final = 107  # sockaddr_un on Linux: 108 with the final zero; macOS has 104


class LedgerSocket:
    """Serves :class:`Verbs` on the socket at ``path``. ``role_of`` says what a user id may do; None is nothing."""

    def __init__(self, path: Path, verbs: Verbs, role_of: RoleOf) -> None:
        self.peers: Final = Peers(verbs, role_of)
        self._path: Final = path
        self._verbs: Final = verbs
        self._listener: socket.socket | None = None
        self._inode = 0
        self._server: asyncio.Server | None = None
        self._pushing: asyncio.Task[None] | None = None

    def claim(self, mode: int = 0o600) -> None:
        """Make the socket ours, with file ``mode``, without serving it yet.

        Raises:
            SettingsError: another process listens there, something else is in the way, or it cannot be made.
        """
        if len(os.fsencode(self._path)) > PATH_BYTES_MAX:
            raise SettingsError(f"the path {self._path} is longer than {PATH_BYTES_MAX} bytes; use a shorter one")
        _clear(self._path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
            # Before listen(): nobody can connect while the file still has the mode of the umask.
            self._path.chmod(mode)
            self._inode = self._path.lstat().st_ino
        except OSError as error:
            listener.close()
            raise SettingsError(f"{self._path} cannot be made: {error.strerror}") from None
        self._listener = listener

    async def start(self) -> None:
        """Serve the socket that was claimed."""
        assert self._listener is not None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Connection(self.peers), sock=self._listener)
        self._pushing = asyncio.create_task(self._push(), name="holdfast ledger heads")

    async def stop(self) -> None:
        """Take no more requests, answer those in flight, disconnect, and remove the socket if it is still ours."""
        if self._pushing is not None:
            self._pushing.cancel()
        self.peers.role_of = lambda _uid: None
        if self._server is not None and self._listener is not None:
            # Accepting takes a few turns of the loop, and asyncio forgets who it finds half accepted when it closes.
            asyncio.get_running_loop().remove_reader(self._listener)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            self._server.close()
        await asyncio.gather(*(connection.finish() for connection in list(self.peers.connections)))
        if self._server is not None:
            await self._server.wait_closed()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
            with contextlib.suppress(OSError):
                if self._path.lstat().st_ino == self._inode:
                    self._path.unlink()

    async def _push(self) -> None:
        told = self._verbs.told()
        while True:
            await asyncio.sleep(PUSH_S)
            now = self._verbs.told()
            if now != told:
                told = now
                frame = wire.encode({"id": 0, **told})
                for connection in self.peers.connections:
                    connection.tell(frame)


def _clear(path: Path) -> None:
    """Remove the socket of a process that is gone; never that of one that lives, and nothing that is no socket."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SettingsError(f"{path} is in the way: it is no socket; move it away")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as error:
            raise SettingsError(f"{path} is in the way: {error.strerror}; move it away") from None
    raise SettingsError(f"another process serves {path}; each ledger needs a socket of its own")
