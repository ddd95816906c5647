"""The processes as the gateway sees them: a nursery that it starts, and workers that the nursery forks."""

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from typing import Final, Self

from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.work import frames, program, wire
from holdfast.masking.work.nursery import FORK, Setup

LOAD_S_MAX: Final = 120  # it takes two seconds; more with a large model on a busy machine
FORK_S_MAX: Final = 10  # it takes some milliseconds
GOODBYE_S: Final = 5  # a nursery whose socket has ended ends at once


class Nursery:
    """A process that has the engine loaded."""

    def __init__(self, process: subprocess.Popen[bytes], ours: socket.socket) -> None:
        self._process = process
        self._socket = ours

    @classmethod
    def spawn(cls) -> Self:
        """A process that begins to import what it needs."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            return cls(_spawn(theirs), ours)

    async def load(self, setup: Setup) -> None:
        """Have it ready to fork workers for ``setup``. Where that fails, it is to be ended.

        Raises:
            MaskingError: the engine cannot be loaded there.
        """
        try:
            async with asyncio.timeout(LOAD_S_MAX):
                await frames.send_async(self._socket, pickle.dumps(setup))
                said = wire.load(await frames.receive_async(self._socket))
        except (TimeoutError, OSError, EOFError):
            raise MaskingError("the masking workers' nursery does not start") from None
        if said is not None:
            raise MaskingError(str(said))

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def fork(self) -> "Worker":
        """A new worker.

        Raises:
            MaskingError: there is none.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                socket.send_fds(self._socket, [FORK], [theirs.fileno()])
            async with asyncio.timeout(FORK_S_MAX):
                pid = wire.load(await frames.receive_async(ours))
            return Worker(ours, _pid_of(pid))
        except BaseException as error:
            ours.close()
            if isinstance(error, TimeoutError | OSError | EOFError):
                raise MaskingError("no masking worker can be started") from None
            raise

    def drop(self) -> None:
        """End it now, before it was loaded."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    async def end(self) -> None:
        """End it, and with it its workers."""
        self._socket.close()
        try:
            await asyncio.to_thread(self._process.wait, GOODBYE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)


class Worker:
    """A process that masks one message at a time."""

    def __init__(self, ours: socket.socket, pid: int) -> None:
        self._socket = ours
        self.pid = pid
        self.tasks_count = 0
        # The number of a process may be another's once it has ended; what this opens stays the same process.
        self._fd = os.pidfd_open(pid) if sys.platform == "linux" else None

    @property
    def is_alive(self) -> bool:
        """Whether it still listens; it says nothing that it was not asked for."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def ask(self, data: bytes) -> Json:
        """The answer to the task ``data``.

        Raises:
            EOFError, OSError: the process has ended.
            MaskingError: it says what is no answer.
        """
        self.tasks_count += 1
        await frames.send_async(self._socket, data)
        return await wire.load_answer(await frames.receive_async(self._socket))

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            if self._fd is not None:
                signal.pidfd_send_signal(self._fd, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        self.close()

    def close(self) -> None:
        """Let it end when it has nothing more to do."""
        self._socket.close()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _spawn(theirs: socket.socket) -> subprocess.Popen[bytes]:
    fd = theirs.fileno()
    return subprocess.Popen(  # noqa: S603 -- this Python and this source
        program.command("holdfast.masking.work.nursery", str(fd)),
        env=program.environment(),
        pass_fds=(fd,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # whatever a library has to say may quote what it was given
        start_new_session=True,  # Ctrl-C is for the gateway, which still has messages to finish
    )


def _pid_of(value: Json) -> int:
    if not isinstance(value, int) or value <= 1:
        raise MaskingError("what a masking worker said cannot be read")
    return value
