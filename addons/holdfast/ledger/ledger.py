"""The ledger as the gateway uses it: open, append, close. Record, then act: append returns once it is durable."""

import asyncio
import concurrent.futures
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Self

from holdfast.clock import Clock
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import checkpoints, note, record, schema
from holdfast.ledger.draft import PAYLOAD_BYTES_MAX, Draft, Receipt, prepare
from holdfast.ledger.keeping import epochs, erasing, folder, keyfiles, rotating
from holdfast.ledger.keys import Keys
from holdfast.ledger.opening import Head, Opened, Previous, compare
from holdfast.ledger.publish import Publisher
from holdfast.ledger.schema import KEYS_DIR
from holdfast.ledger.store import Append, Entropy, Outcome, PutObject, Store, Work
from holdfast.ledger.writer import Alone, Writer

DRAFTS_MAX: Final = 128  # a batch of 100 Calls and what belongs to it
MEDIA_CHARS_MAX: Final = 200


class Ledger:
    """The append-only log of Records, open for writing. One per data folder: a second one is refused.

    ``previous`` says how the ledger was found, for the `ledger.start` Record that the gateway appends first, and whose
    counterpart `ledger.stop` it appends last. ``refuse_calls`` may say why no Call may go out now, such as witnesses
    that are overdue; other Records are taken all the same.
    """

    def __init__(self, writer: Writer, store: Store, publisher: Publisher, lock: int, previous: Previous) -> None:
        self.previous: Final = previous
        self._writer: Final = writer
        self._store: Final = store
        self._publisher: Final = publisher
        self._lock: Final = lock
        self._is_closed = False
        self.refuse_calls: Callable[[], str | None] | None = None

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
            SettingsError: what a rotation left half done in `keys/` cannot be completed.
        """
        lock = folder.lock(directory)
        try:
            before = epochs.genesis_of(directory, keys.origin)
            with _faults_named():
                ledger = cls._open(directory, keys, clock, lock, entropy, connection_class)
        except BaseException:
            os.close(lock)
            raise
        if not ledger.previous.size:
            try:
                ledger.append_blocking(Draft("ledger.genesis", {"gw": build, **before}))
            except BaseException:
                ledger.close()
                raise
        if before:
            # The genesis that names the loss is durable: from here on the new epoch goes on like any ledger.
            epochs.finish(directory)
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
            keys = rotating.settle(directory / KEYS_DIR, keys, store.ledger)
            opened: Opened = compare(store.ledger, directory / checkpoints.FILE, keys.ring)
            store.tree = opened.tree
            publisher = Publisher(directory, keys, store.ledger, clock)
        except BaseException:
            store.close()
            raise
        try:
            head = erasing.settle(store, publisher, publisher.resume(opened))
            rotating.tidy(directory / KEYS_DIR, publisher.keys)
            keyfiles.sync(directory)  # the names of new files must be as durable as what is in them
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
        outcome = await self._wait(self._work(drafts))
        assert isinstance(outcome, tuple)
        return outcome

    def append_blocking(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """Like :meth:`append`, for code without an event loop. Never call it on one.

        Raises:
            LedgerError: see :meth:`append`.
        """
        outcome = self._block(self._work(drafts))
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

    def rotate_blocking(self, *, overlap_s: int, reason: str, operator: JsonObject | None) -> note.VerifierKey:
        """Have a new key sign from here on, and the old one beside it for ``overlap_s`` seconds.

        Returns the new key once its `ledger.rotated` Record and a checkpoint signed by both keys are durable. Never
        call it on an event loop.

        Raises:
            LedgerError: the overlap or a text is not acceptable, or the new key cannot be written.
        """
        outcome = self._block(rotating.checked(rotating.Rotate(overlap_s, reason, operator), self.keys))
        assert isinstance(outcome, note.VerifierKey)
        return outcome

    def erase_blocking(
        self,
        commitments: Sequence[str],
        *,
        basis: Literal["request", "retention"],
        reason: str,
        operator: JsonObject | None,
        before: str | None = None,
        retention: str | None = None,
    ) -> tuple[Receipt, ...]:
        """Record that payloads are erased, then erase them: `keeping/erasing.py`. Never call it on a loop.

        Raises:
            LedgerError: one is unknown, erased already or under a legal hold, or it cannot be written.
        """
        given = {"basis": basis, "reason": reason, "operator": operator, "before": before, "retention": retention}
        body: JsonObject = {name: value for name, value in given.items() if value is not None}
        return erasing.erase_all(self._store.emptying.directory, commitments, body, self._block)

    @property
    def keys(self) -> Keys:
        """The keys in force, which a rotation replaces: ask anew each time."""
        return self._publisher.keys

    def verifier(self) -> note.VerifierKey:
        """The public half of the key that signs now."""
        return self.keys.verifier

    def sign_statement(self, payload_type: str, pae: bytes) -> bytes:
        """The ledger key's signature over ``pae``: the gateway vouches for an approver who is known by a token.

        Raises:
            LedgerError: ``pae`` is not DSSE's encoding of something of ``payload_type``.
        """
        if not pae.startswith(b"DSSEv1 %d %s " % (len(payload_type.encode()), payload_type.encode())):
            raise LedgerError("what is to be signed is not in DSSE's encoding")
        return self.keys.ledger.sign(pae)

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

    def _work(self, drafts: tuple[Draft, ...]) -> Append:
        if self.refuse_calls is not None and any(draft.typ == "call" for draft in drafts):
            reason = self.refuse_calls()
            if reason is not None:
                raise LedgerError(reason)
        return _work(drafts)

    async def _wait(self, work: Work | None) -> Outcome:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Outcome] = loop.create_future()
        self._writer.submit(work, waiter, loop)
        return await waiter

    def _block(self, work: Work | Alone | None) -> Outcome:
        waiter: concurrent.futures.Future[Outcome] = concurrent.futures.Future()
        self._writer.submit(work, waiter, None)
        return waiter.result()


def _work(drafts: tuple[Draft, ...]) -> Append:
    if not 0 < len(drafts) <= DRAFTS_MAX:
        raise LedgerError(f"an append takes 1 to {DRAFTS_MAX} Drafts")
    if any(draft.typ == erasing.TYP for draft in drafts):
        raise LedgerError(f"{erasing.TYP} is written by an erasure, which does what it says")
    bodies = tuple(prepare(draft) for draft in drafts)
    payload_bytes = sum(len(payload.data) for draft in drafts for payload in draft.payloads.values())
    return Append(drafts, bodies, payload_bytes + record.RECORD_BYTES_MAX // 16 * len(drafts))


def _object(media: str, data: bytes) -> PutObject:
    if len(data) > PAYLOAD_BYTES_MAX or len(media) > MEDIA_CHARS_MAX:
        raise LedgerError(f"an object has at most {PAYLOAD_BYTES_MAX} bytes and a short media type")
    return PutObject(record.object_digest(data), media, data)


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
