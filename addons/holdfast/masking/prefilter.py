"""The prefilter: one look at all texts of a message, which says of each which patterns may match in it, and where.

Three engines give the same findings at different costs. Hyperscan scans all patterns at once and says where; RE2 says
only which; without either, each pattern looks for what it needs itself (``gate.py``). What an engine says is never less
than the truth: a text about which it cannot answer is searched as if there were no engine.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from holdfast.masking.approx import Approximation
from holdfast.masking.automata import Automata
from holdfast.masking.processor import demand_instructions
from holdfast.masking.view import Show, shown

# Number of a pattern -> where matches of its approximation end in the text; empty where only that it has one is known.
type Hits = dict[int, list[int]]

ENGINES: Final = ("hyperscan", "re2", "pure")  # in the order in which they are tried
AT_ONCE: Final = "pure"  # for who has a few short texts: to compile takes longer than to search them


class Prefilter(Protocol):
    """Scans texts for approximations of patterns, numbered by their order."""

    name: str

    def scan(self, texts: Sequence[str], hits_max: int | None = None, show: Show = shown) -> list[Hits | None]:
        """For each text, what may match in it; None where that cannot be told.

        ``show`` is :func:`~holdfast.masking.view.shown`, or what remembers what it made.

        Raises:
            LeafError: there are more than ``hits_max`` places, and the engine tells them one by one.
        """


type Built = tuple[Prefilter, frozenset[int]]
type Builder = Callable[[tuple[Approximation, ...], Automata | None], Built]


class Pure:
    """No engine: says nothing of any text."""

    name = "pure"

    def scan(self, texts: Sequence[str], hits_max: int | None = None, show: Show = shown) -> list[Hits | None]:  # noqa: ARG002 -- a Prefilter
        """Nothing, of every text."""
        return [None] * len(texts)


def build_prefilter(
    patterns: tuple[Approximation, ...], engine: str | None = None, automata: Automata | None = None
) -> Built:
    """The best prefilter that is installed, and the numbers of the patterns that it knows.

    ``engine`` asks for one of :data:`ENGINES`. What is compiled is kept in ``automata``, where an engine can.

    Raises:
        ImportError: the engine that is asked for is not installed, or cannot be used here.
    """
    if not patterns:
        return Pure(), frozenset()
    for name in ENGINES if engine is None else (engine,):
        try:
            return _builder(name)(patterns, automata)
        except ImportError:
            if engine is not None:
                raise
    raise AssertionError("the last engine needs nothing")


def _builder(name: str) -> Builder:
    if name == "hyperscan":
        demand_instructions()
        from holdfast.masking import hyper  # noqa: PLC0415 -- may not be installed

        return hyper.build
    if name == "re2":
        from holdfast.masking import re2set  # noqa: PLC0415 -- may not be installed

        return re2set.build
    return lambda _patterns, _automata: (Pure(), frozenset())
