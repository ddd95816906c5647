"""Texts made to be slow: what the longest of them cost in processor time, with the engine as messages meet it."""

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from scripts.bench_world.hostile_texts import TEXT_CHARS, values

from holdfast.call import Direction, Reply
from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.budget import Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import MaskingRules
from holdfast.memory import settle_memory

RUNS_COUNT: Final = 3  # of which the quickest counts: what else the machine does only ever adds
_KEY: Final = bytes(32)


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """What one text cost: seconds of processor time, and how many findings, or that it was refused.

    ``search_s`` is for finding what is in it, ``seconds`` for a whole message: that, the masks, and another look at
    what they stand in.
    """

    name: str
    search_s: float
    seconds: float
    outcome: str


class _Engines:
    """The engine of one set of rules, as often as a text is measured: each remembers what it has seen."""

    def __init__(self, rules: MaskingRules) -> None:
        self._scanners = [Scanner(rules, _KEY) for _ in range(RUNS_COUNT)]
        self._cores = [Core(rules, _KEY) for _ in range(RUNS_COUNT)]

    def cost(self, name: str, value: Json) -> Cost:
        """What ``value`` costs as the content of a tool's result."""
        texts = list(_strings(value))
        reply = Reply(1, {"structuredContent": value}, None, Direction.TO_CLIENT)
        searches = [_spent(functools.partial(_searched, scanner, texts)) for scanner in self._scanners]
        messages = [_spent(functools.partial(_masked, core, reply)) for core in self._cores]
        return Cost(name, min(one[0] for one in searches), min(one[0] for one in messages), messages[0][1])


def measure(rules: MaskingRules, wanted: Callable[[str], object] = bool) -> list[Cost]:
    """Every text whose name is ``wanted`` through the engine of ``rules``, the costliest first."""
    engines = _Engines(rules)
    settle_memory()  # as the gateway and its workers do: what is loaded is not gone over for every message
    costs = [engines.cost(name, value) for name, value in values() if wanted(name)]
    return sorted(costs, key=lambda cost: -cost.seconds)


def table(costs: list[Cost], count: int) -> str:
    """The ``count`` costliest, for people."""
    head = f"{'search':>11}{'message':>11}  {'findings':>8}  {len(costs)} texts of {TEXT_CHARS} characters"
    rows = [f"{one.search_s:>9.3f} s{one.seconds:>9.3f} s  {one.outcome:>8}  {one.name[:40]!a}" for one in costs]
    return "\n".join([head, *rows[:count]])


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _strings(item)


def _spent(work: Callable[[], str]) -> tuple[float, str]:
    started_s = time.process_time()
    outcome = work()
    return time.process_time() - started_s, outcome


def _searched(scanner: Scanner, texts: Sequence[str]) -> str:
    budget = Budget()
    try:
        scanner.finder.expect(texts, budget)
        return str(sum(len(scanner.scan(text, (), budget)) for text in texts))
    except MaskingError:
        return "refused"


def _masked(core: Core, reply: Reply) -> str:
    try:
        return str(len(core.mask(Task(reply, "crm"), Budget()).findings))
    except MaskingError:
        return "refused"
