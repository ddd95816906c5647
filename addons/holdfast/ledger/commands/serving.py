"""The subcommand `serve`: the ledger's writer as a process of its own, on a Unix socket. docs/writer.md."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path
from typing import Final

from holdfast.build import VERSION, code_digest_hex
from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError, SettingsError
from holdfast.jsontext import JsonObject
from holdfast.ledger.commands.shared import EXIT_OK, EXIT_UNVERIFIABLE, Commands, say
from holdfast.ledger.draft import Draft
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.access import SOCKET_FILE
from holdfast.ledger.remote.serving import LedgerSocket
from holdfast.ledger.remote.verbs import Role, Verbs
from holdfast.ledger.running import backwards, writer_stopped
from holdfast.policy.ruleset import load_witnesses
from holdfast.witness.watch import Watch

_LOOK_S: Final = 0.2  # how soon a writer that failed ends, so that it can be started again
_MODE_OWN: Final = 0o600
_MODE_ALL: Final = 0o666  # the peer's user id decides, and the folder's mode may keep the rest out before that


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("serve", help="write the ledger in a process of its own, for gateways on this machine")
    parser.add_argument(
        "--socket", type=Path, help=f"path of the Unix socket (default: {SOCKET_FILE} in the data folder)"
    )
    parser.add_argument(
        "--allow-uid",
        type=_uid,
        action="append",
        default=[],
        help="a user who may append: the one the gateway runs as; repeatable",
    )
    parser.add_argument("--rules", type=Path, help="folder with witnesses.yaml: who outside vouches for the ledger")
    parser.add_argument("--origin", help="name of a new ledger, such as gw.example.com/ledger/n1")
    parser.set_defaults(run=_run)


def _uid(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError("expected the number of a user")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    os.umask(0o077)
    try:
        return asyncio.run(_serve(arguments))
    except HoldfastError as error:
        say(f"ledger: {error}")
        return EXIT_UNVERIFIABLE


async def _serve(arguments: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # a request is with the writer's thread before the next is read
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    ledger = await asyncio.to_thread(_open, arguments.data, arguments.origin)
    sockets = [
        LedgerSocket(path, Verbs(ledger, arguments.data), Roles(frozenset((0, os.geteuid())), uids))
        for path, uids in _places(arguments)
    ]
    served: list[LedgerSocket] = []
    watch: Watch | None = None
    try:
        for one, (_, uids) in zip(sockets, _places(arguments), strict=True):
            one.claim(_MODE_ALL if uids else _MODE_OWN)
            served.append(one)
        await ledger.append(await asyncio.to_thread(_start, arguments.data, ledger))
        # From here on the ledger says that this writer runs: witnesses are asked, and gateways may come.
        watch = await asyncio.to_thread(_watch, arguments, ledger)
        for one in served:
            await one.start()
        say(
            f"the ledger {ledger.verifier().name} is served at {', '.join(str(path) for path, _ in _places(arguments))}"
        )
        while ledger.healthy() and not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK_S)
    finally:
        for one in served:
            await one.stop()
        await asyncio.to_thread(_end, ledger, watch)
    return EXIT_OK if stopping.is_set() else EXIT_UNVERIFIABLE


def _places(arguments: argparse.Namespace) -> list[tuple[Path, frozenset[int]]]:
    """The sockets and who besides the owner may append there; commands find the one in the data folder."""
    own = arguments.data / SOCKET_FILE
    allowed = frozenset(arguments.allow_uid)
    if arguments.socket is None or arguments.socket.absolute() == own.absolute():
        return [(own, allowed)]
    return [(arguments.socket, allowed), (own, frozenset())]


class Roles:
    """What a user id may do at the socket of a writer that runs apart."""

    def __init__(self, keepers: frozenset[int], allowed: frozenset[int]) -> None:
        self._keepers: Final = keepers
        self._allowed: Final = allowed

    def __call__(self, uid: int) -> Role | None:
        """The role of ``uid``; None has none."""
        if uid in self._keepers:
            return Role.KEEPER
        return Role.GATEWAY if uid in self._allowed else None


def _open(data: Path, origin: str | None) -> Ledger:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"the data folder {data} cannot be made: {error.strerror}") from None
    return Ledger.open(data, open_keys(data, origin=origin), SystemClock(), build=_gw())


def _gw() -> JsonObject:
    return {"version": VERSION, "build": code_digest_hex()}


def _start(data: Path, ledger: Ledger) -> Draft:
    previous = ledger.previous
    with open_reader(data) as reader:
        clean = writer_stopped(backwards(reader.record, previous.size))
    found: JsonObject = {"size": previous.size, "root": previous.root_hex}
    return Draft("ledger.start", {"gw": _gw(), "prev": found, "clean": clean, "process": "writer"})


def _watch(arguments: argparse.Namespace, ledger: Ledger) -> Watch | None:
    """Whoever sees to the witnesses; the file is read anew every round, so a change counts without a restart."""
    if arguments.rules is None:
        return None
    watch = Watch(ledger, arguments.data, lambda: load_witnesses(arguments.rules), SystemClock())
    watch.start()
    ledger.refuse_calls = watch.refusal
    return watch


def _end(ledger: Ledger, watch: Watch | None) -> None:
    """Record the stop and close with a last checkpoint, for which witnesses vouch; after a fault, only close."""
    if watch is not None:
        watch.halt()
    try:
        if ledger.healthy():
            ledger.append_blocking(Draft("ledger.stop", {"gw": _gw(), "process": "writer"}))
    finally:
        ledger.close()
        if watch is not None:
            watch.stop()
