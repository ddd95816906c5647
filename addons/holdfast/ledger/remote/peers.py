"""The peers on the ledger's socket: what each may ask, and what it can cost at most.

The peer's user id, as the system states it (SO_PEERCRED), decides what it may ask; a peer without a role is
disconnected without a byte. Bounded are connections, bytes of unfinished frames, requests in flight, and answers that a
peer does not read, since nothing more is read from a peer that is behind. The writer's thread waits for no socket.
"""

import asyncio
import dataclasses
import logging
import sqlite3
from collections.abc import Callable
from typing import Final, override

from holdfast.errors import HoldfastError, LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.credentials import peer_uid
from holdfast.ledger.remote.verbs import Role, Verbs
from holdfast.ledger.remote.wire import Frame

CONNECTIONS_MAX: Final = 16  # of one user: a gateway needs one, a command another
RECEIVED_BYTES_MAX: Final = 256 * 1024 * 1024  # of all connections, waiting to be understood or written
IN_FLIGHT_MAX: Final = 4096  # requests of one connection; half of what may wait for the writer
FRAME_S: Final = 30.0  # from the first byte of a frame to its last; on one machine it takes milliseconds
FINISH_S: Final = 10.0  # how long a stop waits for what is in flight

_LOG: Final = logging.getLogger(__name__)

type RoleOf = Callable[[int], Role | None]


@dataclasses.dataclass(slots=True, eq=False)
class Peers:
    """Everybody who is connected, and what they ask of. ``role_of`` says what a user id may do; None is nothing.

    ``frame_s`` is how long a frame may take from its first byte to its last.
    """

    verbs: Verbs
    role_of: RoleOf
    frame_s: float = FRAME_S
    received_bytes: int = 0
    connections: "set[Connection]" = dataclasses.field(default_factory=set)

    def is_full(self, uid: int) -> bool:
        """Whether this user has as many connections as one user may have."""
        return sum(one.uid == uid for one in self.connections) >= CONNECTIONS_MAX


class Connection(asyncio.Protocol):
    """One peer: cuts its bytes into requests, has them done side by side, and answers each when it is done."""

    def __init__(self, peers: Peers) -> None:
        self.uid = -1
        self._peers: Final = peers
        self._role = Role.GATEWAY
        self._transport: asyncio.Transport | None = None
        self._splitter: Final = wire.Splitter()
        self._kept_bytes = 0
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._out: list[bytes] = []
        self._can_write: Final = asyncio.Event()
        self._reads: Final = asyncio.Lock()  # a peer that asks for many Records gets them one answer after the other
        self._slow: asyncio.TimerHandle | None = None
        self._said_hello = self._is_finishing = False
        self._can_write.set()
        self._is_over: Final = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See who it is; whoever has no role is disconnected."""
        assert isinstance(transport, asyncio.Transport)
        uid = peer_uid(transport.get_extra_info("socket"))
        role = self._peers.role_of(uid)
        if role is None or self._peers.is_full(uid):
            _LOG.warning("user %d was refused at the ledger's socket", uid)
            transport.abort()
            return
        self.uid, self._role, self._transport = uid, role, transport
        self._peers.connections.add(self)

    @override
    def data_received(self, data: bytes) -> None:
        """Begin what the bytes ask for."""
        if self._transport is None:
            return
        try:
            frames = self._splitter.feed(data)
            for frame in frames:
                self._begin(frame)
        except LedgerError as error:
            _LOG.warning("a connection of user %d was ended: %s", self.uid, error)
            self._transport.abort()
            return
        self._account()
        self._watch_slowness(is_waiting=bool(self._splitter.waiting_bytes), has_moved=bool(frames))
        self._pace()

    def _begin(self, frame: Frame) -> None:
        number = frame.header.get("id")
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise LedgerError("a request has no id")
        self._peers.received_bytes += len(frame.payload)
        task = asyncio.get_running_loop().create_task(self._do(number, frame))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _do(self, number: int, frame: Frame) -> None:
        try:
            answer, payload = await self._answer(frame)
        except (HoldfastError, OSError, sqlite3.Error) as error:
            # Our own words; those of the system or of SQLite could quote what was being written.
            text = str(error) if isinstance(error, HoldfastError) else f"the writer failed: {type(error).__name__}"
            self._send(wire.encode({"id": number, "error": text}))
        else:
            self._send(wire.encode({"id": number, "ok": answer}, payload))
        finally:
            self._peers.received_bytes -= len(frame.payload)

    async def _answer(self, frame: Frame) -> tuple[JsonObject, bytes]:
        verb = frame.header.get("verb")
        if verb == "records":
            async with self._reads:
                await self._can_write.wait()
                if self._transport is None:
                    raise LedgerError("the peer has left")  # nobody would read it
                return await self._peers.verbs.answer(frame, self._role, self.uid)
        answer = await self._peers.verbs.answer(frame, self._role, self.uid)
        self._said_hello = self._said_hello or verb == "hello"
        return answer

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("the ledger's socket failed: %s", type(error).__name__)
            if self._transport is not None:
                self._transport.abort()
        self._pace()

    def _send(self, data: bytes) -> None:
        # One write for all that a group commit answers.
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(data)

    def _flush(self) -> None:
        data, self._out = b"".join(self._out), []
        if self._transport is not None and data and not self._transport.is_closing():
            self._transport.write(data)

    def tell(self, frame: bytes) -> None:
        """Tell the peer something unasked, unless it is behind or has not said hello."""
        if self._said_hello and self._can_write.is_set():
            self._send(frame)

    def _account(self) -> None:
        kept = self._splitter.waiting_bytes
        self._peers.received_bytes += kept - self._kept_bytes
        self._kept_bytes = kept
        if self._peers.received_bytes > RECEIVED_BYTES_MAX and self._transport is not None:
            _LOG.warning("a connection of user %d was ended: too much waits at the ledger's socket", self.uid)
            self._transport.abort()

    def _watch_slowness(self, *, is_waiting: bool, has_moved: bool) -> None:
        if self._slow is not None and (has_moved or not is_waiting):
            self._slow.cancel()
            self._slow = None
        if is_waiting and self._slow is None and self._transport is not None:
            self._slow = asyncio.get_running_loop().call_later(self._peers.frame_s, self._transport.abort)

    def _pace(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if len(self._tasks) >= IN_FLIGHT_MAX or not self._can_write.is_set() or self._is_finishing:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    @override
    def pause_writing(self) -> None:
        """The peer does not read its answers: it may ask nothing more until it does."""
        self._can_write.clear()
        self._pace()

    @override
    def resume_writing(self) -> None:
        """It has read them."""
        self._can_write.set()
        self._pace()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the peer. What it asked for and what has begun is done all the same."""
        if self._transport is None:
            return
        if self._slow is not None:
            self._slow.cancel()
        self._peers.connections.discard(self)
        self._peers.received_bytes -= self._kept_bytes
        self._kept_bytes = 0
        self._can_write.set()
        self._transport = None
        self._is_over.set()

    async def finish(self) -> None:
        """Read no more, answer what is in flight, disconnect."""
        self._is_finishing = True
        self._pace()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_S)
        self._flush()
        if self._transport is None:
            return
        transport = self._transport
        transport.close()
        try:
            await asyncio.wait_for(self._is_over.wait(), FINISH_S)
        except TimeoutError:
            transport.abort()  # it does not even read its last answers
