"""The one thread that writes: it takes what waits as one group, makes it durable, and then answers all of it at once.

Whoever waits is answered after the commit, never before. A fault of the disk or the database fails everything that
waits and everything that comes: whether the last commit is durable can then only be told by opening the ledger anew.
"""

import asyncio
import collections
import concurrent.futures
import dataclasses
import logging
import threading
import time
from typing import Final, assert_never

from holdfast.clock import Clock
from holdfast.errors import LedgerError
from holdfast.ledger.keeping.erasing import Erase, erase
from holdfast.ledger.keeping.rotating import Rotate, rotate
from holdfast.ledger.opening import Head
from holdfast.ledger.publish import Publisher
from holdfast.ledger.store import Append, Outcome, Store, Work

GROUP_COUNT_MAX: Final = 256  # more does not raise throughput, and the first of a group waits for the last
GROUP_BYTES_MAX: Final = 16 * 1024 * 1024
QUEUE_COUNT_MAX: Final = 8192  # a few seconds of work; whoever comes then is better refused than kept waiting
QUEUE_BYTES_MAX: Final = 128 * 1024 * 1024
LINGER_S: Final = 0.004  # about as long as two commits
ALONE_COUNT: Final = 64
CHECKPOINT_S: Final = 1.0  # how far the signed head may be behind
_NS: Final = 1_000_000_000
_LOG: Final = logging.getLogger(__name__)

type Alone = Rotate | Erase  # what changes files beside the databases: a transaction of its own
type Waiter = asyncio.Future[Outcome] | concurrent.futures.Future[Outcome]


@dataclasses.dataclass(frozen=True, slots=True)
class _Publish:
    """A wish for a checkpoint over everything that was appended before it."""

    bytes: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class _Job:
    work: Work | Alone | _Publish
    waiter: Waiter
    loop: asyncio.AbstractEventLoop | None


class Writer:
    """Owns the thread. Submit work from any thread; close once."""

    def __init__(self, store: Store, publisher: Publisher, head: Head, clock: Clock) -> None:
        self.head = head
        self._store: Final = store
        self._publisher: Final = publisher
        self._clock: Final = clock
        self._jobs: Final[collections.deque[_Job]] = collections.deque()
        self._bytes = 0
        self._ready: Final = threading.Condition()
        self._is_closing = False
        self._fault: str | None = None
        self._published_ns = clock.monotonic_ns()
        self._alone_count = 0
        self._thread: Final = threading.Thread(target=self._run, name="holdfast-ledger", daemon=True)
        self._thread.start()

    def is_healthy(self) -> bool:
        """Whether the next append can succeed."""
        return self._fault is None and not self._is_closing and self._thread.is_alive()

    def submit(self, work: Work | Alone | None, waiter: Waiter, loop: asyncio.AbstractEventLoop | None) -> None:
        """Queue ``work`` (None: a checkpoint now); ``waiter`` belongs to ``loop``, or to no loop.

        Raises:
            LedgerError: the ledger is closed, has failed, or is too far behind.
        """
        job = _Job(work if work is not None else _Publish(), waiter, loop)
        with self._ready:
            if self._fault is not None:
                raise LedgerError(self._fault)
            if self._is_closing:
                raise LedgerError("the ledger is closed")
            if len(self._jobs) >= QUEUE_COUNT_MAX or self._bytes + job.work.bytes > QUEUE_BYTES_MAX:
                raise LedgerError("the ledger is behind: too much waits to be written")
            self._jobs.append(job)
            self._bytes += job.work.bytes
            self._ready.notify()

    def close(self) -> None:
        """Write what waits, sign a last checkpoint, end the thread."""
        with self._ready:
            self._is_closing = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        group: list[_Job] = []
        try:
            while (group := self._take()) or not self._is_closing:
                if group:
                    self._write(group)
                if self._is_due():
                    self._publish()
            if self._store.tree.size > self.head.size:
                self._publish()
        except BaseException as error:  # noqa: BLE001 -- whatever it is, nothing may be acknowledged after it
            self._fail(group, error)

    def _take(self) -> list[_Job]:
        with self._ready:
            # Sleeping is over when work comes, or when a checkpoint is due.
            if not self._jobs and not self._is_closing:
                self._ready.wait(CHECKPOINT_S if self._store.tree.size > self.head.size else None)
            has_lingered = self._linger()
            group: list[_Job] = []
            count = size = 0
            while self._jobs and count < GROUP_COUNT_MAX and size < GROUP_BYTES_MAX:
                job = self._jobs.popleft()
                group.append(job)
                count += len(job.work.drafts) if isinstance(job.work, Append) else 1
                size += job.work.bytes
            self._bytes -= size
        if has_lingered and len(group) == 1:
            self._alone_count = ALONE_COUNT  # nobody came: one caller at a time gains nothing from waiting
        return group

    def _linger(self) -> bool:
        """Wait a moment for more to come, since a commit costs the same whatever its size; not where nobody comes."""
        if not self._jobs or self._is_closing:
            return False
        if self._alone_count:
            self._alone_count -= 1
            return False
        self._ready.release()
        try:
            time.sleep(LINGER_S)
        finally:
            self._ready.acquire()
        return True

    def _write(self, group: list[_Job]) -> None:
        works = [job.work for job in group if not isinstance(job.work, _Publish | Rotate | Erase)]
        outcomes = iter(self._store.write(works) if works else ())
        answers: list[tuple[_Job, Outcome]] = []
        for job in group:
            if isinstance(job.work, _Publish):
                answers.append((job, ()))
            elif isinstance(job.work, Rotate | Erase):
                answers.append((job, self._do_alone(job.work)))  # after what the group appends
            else:
                answers.append((job, next(outcomes)))
        if len(works) < len(group) and self._store.tree.size > self.head.size:
            self._publish()
        _answer(answers)

    def _do_alone(self, work: Alone) -> Outcome:
        match work:
            case Rotate():
                return rotate(work, self._store, self._publisher, self._clock, self._publish)
            case Erase():
                return erase(work, self._store, self._publish)
            case _:
                assert_never(work)

    def _is_due(self) -> bool:
        behind_ns = self._clock.monotonic_ns() - self._published_ns
        return self._store.tree.size > self.head.size and behind_ns >= CHECKPOINT_S * _NS

    def _publish(self) -> None:
        self.head = self._publisher.publish(self._store.tree)
        self._published_ns = self._clock.monotonic_ns()
        self._store.move_wal()

    def _fail(self, group: list[_Job], error: BaseException) -> None:
        # The kind of fault is enough: its text could quote what was being written.
        name = error.strerror if isinstance(error, OSError) else getattr(error, "sqlite_errorname", None)
        kind = name or type(error).__name__
        fault = f"the ledger cannot be written ({kind}); open it again once the cause is gone"
        with self._ready:
            self._fault = fault
            waiting = [*group, *self._jobs]
            self._jobs.clear()
            self._bytes = 0
        _LOG.error("%s", fault)
        _answer([(job, LedgerError(fault)) for job in waiting])


def _answer(answers: list[tuple[_Job, Outcome]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Waiter, Outcome]]] = {}
    for job, outcome in answers:
        if job.loop is None:
            _settle([(job.waiter, outcome)])
        else:
            by_loop.setdefault(job.loop, []).append((job.waiter, outcome))
    for loop, settled in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, settled)  # one wake-up for the whole group
        except RuntimeError:
            _LOG.warning("%d appends were answered after their event loop had closed", len(settled))


def _settle(settled: list[tuple[Waiter, Outcome]]) -> None:
    for waiter, outcome in settled:
        if waiter.done():  # whoever waited was cancelled; the Record stands
            continue
        if isinstance(outcome, LedgerError):
            waiter.set_exception(outcome)
        else:
            waiter.set_result(outcome)
