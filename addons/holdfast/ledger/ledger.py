"""The ledger as the gateway uses it: open, append, close. Record, then act: append returns once it is durable."""

import asyncio
import concurrent.futures
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from holdfast.clock import Clock
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import checkpoints, record, schema
from holdfast.ledger.draft import PAYLOAD_BYTES_MAX, Draft, Receipt, prepare
from holdfast.ledger.keys import Keys
from holdfast.ledger.opening import Head, Opened, Previous, compare
from holdfast.ledger.publish import Publisher
from holdfast.ledger.store import Append, Entropy, Outcome, PutObject, Store, Work
from holdfast.ledger.writer import Writer

LOCK_FILE: Final = "ledger.lock"
DRAFTS_MAX: Final = 128  # a batch of 100 Calls and what belongs to it
MEDIA_CHARS_MAX: Final = 200


class Ledger:
    """The append-only log of Records, open for writing. One per data folder: a second one is refused.

    ``previous`` says how the ledger was found, for the `ledger.start` Record that the gateway appends first, and whose
    counterpart `ledger.stop` it appends last.
    """

    def __init__(self, writer: Writer, store: Store, publisher: Publisher, lock: int, previous: Previous) -> None:
        self.previous: Final = previous
        self._writer: Final = writer
        self._store: Final = store
        self._publisher: Final = publisher
        self._lock: Final = lock
        self._is_closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        keys: Keys,
        clock: Clock,
        *,
        build: JsonObject,
        entropy: Entropy = secrets.token_bytes,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> Self:
        """Open the ledger in ``directory``, or begin one, whose first Record is then a `ledger.genesis`.

        Args:
            directory: the data folder; it exists.
            keys: see :func:`holdfast.ledger.keys.open_keys`.
            clock: what stamps Records.
            build: the ``gw`` member of the genesis Record.
            entropy: gives that many random bytes; for salts, ids and commitment keys.
            connection_class: how SQLite is reached; tests pass one that fails.

        Raises:
            LedgerError: another gateway has it open; database, checkpoints and keys do not agree; or it cannot be
                written.
        """
        lock = _lock(directory)
        try:
            with _faults_named():
                ledger = cls._open(directory, keys, clock, lock, entropy, connection_class)
        except BaseException:
            os.close(lock)
            raise
        if not ledger.previous.size:
            try:
                ledger.append_blocking(Draft("ledger.genesis", {"gw": build}))
            except BaseException:
                ledger.close()
                raise
        return ledger

    @classmethod
    def _open(
        cls,
        directory: Path,
        keys: Keys,
        clock: Clock,
        lock: int,
        entropy: Entropy,
        connection_class: type[sqlite3.Connection],
    ) -> Self:
        store = Store.open(directory, keys.origin, clock, entropy, connection_class)
        try:
            opened: Opened = compare(store.ledger, directory / checkpoints.FILE, keys.verifier)
            store.tree = opened.tree
            publisher = Publisher(directory, keys, store.ledger, clock)
        except BaseException:
            store.close()
            raise
        try:
            head = publisher.resume(opened)
            _sync(directory)
            return cls(Writer(store, publisher, head, clock), store, publisher, lock, opened.previous)
        except BaseException:
            publisher.close()
            store.close()
            raise

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """Make ``drafts`` Records, all in one transaction; durable when this returns.

        A caller that is cancelled while waiting may still have appended.

        Raises:
            LedgerError: a Draft is not acceptable, its Approval was used before, or nothing can be recorded now.
        """
        outcome = await self._wait(_work(drafts))
        assert isinstance(outcome, tuple)
        return outcome

    def append_blocking(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """Like :meth:`append`, for code without an event loop. Never call it on one.

        Raises:
            LedgerError: see :meth:`append`.
        """
        outcome = self._block(_work(drafts))
        assert isinstance(outcome, tuple)
        return outcome

    async def put_object(self, media: str, data: bytes) -> str:
        """Keep ``data`` (a rule file, a tool definition) under its SHA-256, which is returned in hex.

        Raises:
            LedgerError: too large, or it cannot be written.
        """
        outcome = await self._wait(_object(media, data))
        assert isinstance(outcome, str)
        return outcome

    def put_object_blocking(self, media: str, data: bytes) -> str:
        """Like :meth:`put_object`, for code without an event loop.

        Raises:
            LedgerError: see :meth:`put_object`.
        """
        outcome = self._block(_object(media, data))
        assert isinstance(outcome, str)
        return outcome

    def head(self) -> Head:
        """The last signed checkpoint: at most a second behind the last Record."""
        return self._writer.head

    async def publish(self) -> Head:
        """Sign a checkpoint over everything appended so far, now, and return it.

        Raises:
            LedgerError: it cannot be written.
        """
        await self._wait(None)
        return self._writer.head

    def publish_blocking(self) -> Head:
        """Like :meth:`publish`, for code without an event loop.

        Raises:
            LedgerError: see :meth:`publish`.
        """
        self._block(None)
        return self._writer.head

    def healthy(self) -> bool:
        """Whether the next append can succeed. Once false, it stays false until the ledger is opened again."""
        return self._writer.is_healthy()

    def close(self) -> None:
        """Write what waits, sign a last checkpoint, close. Closing twice does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._writer.close()
        try:
            self._publisher.close()
            self._store.close()
        finally:
            os.close(self._lock)

    async def _wait(self, work: Work | None) -> Outcome:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Outcome] = loop.create_future()
        self._writer.submit(work, waiter, loop)
        return await waiter

    def _block(self, work: Work | None) -> Outcome:
        waiter: concurrent.futures.Future[Outcome] = concurrent.futures.Future()
        self._writer.submit(work, waiter, None)
        return waiter.result()


def _work(drafts: tuple[Draft, ...]) -> Append:
    if not 0 < len(drafts) <= DRAFTS_MAX:
        raise LedgerError(f"an append takes 1 to {DRAFTS_MAX} Drafts")
    bodies = tuple(prepare(draft) for draft in drafts)
    payload_bytes = sum(len(payload.data) for draft in drafts for payload in draft.payloads.values())
    return Append(drafts, bodies, payload_bytes + record.RECORD_BYTES_MAX // 16 * len(drafts))


def _object(media: str, data: bytes) -> PutObject:
    if len(data) > PAYLOAD_BYTES_MAX or len(media) > MEDIA_CHARS_MAX:
        raise LedgerError(f"an object has at most {PAYLOAD_BYTES_MAX} bytes and a short media type")
    return PutObject(record.object_digest(data), media, data)


def _lock(directory: Path) -> int:
    try:
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"{directory} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise LedgerError(f"another process has the ledger in {directory} open; one ledger has one writer") from None
    return descriptor


def _sync(directory: Path) -> None:
    # The names of new files must be as durable as what is in them.
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _faults_named() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger cannot be opened: SQLite says {schema.error_name(error)}") from None
    except OSError as error:
        raise LedgerError(f"the ledger cannot be opened: {error.strerror}") from None
    except UnicodeDecodeError:
        raise LedgerError("the ledger cannot be opened: a text in a database is not UTF-8") from None
