"""One connection to the process that has the ledger open: requests go out, answers come back by their id.

Sending never blocks the caller: what the socket does not take at once waits in a bounded backlog. One thread receives
and answers whoever waits, in one wake-up for each event loop.
"""

import asyncio
import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger.remote import received, wire
from holdfast.ledger.remote.credentials import peer_uid
from holdfast.ledger.remote.wire import Frame

ANSWER_S: Final = 30.0  # a commit takes milliseconds; a disk that hangs longer is a fault
LONG_ANSWER_S: Final = 900.0  # erasing 100,000 payloads, rotating a key
BACKLOG_BYTES_MAX: Final = 128 * 1024 * 1024  # as much as waits for the writer within one process
GONE: Final = "the ledger's writer went away before it answered; whether this was recorded shows when it is back"
BEHIND: Final = "the ledger is behind: too much waits to be written"
_RECEIVE_BYTES: Final = 256 * 1024
_LOOK_S: Final = 1.0  # how often the oldest request is asked for its age


class NobodyServesError(LedgerError):
    """Nothing listens at the socket, or there is none."""


type Read = Callable[[Frame], object]
type Waiter = asyncio.Future[object] | concurrent.futures.Future[object]


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """A request without an answer. ``read`` makes the answer of a frame; ``until_s`` is of the monotonic clock."""

    waiter: Waiter
    loop: asyncio.AbstractEventLoop | None
    read: Read
    until_s: float


class Link:
    """A connection that has said hello. It ends once; then everything that waits fails."""

    def __init__(self, connected: socket.socket, hello: JsonObject, told: Callable[[JsonObject], None]) -> None:
        self.hello: Final = hello
        self._socket: Final = connected
        self._told: Final = told
        self._splitter: Final = wire.Splitter()
        self._lock: Final = threading.Condition()
        self._pending: Final[dict[int, Pending]] = {}
        self._backlog: Final[collections.deque[bytes]] = collections.deque()
        self._backlog_bytes = 0
        self._last_id = 1  # hello was the first
        self._is_over = False
        self._sender: threading.Thread | None = None

    @classmethod
    def open(cls, path: Path, told: Callable[[JsonObject], None]) -> Self:
        """Connect to the socket at ``path`` and say hello. ``told`` gets what the server says unasked.

        Raises:
            NobodyServesError: nobody answers there.
            LedgerError: it is not who it should be, or it does not want us.
        """
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.settimeout(ANSWER_S)
            connected.connect(str(path))
            _check_server(path, peer_uid(connected))
            hello = received.answer(_hello(connected)).header
            connected.settimeout(None)
        except OSError as error:
            connected.close()
            reason = error.strerror or "it does not answer"
            raise NobodyServesError(f"no process serves the ledger at {path}: {reason}") from None
        except BaseException:
            connected.close()
            raise
        return cls(connected, hello, told)

    def ask(
        self,
        header: JsonObject,
        payload: bytes,
        read: Read,
        waiter: Waiter,
        loop: asyncio.AbstractEventLoop | None,
        answer_s: float = ANSWER_S,
    ) -> None:
        """Send a request; ``waiter``, which belongs to ``loop`` or to none, gets what ``read`` makes of the answer.

        Raises:
            LedgerError: it cannot be sent; then it was not.
        """
        with self._lock:
            self._last_id += 1
            number = self._last_id
            data = wire.encode({"id": number, **header}, payload)
            if self._is_over:
                raise LedgerError(GONE)
            if self._backlog_bytes + len(data) > BACKLOG_BYTES_MAX:
                raise LedgerError(BEHIND)
            self._pending[number] = Pending(waiter, loop, read, time.monotonic() + answer_s)
            self._send(data)

    def _send(self, data: bytes) -> None:
        sent = 0
        if not self._backlog:
            # What went wrong with the connection, receiving finds out too, and fails whoever waits.
            with contextlib.suppress(OSError):
                sent = self._socket.send(data, socket.MSG_DONTWAIT)
        if sent == len(data):
            return
        self._backlog.append(data[sent:])
        self._backlog_bytes += len(data) - sent
        if self._sender is None:
            self._sender = threading.Thread(target=self._send_backlog, name="holdfast-ledger-send", daemon=True)
            self._sender.start()
        self._lock.notify()

    def _send_backlog(self) -> None:
        while True:
            with self._lock:
                while not self._backlog and not self._is_over:
                    self._lock.wait()
                if self._is_over:
                    return
                data = self._backlog[0]
            try:
                self._socket.sendall(data)
            except OSError:
                self.close()
                return
            with self._lock:
                if self._backlog:  # the end of the connection may have emptied it meanwhile
                    self._backlog.popleft()
                    self._backlog_bytes -= len(data)

    def receive(self, ended: Callable[[], None]) -> None:
        """Answer whoever waits, until the connection ends; then call ``ended``, and fail the rest.

        Runs on a thread of its own.
        """
        try:
            self._receive()
        except (OSError, LedgerError):
            pass  # the end of the connection, or of our trust in it
        finally:
            ended()
            self._end()

    def _receive(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        look_s = time.monotonic() + _LOOK_S
        while not self._is_over:
            if poll.poll(_LOOK_S * 1000):
                data = self._socket.recv(_RECEIVE_BYTES)
                if not data:
                    return
                self._answer(self._splitter.feed(data))
            if time.monotonic() > look_s:
                look_s = time.monotonic() + _LOOK_S
                self._check_lateness()

    def _answer(self, frames: list[Frame]) -> None:
        answers: list[tuple[Pending, object]] = []
        for frame in frames:
            number = frame.header.get("id")
            if number == 0:
                self._told(frame.header)
                continue
            with self._lock:
                pending = self._pending.pop(number, None) if isinstance(number, int) else None
            if pending is None:
                raise LedgerError("the writer answered what nobody asked")
            try:
                answers.append((pending, pending.read(received.answer(frame))))
            except LedgerError as error:
                answers.append((pending, error))
            except Exception as error:  # noqa: BLE001 -- whatever is wrong with it, whoever waits must hear of it
                answers.append((pending, LedgerError(f"the writer's answer cannot be read ({type(error).__name__})")))
        _settle_all(answers)

    def _check_lateness(self) -> None:
        now_s = time.monotonic()
        with self._lock:
            if any(pending.until_s < now_s for pending in self._pending.values()):
                raise LedgerError("the ledger's writer does not answer")

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            waiting = list(self._pending.values())
            self._pending.clear()
            self._backlog.clear()
            self._lock.notify_all()
        self._socket.close()
        _settle_all([(pending, LedgerError(GONE)) for pending in waiting])

    def close(self) -> None:
        """End the connection; whoever waits is told so by the thread that receives."""
        self._is_over = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._lock.notify_all()

    def drop(self) -> None:
        """End a connection on which nobody receives."""
        self.close()
        self._socket.close()


def _hello(connected: socket.socket) -> Frame:
    splitter = wire.Splitter()
    frames: list[Frame] = []
    # Somebody listens: whoever hangs up now does so because of who we are.
    with contextlib.suppress(ConnectionError):
        connected.sendall(wire.encode({"id": 1, "verb": "hello", "version": wire.VERSION}))
        while not frames and (data := connected.recv(_RECEIVE_BYTES)):
            frames = splitter.feed(data)
    if not frames:
        raise LedgerError("the ledger's socket refuses this user, or is stopping")
    return frames[0]


def _check_server(path: Path, uid: int) -> None:
    """Refuse a server that somebody else put in the place of the real one: it would acknowledge and keep nothing."""
    folder = path.resolve().parent.stat()
    others_may_write = folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not folder.st_mode & stat.S_ISVTX
    if others_may_write:
        raise LedgerError(f"the folder of {path} can be written by others: anybody could put a socket there")
    if uid not in (0, os.geteuid(), folder.st_uid):
        raise LedgerError(f"{path} is served by user {uid}, who neither owns its folder nor is root")


def _settle_all(answers: list[tuple[Pending, object]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[Waiter, object]]] = {}
    for pending, answer in answers:
        by_loop.setdefault(pending.loop, []).append((pending.waiter, answer))
    for loop, settled in by_loop.items():
        if loop is None:
            _settle(settled)
            continue
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, settled)  # one wake-up for the whole group


def _settle(settled: list[tuple[Waiter, object]]) -> None:
    for waiter, answer in settled:
        if waiter.done():  # whoever waited was cancelled; the Record stands
            continue
        if isinstance(answer, LedgerError):
            waiter.set_exception(answer)
        else:
            waiter.set_result(answer)
