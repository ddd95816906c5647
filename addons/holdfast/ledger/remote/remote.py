"""A ledger that another process has open, behind its Unix socket. The same methods and errors as ``Ledger``.

The moment the connection is gone it is not healthy, and every append fails until the writer is back. What was in flight
fails too, although it may have become durable: the writer answers after the commit, and the answer is what got lost.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, Self, cast

from holdfast.errors import LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import note
from holdfast.ledger.draft import Draft, Receipt
from holdfast.ledger.opening import Head, Previous
from holdfast.ledger.remote import received, wire
from holdfast.ledger.remote.link import ANSWER_S, LONG_ANSWER_S, Link, Read
from holdfast.ledger.remote.wire import Frame

AWAY: Final = "the ledger's writer cannot be reached; everything is refused until it is back"
BACK_OFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)  # the last one again and again: a writer verifies before it serves
_LOG: Final = logging.getLogger(__name__)


class RemoteLedger:
    """The ledger behind the socket at ``path``. Use it from any thread and any event loop; close it once."""

    def __init__(self, path: Path, *, is_lasting: bool) -> None:
        self._path: Final = path
        self._is_lasting: Final = is_lasting
        self._lock: Final = threading.Lock()
        self._closing: Final = threading.Event()
        self._link: Link | None = None
        self._is_open = False
        self._taking_up: int | None = None
        self._take_up: Callable[[], None] = lambda: None
        self._fault = AWAY
        self._thread: threading.Thread | None = None

    @classmethod
    def connect(cls, path: Path, *, wait_s: float = 0.0) -> Self:
        """A ledger that comes back by itself when the writer does, for a gateway.

        Args:
            path: of the socket.
            wait_s: how long to wait for a writer that is still starting.

        Raises:
            LedgerError: nobody serves it, or it does not want us.
        """
        return cls._connect(path, wait_s, is_lasting=True)

    @classmethod
    def connect_once(cls, path: Path) -> Self:
        """A ledger that is over when the connection is, for a command.

        Raises:
            LedgerError: nobody serves it, or it does not want us.
        """
        return cls._connect(path, 0.0, is_lasting=False)

    @classmethod
    def _connect(cls, path: Path, wait_s: float, *, is_lasting: bool) -> Self:
        ledger = cls(path, is_lasting=is_lasting)
        until_s = time.monotonic() + wait_s
        while True:
            try:
                ledger._begin(Link.open(path, ledger._told))
            except LedgerError:
                if time.monotonic() >= until_s:
                    raise
                time.sleep(BACK_OFF_S[0])
            else:
                return ledger

    def _begin(self, link: Link) -> None:
        try:
            self.previous: Previous = wire.previous_in(link.hello.get("previous"))
            self._head, self._verifier = received.head_in(link.hello), received.vkey_in(link.hello)
        except LedgerError:
            link.drop()
            raise
        self._link, self._is_open = link, True
        self._thread = threading.Thread(target=self._run, args=(link,), name="holdfast-ledger-link", daemon=True)
        self._thread.start()

    def on_return(self, take_up: Callable[[], None]) -> None:
        """Have ``take_up`` called, on a thread of its own, when the writer is back; it alone may append until it ends.

        Where it raises LedgerError, the connection is given up and tried again.
        """
        self._take_up = take_up

    # -- what a ledger does -----------------------------------------------------------------------------------------

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """See :meth:`holdfast.ledger.ledger.Ledger.append`."""
        listed, payload = wire.drafts_out(drafts)
        return cast(
            "tuple[Receipt, ...]", await self._wait({"verb": "append", "drafts": listed}, payload, received.receipts)
        )

    def append_blocking(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """See :meth:`holdfast.ledger.ledger.Ledger.append_blocking`."""
        listed, payload = wire.drafts_out(drafts)
        return cast(
            "tuple[Receipt, ...]", self._block({"verb": "append", "drafts": listed}, payload, received.receipts)
        )

    async def put_object(self, media: str, data: bytes) -> str:
        """See :meth:`holdfast.ledger.ledger.Ledger.put_object`."""
        return cast("str", await self._wait({"verb": "put", "media": media}, data, received.sha256))

    def put_object_blocking(self, media: str, data: bytes) -> str:
        """See :meth:`holdfast.ledger.ledger.Ledger.put_object_blocking`."""
        return cast("str", self._block({"verb": "put", "media": media}, data, received.sha256))

    async def publish(self) -> Head:
        """See :meth:`holdfast.ledger.ledger.Ledger.publish`."""
        return self._keep(cast("Head", await self._wait({"verb": "publish"}, b"", received.head)))

    def publish_blocking(self) -> Head:
        """See :meth:`holdfast.ledger.ledger.Ledger.publish_blocking`."""
        return self._keep(cast("Head", self._block({"verb": "publish"}, b"", received.head)))

    def erase_blocking(
        self,
        commitments: Sequence[str],
        *,
        basis: Literal["request", "retention"],
        reason: str,
        operator: JsonObject | None,  # noqa: ARG002 -- the server asks the system who we are
        before: str | None = None,
        retention: str | None = None,
    ) -> tuple[Receipt, ...]:
        """See :meth:`holdfast.ledger.ledger.Ledger.erase_blocking`."""
        listed: list[Json] = list(commitments)
        header: JsonObject = {"verb": "erase", "commitments": listed, "basis": basis, "reason": reason}
        header |= {"before": before, "retention": retention}
        return cast("tuple[Receipt, ...]", self._block(header, b"", received.receipts, LONG_ANSWER_S))

    def rotate_blocking(
        self,
        *,
        overlap_s: int,
        reason: str,
        operator: JsonObject | None,  # noqa: ARG002 -- the server asks the system who we are
    ) -> note.VerifierKey:
        """See :meth:`holdfast.ledger.ledger.Ledger.rotate_blocking`."""
        header: JsonObject = {"verb": "rotate", "overlap_s": overlap_s, "reason": reason}
        return cast("note.VerifierKey", self._block(header, b"", received.vkey, LONG_ANSWER_S))

    def sign_statement(self, payload_type: str, pae: bytes) -> bytes:
        """See :meth:`holdfast.ledger.ledger.Ledger.sign_statement`. Blocks for a round trip: people decide rarely."""
        frame = cast("Frame", self._block({"verb": "sign", "type": payload_type}, pae, lambda frame: frame))
        self._verifier = received.vkey_in(frame.header)
        return frame.payload

    def records(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of the Records from ``start`` to before ``end``, as far as they exist. Blocks.

        Raises:
            LedgerError: they cannot be read.
        """
        while start < end:
            found = cast(
                "list[bytes]",
                self._block({"verb": "records", "start": start, "end": end}, b"", received.entries, ANSWER_S),
            )
            if not found:
                return
            yield from enumerate(found, start)
            start += len(found)

    def head(self) -> Head:
        """The last signed checkpoint that the writer told of: a second or two behind the last Record."""
        return self._head

    def verifier(self) -> note.VerifierKey:
        """The key that signs now, as far as the writer told."""
        return self._verifier

    def healthy(self) -> bool:
        """Whether the next append can succeed. False the moment the connection is gone, true when it is back."""
        return self._is_open

    def close(self) -> None:
        """Let go of the ledger. What waits for an answer fails. Closing twice does nothing."""
        self._closing.set()
        with self._lock:
            self._is_open, self._fault = False, "the ledger is closed"
            link = self._link
        if link is not None:
            link.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    # -- the connection ---------------------------------------------------------------------------------------------

    async def _wait(self, header: JsonObject, payload: bytes, read: Read) -> object:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[object] = loop.create_future()
        self._connected().ask(header, payload, read, waiter, loop)
        return await waiter

    def _block(self, header: JsonObject, payload: bytes, read: Read, answer_s: float = ANSWER_S) -> object:
        waiter: concurrent.futures.Future[object] = concurrent.futures.Future()
        self._connected().ask(header, payload, read, waiter, None, answer_s)
        return waiter.result()

    def _connected(self) -> Link:
        with self._lock:
            may_ask = self._is_open or self._taking_up == threading.get_ident()
            if self._link is None or not may_ask:
                raise LedgerError(self._fault)
            return self._link

    def _told(self, header: JsonObject) -> None:
        self._keep(received.head_in(header))
        self._verifier = received.vkey_in(header)

    def _keep(self, head: Head) -> Head:
        if head.size >= self._head.size:
            self._head = head
        return head

    def _run(self, link: Link) -> None:
        while True:
            # Also where it ends while it is being taken up.
            link.receive(self._lose)
            if self._closing.is_set() or not self._is_lasting:
                return
            _LOG.error("%s", AWAY)
            found = self._reconnect()
            if found is None:
                return
            link = found
            threading.Thread(target=self._take, args=(link,), name="holdfast-ledger-return", daemon=True).start()

    def _lose(self) -> None:
        with self._lock:
            self._is_open, self._taking_up, self._link = False, None, None

    def _reconnect(self) -> Link | None:
        tries = 0
        while not self._closing.wait(BACK_OFF_S[min(tries, len(BACK_OFF_S) - 1)]):
            tries += 1
            try:
                link = Link.open(self._path, self._told)
            except LedgerError:
                continue
            if self._is_known(link.hello):
                return link
            link.drop()
            self._fault = "the ledger's writer came back with another ledger, or with one that lost Records"
            _LOG.error("%s", self._fault)
            return None
        return None

    def _is_known(self, hello: JsonObject) -> bool:
        """Whether the ledger is the one of before, with all the Records that we were told of."""
        try:
            head, verifier = received.head_in(hello), received.vkey_in(hello)
        except LedgerError:
            return False
        if verifier.name != self._verifier.name or head.size < self._head.size:
            return False
        self._head, self._verifier = head, verifier
        return True

    def _take(self, link: Link) -> None:
        with self._lock:
            if self._closing.is_set():
                link.close()
                return
            self._link, self._taking_up = link, threading.get_ident()
        try:
            self._take_up()
        except LedgerError as error:
            _LOG.error("the ledger's writer is back, but: %s", error)
            link.close()
            return
        with self._lock:
            if self._link is link and not self._closing.is_set():
                self._taking_up, self._is_open = None, True
        _LOG.info("the ledger's writer is back")
