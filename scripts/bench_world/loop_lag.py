"""How long masking keeps the event loop from everybody: the longest turn while messages made to be slow are masked.

Each text is masked as the argument of a call, by a Masker with workers as the gateway has it: every one that
``bench.py masking`` has, in three lengths up to what is tried on the loop at all, and some that are far longer.
Meanwhile a second task takes its turn again and again, and notes what the loop's thread did in between. Processor time
is what counts; by the clock, whatever else the machine does is in it too.
"""

import asyncio
import dataclasses
import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scripts.bench_world.hostile_texts import texts

from holdfast import jsontext
from holdfast.call import Call, Direction, Message, parse_body
from holdfast.errors import MaskingError
from holdfast.masking.entries import MaskingRules
from holdfast.masking.masker import Masker
from holdfast.masking.work.pool import Pool
from holdfast.memory import settle_memory

SIZES: Final = (16 * 1024, 256 * 1024, 1024 * 1024)  # characters
SHORT: Final = (2000, 4000, 16_000)  # the longest that are tried on the loop: beyond ASCII, with escapes, any other
ROWS_COUNT: Final = 8  # of one length that are shown; --json has all
_TURN_S: Final = 0.001
_SETTLE_TURNS: Final = 5
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")

# What is repeated, and what stands at the end; each is slow somewhere, or was before.
HOSTILE: Final = {
    "dots": (".", ""),
    "a host without end": ("a.", ""),
    "a mail address without end": ("a.", "@"),
    "hyphens before a host": ("a-", "@a"),
    "hosts and @": ("a1@", ""),
    "telephone numbers without end": ("1 - ", ""),
    "bare digits": ("1", ""),
    "digits and blanks": ("0 ", ""),
    "beginnings of cards": ("4111 ", ""),
    "beginnings of IBANs": ("DE89 ", ""),
    "addresses and ports": ("1.1.1.1:", ""),
    "colons": (":", ""),
    "groups of an IPv6 address": ("9a:", ""),
    "brackets of telephone numbers": ("+1 (", ""),
    "passwords": ("password: ", ""),
    "JSON escapes": ("\\u0034", ""),
    "percent escapes": ("%34", ""),
    "HTML escapes": ("&#52;", ""),
    "letters that fold to many": ("\ufdfa", ""),
    "full-width digits": ("\uff11", ""),
    "brackets": ("[", ""),
    "JSON in a text": ('[{"ssn":1},', ""),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Lag:
    """What one text cost. Times in milliseconds but ``worker_s``, which is None where the system does not tell.

    ``turn_ms`` is the longest turn of the loop in processor time, ``gap_ms`` the same by the clock,
    ``whole_ms`` how long the message took, ``parse_ms`` the processor time for reading its body.
    """

    name: str
    chars_count: int
    turn_ms: float
    gap_ms: float
    worker_s: float | None
    whole_ms: float
    parse_ms: float
    outcome: str


def measure(rules: MaskingRules, tell: Callable[[str], None]) -> list[Lag]:
    """Mask every text of :data:`HOSTILE` in every size of :data:`SIZES`, and every other in those of :data:`SHORT`."""
    return asyncio.run(_measure(rules, tell))


async def _measure(rules: MaskingRules, tell: Callable[[str], None]) -> list[Lag]:
    key = os.urandom(32)
    pool = Pool(rules, key)
    masker = Masker(rules, key, pool)
    await masker.start()
    settle_memory()  # as the gateway does when it has started: what is loaded is not gone over in anybody's turn
    found: list[Lag] = []
    for chars_count in SHORT:
        known = [(name, text[:chars_count]) for name, text in texts() if "\ud800" not in text]
        tell(f"{len(known)} texts of {chars_count:,} characters ...")
        found += [await _measure_one(masker, pool, name, text) for name, text in known]
    for chars_count in SIZES:
        tell(f"{len(HOSTILE)} texts of {chars_count:,} characters ...")
        found += [await _measure_one(masker, pool, name, text_of(name, chars_count)) for name in HOSTILE]
    await masker.retire()
    return found


def text_of(name: str, chars_count: int) -> str:
    """The text of :data:`HOSTILE` called ``name``, of so many characters."""
    again, end = HOSTILE[name]
    return again * ((chars_count - len(end)) // len(again)) + end


async def _measure_one(masker: Masker, pool: Pool, name: str, text: str) -> Lag:
    arguments: jsontext.JsonObject = {"name": "put", "arguments": {"note": text}}
    call = Call("tools/call", arguments, 1, Direction.TO_SERVER)
    body = jsontext.wire(call.to_json())
    parse_s = _spent(lambda: parse_body(body, Direction.TO_SERVER))
    probe = Probe()
    watching = asyncio.create_task(probe.watch())
    for _ in range(_SETTLE_TURNS):
        await asyncio.sleep(_TURN_S)
    before_s = _workers_s(pool)
    probe.reset()
    started_s = time.perf_counter()
    outcome = await _outcome(masker, call)
    whole_s = time.perf_counter() - started_s
    await asyncio.sleep(_TURN_S)
    watching.cancel()
    after_s = _workers_s(pool)
    worker_s = None if before_s is None or after_s is None else max(0.0, after_s - before_s)
    turn_ms, gap_ms = probe.turn_s * 1000, probe.gap_s * 1000
    return Lag(name, len(text), turn_ms, gap_ms, worker_s, whole_s * 1000, parse_s * 1000, outcome)


async def _outcome(masker: Masker, message: Message) -> str:
    try:
        masked = await masker.mask(message, server="crm")
    except MaskingError as error:
        return f"refused: {error}"
    return f"{len(masked.findings)} findings"


class Probe:
    """Takes a turn again and again, and remembers the longest time between two of them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.turn_s = self.gap_s = 0.0
        self._at = (time.thread_time(), time.perf_counter())

    async def watch(self) -> None:
        """Take turns until cancelled."""
        while True:
            await asyncio.sleep(_TURN_S)
            now = (time.thread_time(), time.perf_counter())
            self.turn_s = max(self.turn_s, now[0] - self._at[0])
            self.gap_s = max(self.gap_s, now[1] - self._at[1] - _TURN_S)
            self._at = now


def _spent(work: Callable[[], object]) -> float:
    started_s = time.thread_time()
    work()
    return time.thread_time() - started_s


def _workers_s(pool: Pool) -> float | None:
    """The processor time of all workers so far. The tick of the kernel's clock is 10 ms."""
    total = 0
    for pid in pool.pids():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        except FileNotFoundError:
            return None
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS_PER_S


def table(lags: list[Lag]) -> str:
    """The figures for people: of each length those that took the longest turns, and of all the longest."""
    head = f"{'text':<34}{'characters':>11}{'turn ms':>9}{'gap ms':>8}{'worker s':>10}{'parse ms':>10}"
    groups = itertools.groupby(lags, key=lambda one: one.chars_count in SHORT and one.chars_count)
    shown = [one for _, group in groups for one in sorted(group, key=lambda one: -one.turn_ms)[:ROWS_COUNT]]
    rows = [
        f"{one.name[:30]!a:<34}{one.chars_count:>11,}{one.turn_ms:>9.1f}{one.gap_ms:>8.1f}"
        f"{'-' if one.worker_s is None else f'{one.worker_s:.2f}':>10}{one.parse_ms:>10.1f}  {one.outcome}"
        for one in shown
    ]
    return "\n".join([head, *rows, f"the longest turn of {len(lags)} texts: {max(one.turn_ms for one in lags):.1f} ms"])
