"""The prefilter by RE2: of each text, which approximations match somewhere in it."""

import functools
from collections.abc import Sequence
from typing import Any, Final

import re2

from holdfast.masking.approx import Approximation
from holdfast.masking.automata import Automata
from holdfast.masking.prefilter import Hits
from holdfast.masking.view import Show, shown

MEMORY_BYTES: Final = 128 * 1024 * 1024  # for automata; when it does not suffice, a set answers as if nothing matched
_BUILT_COUNT_MAX: Final = 8


class Re2Prefilter:
    """Two sets: one for ASCII texts, one for the others."""

    name = "re2"

    def __init__(self, narrow: Any, wide: Any, numbers: Sequence[int]) -> None:
        self._sets = (narrow, wide)
        self._numbers = numbers

    def scan(self, texts: Sequence[str], hits_max: int | None = None, show: Show = shown) -> list[Hits | None]:  # noqa: ARG002 -- a Prefilter
        """For each text, what matches in it; None where the set ran out of memory."""
        return [self._one(text, show(text)) for text in texts]

    def _one(self, text: str, raw: bytes) -> Hits | None:
        matching = self._sets[not text.isascii()].Match(raw) or ()
        witness = len(self._numbers)
        if witness not in matching:
            return None
        return {self._numbers[index]: [] for index in matching if index != witness}


@functools.lru_cache(maxsize=_BUILT_COUNT_MAX)
def build(
    patterns: tuple[Approximation, ...], _automata: Automata | None = None
) -> tuple[Re2Prefilter, frozenset[int]]:
    """The prefilter of ``patterns``, and the numbers of those that it knows."""
    numbers = [number for number, pattern in enumerate(patterns) if _compiles(pattern)]
    narrow, wide = (_set([getattr(patterns[number], dialect) for number in numbers]) for dialect in ("ascii", "wide"))
    return Re2Prefilter(narrow, wide, numbers), frozenset(numbers)


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    return options


def _compiles(pattern: Approximation) -> bool:
    try:
        for expression in (pattern.ascii, pattern.wide):
            re2.compile(expression.encode(), _options())
    except re2.error:
        return False
    return True


def _set(expressions: Sequence[str]) -> Any:
    made = re2.Set.SearchSet(_options())
    for expression in expressions:
        made.Add(expression.encode())
    made.Add(b"")  # the witness: it matches every text, so an answer without it is none
    made.Compile()
    return made
