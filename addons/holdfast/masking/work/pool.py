"""Who works next, and until when: tasks wait in a bounded line for one of a few workers.

A worker that does not answer in time is killed, and one that died is replaced; its message is refused. Nothing is tried
twice: what has killed one worker would kill the next.
"""

import asyncio
import dataclasses
import logging
import os
from typing import Final

from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.automata import Automata
from holdfast.masking.core import Task
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finding import Masked
from holdfast.masking.parts import Part, Parted
from holdfast.masking.seams import Ends, Seam
from holdfast.masking.work import seams, wire
from holdfast.masking.work.nursery import Setup
from holdfast.masking.work.worker import Nursery, Worker

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """How many workers there are, and what they are given."""

    workers_count: int
    waiting_count_max: int
    wait_s_max: float
    task_s_max: float
    tasks_count_max: int


DEFAULT: Final = Terms(
    workers_count=max(1, min(2, (os.cpu_count() or 1) - 1)),  # one processor is the event loop's
    waiting_count_max=32,  # each may be a body of 4 MiB
    wait_s_max=30.0,  # clients give up after a minute
    task_s_max=20.0,  # a message has 5 s of processor time, on a machine that may be busy
    tasks_count_max=500,  # what libraries keep for ever is gone with the process
)


class Pool:
    """Masks messages in worker processes."""

    def __init__(
        self, rules: MaskingRules, key: bytes, terms: Terms = DEFAULT, automata: Automata | None = None
    ) -> None:
        self._setup = Setup(rules, key, automata)
        self._terms = terms
        self._nursery: Nursery | None = None
        self._spawned: Nursery | None = None  # not loaded yet
        self._starting = asyncio.Lock()
        self._free = asyncio.Semaphore(terms.workers_count)
        self._idle: list[Worker] = []
        self._waiting_count = 0
        self._busy_count = 0
        self._is_retired = False

    def spawn(self) -> None:
        """Let the processes begin to load while the gateway does."""
        self._spawned = Nursery.spawn()

    def drop(self) -> None:
        """Undo :meth:`spawn`: nothing is started."""
        if self._spawned is not None:
            self._spawned.drop()
            self._spawned = None

    async def start(self) -> None:
        """Have every worker ready.

        Raises:
            MaskingError: the engine cannot be loaded there.
        """
        for _ in range(self._terms.workers_count):
            self._idle.append(await self._fork())

    async def retire(self) -> None:
        """Keep no processes while there is nothing to do. What still comes has them started anew."""
        self._is_retired = True
        await self._end_if_done()

    def pids(self) -> list[int]:
        """The processes of workers that have nothing to do now."""
        return [worker.pid for worker in self._idle]

    async def mask(self, task: Task) -> Masked:
        """What a worker makes of ``task``.

        Raises:
            MaskingError: it cannot vouch for the message, took too long or died; or too many others wait.
        """
        return await wire.masked_of(await self._said(wire.task_to_json(task)), task.message)

    async def part(self, part: Part) -> Parted:
        """What a worker makes of a step of a text in pieces. Raises like :meth:`mask`."""
        return await wire.parted_of(await self._said(wire.part_to_json(part)), part)

    async def seam(self, ends: Ends) -> Seam:
        """What a worker makes of a text whose seams are masked. Raises like :meth:`mask`."""
        return await seams.seam_of(await self._said(seams.ends_to_json(ends)))

    async def _said(self, asked: Json) -> Json:
        said = await self._do(wire.dump(asked))
        if isinstance(said, str):
            raise MaskingError(said)
        return said

    async def _do(self, data: bytes) -> Json:
        if self._waiting_count >= self._terms.waiting_count_max:
            raise MaskingError("too many messages wait for a masking worker")
        self._waiting_count += 1
        try:
            async with asyncio.timeout(self._terms.wait_s_max):
                await self._free.acquire()
        except TimeoutError:
            raise MaskingError(f"no masking worker was free within {self._terms.wait_s_max:g} s") from None
        finally:
            self._waiting_count -= 1
        self._busy_count += 1
        try:
            return await self._ask(await self._next(), data)
        finally:
            self._busy_count -= 1
            self._free.release()
            await self._end_if_done()

    async def _next(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            worker.close()
        return await self._fork()

    async def _ask(self, worker: Worker, data: bytes) -> Json:
        try:
            async with asyncio.timeout(self._terms.task_s_max):
                said = await worker.ask(data)
        except BaseException as error:
            worker.kill()
            if isinstance(error, TimeoutError):
                log.warning("a masking worker was killed: it took more than %g s", self._terms.task_s_max)
                raise MaskingError(f"a masking worker took more than {self._terms.task_s_max:g} s") from None
            if isinstance(error, OSError | EOFError):
                log.warning("a masking worker died in the middle of a message")
                raise MaskingError("a masking worker died in the middle of the message") from None
            raise
        if worker.tasks_count < self._terms.tasks_count_max:
            self._idle.append(worker)
        else:
            worker.close()
        return said

    async def _fork(self) -> Worker:
        async with self._starting:
            if self._nursery is None or not self._nursery.is_alive:
                await self._end()
                self._nursery = await self._loaded()
            try:
                return await self._nursery.fork()
            except MaskingError:
                await self._end()  # whatever ails it, the next one is new
                raise

    async def _loaded(self) -> Nursery:
        nursery, self._spawned = self._spawned or Nursery.spawn(), None
        try:
            await nursery.load(self._setup)
        except BaseException:
            await nursery.end()
            raise
        return nursery

    async def _end_if_done(self) -> None:
        if self._is_retired and not self._busy_count and not self._waiting_count:
            self.drop()
            async with self._starting:
                await self._end()

    async def _end(self) -> None:
        nursery, self._nursery = self._nursery, None
        for worker in self._idle:
            worker.close()
        self._idle.clear()
        if nursery is not None:
            await nursery.end()
