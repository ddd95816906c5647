"""The process that loads the engine once and forks workers, each of which is ready at once.

``python -m holdfast.masking.work.nursery FD``: started anew and not forked from the gateway, which has threads, sockets
and keys. Rules and key come over the socket ``FD`` (:class:`Setup`), never by argument, environment or disk. It runs no
input itself, so it answers always; when the gateway is gone its socket ends, and it ends with all of its workers.

    gateway → nursery   a frame: the Setup, pickled (the gateway is trusted; the other way only JSON is spoken)
    nursery → gateway   a frame: null when the engine is warm, or the reason why it cannot be
    gateway → nursery   one byte with a socket: fork a worker that listens there
"""

import contextlib
import ctypes
import dataclasses
import os
import pickle
import resource
import signal
import socket
import sys
from typing import Final

from holdfast.errors import HoldfastError
from holdfast.masking.automata import Automata
from holdfast.masking.core import Core
from holdfast.masking.entries import MaskingRules
from holdfast.masking.work import child, frames, wire
from holdfast.memory import settle_memory

FORK: Final = b"f"
NICENESS: Final = 5  # of workers: the event loop stays ahead on a machine that is busy
_PR_SET_PDEATHSIG: Final = 1  # Linux, prctl(2)
_PR_SET_DUMPABLE: Final = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Setup:
    """What a nursery is given: the rules, the key of pseudonyms, and where compiled automata are kept."""

    rules: MaskingRules
    key: bytes
    automata: Automata | None = None


def main() -> None:
    """Load, say so, then fork workers until the gateway is gone."""
    with socket.socket(fileno=int(sys.argv[1])) as gateway:
        protect()
        try:
            setup = pickle.loads(frames.receive(gateway))  # noqa: S301 -- the gateway, which started this process
            core = Core(setup.rules, setup.key, setup.automata)
        except HoldfastError as error:
            frames.send(gateway, wire.dump(str(error)))
            return
        settle_memory()  # what is loaded stays where it is: workers share its pages
        frames.send(gateway, wire.dump(None))
        serve(gateway, core)


def serve(gateway: socket.socket, core: Core) -> None:
    """Fork a worker for every socket that comes, until ``gateway`` ends; then end the workers too."""
    alive: set[int] = set()
    while True:
        data, handed, _, _ = socket.recv_fds(gateway, 1, 1)
        alive -= set(_ended(alive))
        if not data or not handed:
            break
        with socket.socket(fileno=handed[0]) as listening:
            pid = os.fork()
            if pid == 0:
                _be_worker(gateway, listening, core)
            alive.add(pid)
    for pid in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _be_worker(gateway: socket.socket, listening: socket.socket, core: Core) -> None:
    # Nothing of the nursery's own way may run on in its copy, whatever happens.
    try:
        gateway.close()
        die_with_parent()
        os.nice(NICENESS)
        child.serve(listening, core)
    finally:
        os._exit(0)


def protect() -> None:
    """No core dump holds what is masked here."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # The limit above does not bind a core_pattern that is a program; this does. It also keeps debuggers away.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent() -> None:
    """Where a nursery is killed, its workers end with it."""
    if sys.platform == "linux":
        nursery = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != nursery:  # it was killed in between
            os._exit(0)


def _ended(alive: set[int]) -> list[int]:
    return [pid for pid in alive if os.waitpid(pid, os.WNOHANG)[0] == pid]


if __name__ == "__main__":
    main()
