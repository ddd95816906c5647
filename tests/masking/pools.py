"""Pools of real worker processes, and how tests look at them."""

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

from tests.masking.conftest import KEY

from holdfast.call import Call, Direction, Message
from holdfast.jsontext import Json
from holdfast.masking.entries import MaskingRules
from holdfast.masking.masker import Masker
from holdfast.masking.size import CHARS_MAX
from holdfast.masking.work.pool import DEFAULT, Pool, Terms
from holdfast.masking.work.worker import Nursery

SSN = "234-45-6789"
RULES = """
version: 1
entities:
  - {entity: US_SSN}
  - {entity: EMAIL_ADDRESS, forward: none, operator: pseudonym}
  - {entity: IP_ADDRESS, forward: to_client, operator: pseudonym, restore: caller}
"""
ONE = dataclasses.replace(DEFAULT, workers_count=1)
LARGE = "plain words " * (CHARS_MAX // 10)


def call(text: Json, number: int = 1) -> Call:
    return Call("tools/call", {"name": "put", "arguments": {"note": text}}, number, Direction.TO_SERVER)


def state(pid: int) -> str:
    """The letter that the kernel has for a process: T is stopped, Z ended and not yet waited for; empty is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 -- what happens in another process sets no event
            await asyncio.sleep(0.01)


class World:
    """A pool that is ready, and a Masker that uses it."""

    def __init__(self, pool: Pool, masker: Masker) -> None:
        self.pool = pool
        self.masker = masker

    @property
    def pid(self) -> int:
        """The process of the worker that is next."""
        return self.pool._idle[-1].pid

    async def mask(self, message: Message) -> str:
        return str((await self.masker.mask(message, server="crm")).keep)

    def end(self) -> None:
        """Let the workers go; the nursery stays for the next test."""
        for worker in self.pool._idle:
            worker.close()


async def world_of(rules: MaskingRules, terms: Terms = ONE, nursery: Nursery | None = None) -> World:
    pool = Pool(rules, KEY, terms)
    pool._nursery = nursery
    await pool.start()
    return World(pool, Masker(rules, KEY, pool))
