"""Regular expressions with a budget.

Python's `re` can take longer than the age of the universe for one short text, and no check of the expression alone
tells for sure which. So rules run on the `regex` module, which takes a time limit, and on texts of bounded length.
What runs over either limit is :attr:`Fit.UNREADABLE`: a rule that lets pass does not match, a rule that stops does.
"""

import dataclasses
import enum
import time
from typing import Final, Protocol, cast

import regex  # type: ignore[import-untyped]  # no type information in its distribution

from holdfast.errors import RulesError
from holdfast.policy.document import Section, compile_regex
from holdfast.policy.names import fold, fold_name

MATCH_CHARS_MAX: Final = 100_000  # one argument; longer ones are documents, which `text` searches
SEARCH_CHARS_MAX: Final = 1_000_000  # a quarter of the largest body: about 50 ms for a plain expression
BUDGET_S: Final = 0.1  # the proxy's event loop waits for it; an honest expression needs a thousandth


class Fit(enum.Enum):
    """What one condition says about one value."""

    HOLDS = "holds"
    FAILS = "does not hold"
    MISSING = "is not there"
    UNREADABLE = "cannot be judged"


class Budget:
    """Seconds of processor time that a condition may still spend on expressions, over all the values it looks at."""

    def __init__(self, seconds: float = BUDGET_S) -> None:
        self.left_s = seconds


class _Compiled(Protocol):
    def fullmatch(self, text: str, *, concurrent: bool, timeout: float) -> object: ...

    def search(self, text: str, *, concurrent: bool, timeout: float) -> object: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Pattern:
    """An expression of Python's `re` that is run within a budget."""

    text: str
    _whole: _Compiled = dataclasses.field(repr=False, compare=False)
    _lines: _Compiled = dataclasses.field(repr=False, compare=False)

    def fits(self, text: str, budget: Budget) -> Fit:
        """Whether the whole of ``text`` matches."""
        return _bounded(self._whole.fullmatch, text, MATCH_CHARS_MAX, budget)

    def fits_widely(self, text: str, budget: Budget) -> Fit:
        """Like :meth:`fits`, but any case, and any reading that differs in what an eye does not see, will do."""
        fits = [self.fits(text, budget)]
        readings = dict.fromkeys((text, fold(text), fold_name(text)))
        fits.extend(_bounded(self._lines.fullmatch, reading, MATCH_CHARS_MAX, budget) for reading in readings)
        return next((fit for fit in (Fit.HOLDS, Fit.UNREADABLE) if fit in fits), Fit.FAILS)

    def occurs(self, text: str, budget: Budget) -> Fit:
        """Whether any part of ``text`` matches, in any case, ``^`` and ``$`` standing at the ends of lines."""
        return _bounded(self._lines.search, text, SEARCH_CHARS_MAX, budget)


class _Run(Protocol):
    def __call__(self, text: str, *, concurrent: bool, timeout: float) -> object: ...


def _bounded(run: _Run, text: str, chars_max: int, budget: Budget) -> Fit:
    if len(text) > chars_max or budget.left_s <= 0:
        return Fit.UNREADABLE
    started_s = time.thread_time()
    try:
        # Giving up the interpreter's lock for a search of microseconds costs more than the search.
        found = run(text, concurrent=False, timeout=budget.left_s)
    except TimeoutError:
        budget.left_s = 0
        return Fit.UNREADABLE
    except (MemoryError, RecursionError):
        return Fit.UNREADABLE
    budget.left_s -= time.thread_time() - started_s
    return Fit.FAILS if found is None else Fit.HOLDS


def parse_pattern(section: Section, key: str, text: str) -> Pattern:
    """The expression ``text``, which stands under ``key`` of ``section``.

    Raises:
        RulesError: too long, or not an expression that both `re` and `regex` take.
    """

    def error(problem: str) -> RulesError:
        return section.error(key, problem, "Correct the expression")

    compile_regex(text, error)
    try:
        whole = regex.compile(text, regex.VERSION0)
        lines = regex.compile(text, regex.VERSION0 | regex.IGNORECASE | regex.MULTILINE)
    except (regex.error, OverflowError, RecursionError, ValueError):
        raise error("is an expression that the `regex` module does not take") from None
    return Pattern(text, cast("_Compiled", whole), cast("_Compiled", lines))
