"""From a text to what Presidio finds in it: two ways with the same results.

:class:`FullFinder` asks ``AnalyzerEngine``, which a spaCy model needs. :class:`DirectFinder` asks the recognizers
themselves, only those whose gate the text passes, and looks up context words by bisection; a differential test holds
the two together.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpEngine

from holdfast.masking.automata import Automata
from holdfast.masking.budget import Budget
from holdfast.masking.duplicates import without_duplicates
from holdfast.masking.equipment import model_of
from holdfast.masking.language import LANGUAGE
from holdfast.masking.nearby import CONTEXT_BOOST, CONTEXT_SCORE_MIN, Nearby
from holdfast.masking.prefilter import Hits, Prefilter, build_prefilter
from holdfast.masking.runners import Runner, runner_of
from holdfast.masking.unscanned import LeafError
from holdfast.masking.view import View
from holdfast.masking.words import Cutter

MODEL_CHARS_MAX: Final = 512  # on the event loop, of one text: a model reads some ten thousand words a second


class Finder(Protocol):
    """Finds what the rules look for in one text."""

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        """Presidio's results over the thresholds. ``context`` are words from outside the text.

        Raises:
            MaskingError: nothing is left of ``budget``.
        """

    def expect(self, texts: Iterable[str], budget: Budget) -> None:
        """Be told which ``texts`` of a message may be asked for, one by one."""


class FullFinder:
    """Presidio's own engine, whole words as context."""

    def __init__(self, recognizers: tuple[EntityRecognizer, ...], language: NlpEngine) -> None:
        self.model = model_of(language)
        registry = RecognizerRegistry(recognizers=list(recognizers), supported_languages=[LANGUAGE])
        self._engine = AnalyzerEngine(
            registry=registry,
            nlp_engine=language,
            context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
            supported_languages=[LANGUAGE],
        )

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        """Presidio's results."""
        if not budget.is_final and len(text) > MODEL_CHARS_MAX:
            raise LeafError(f"a text has more than {MODEL_CHARS_MAX} characters")
        budget.spend(len(text))
        return list(self._engine.analyze(text, language=LANGUAGE, context=list(context)))

    def expect(self, texts: Iterable[str], budget: Budget) -> None:
        """Nothing: texts are analysed one by one."""


class DirectFinder:
    """The recognizers one by one; the results are those of :class:`FullFinder`."""

    def __init__(
        self,
        recognizers: tuple[EntityRecognizer, ...],
        cutter: Cutter,
        engine: str | None = None,
        automata: Automata | None = None,
    ) -> None:
        """``engine`` asks for one of :data:`~holdfast.masking.prefilter.ENGINES`; the best that there is, where None.

        Raises:
            ImportError: the engine that is asked for is not installed.
        """
        self._runners = [runner_of(recognizer) for recognizer in recognizers]
        self._digitless = [runner for runner in self._runners if runner.needs_no_digit]
        self._cutter = cutter
        self._prefilter, self._by_filter, unfiltered = _prefiltered(self._runners, engine, automata)
        self._unfiltered = [runner for runner in unfiltered if not _is_foreign(runner)]
        self._foreign = [runner for runner in unfiltered if _is_foreign(runner)]

    @property
    def engine(self) -> str:
        """The name of the prefilter."""
        return self._prefilter.name

    def expect(self, texts: Iterable[str], budget: Budget) -> None:
        """Have ``texts`` looked through together when the first is asked for; most often none is, being known."""
        budget.expected += texts

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        """Presidio's results."""
        hits = budget.hits[text] if text in budget.hits else self._hits(text, budget)
        view = View(text, self._cutter.without_masks, budget.show)
        results: list[RecognizerResult] = []
        nearby: Nearby | None = None
        for runner in self._wanted(view, hits):
            found = runner.run(view, hits, context, budget)
            if not found:
                continue
            if runner.words.may_help(view, context):
                nearby = nearby or Nearby(text, self._cutter)
                _lift(found, runner, nearby, context, budget)
            results += [result for result in found if result.score >= runner.thresholds[result.entity_type]]
        return without_duplicates(results)

    def _hits(self, text: str, budget: Budget) -> Hits | None:
        fresh = [one for one in dict.fromkeys((text, *budget.expected)) if one not in budget.hits]
        budget.expected.clear()
        budget.spend(sum(map(len, fresh)))
        budget.hits.update(zip(fresh, self._prefilter.scan(fresh, budget.hits_max, budget.show), strict=True))
        return budget.hits[text]

    def _wanted(self, view: View, hits: Hits | None) -> Sequence[Runner]:
        if hits is None:
            return self._runners if view.digits else self._digitless
        unfiltered = self._unfiltered if view.text.isascii() else [*self._unfiltered, *self._foreign]
        if not hits:
            return unfiltered
        wanted = {index for number in hits for index in self._by_filter[number]}
        return [*unfiltered, *(self._runners[index] for index in sorted(wanted))]


def _is_foreign(runner: Runner) -> bool:
    """Whether no text of ASCII alone has what ``runner`` finds."""
    return bool(runner.searches) and all(search.is_foreign for search in runner.searches)


def _prefiltered(
    runners: Sequence[Runner], engine: str | None, automata: Automata | None
) -> tuple[Prefilter, dict[int, list[int]], list[Runner]]:
    """The prefilter, for each of its patterns the runners that it concerns, and those that always run."""
    searches = [(index, search) for index, runner in enumerate(runners) for search in runner.searches]
    patterns = list(dict.fromkeys(search.approximation for _, search in searches if search.approximation is not None))
    prefilter, known = build_prefilter(tuple(patterns), engine, automata)
    by_filter: dict[int, list[int]] = {number: [] for number in known}
    for index, search in searches:
        number = patterns.index(search.approximation) if search.approximation is not None else None
        if number in by_filter:
            search.filter = number
            by_filter[number].append(index)
    unfiltered = [
        runner for runner in runners if not runner.searches or any(search.filter is None for search in runner.searches)
    ]
    for indices in by_filter.values():
        indices[:] = [index for index in dict.fromkeys(indices) if runners[index] not in unfiltered]
    return prefilter, by_filter, unfiltered


def _lift(
    found: list[RecognizerResult], runner: Runner, nearby: Nearby, context: tuple[str, ...], budget: Budget
) -> None:
    for result in budget.each(sorted(found, key=_start) if budget.is_again else found):
        _boost(result, runner.words.stems, nearby, context)
        if budget.is_again and result.score >= runner.thresholds[result.entity_type]:
            nearby.pass_over(result.start, result.end)


def _boost(result: RecognizerResult, wanted: frozenset[str], nearby: Nearby, context: tuple[str, ...]) -> None:
    if not wanted.isdisjoint(context) or nearby.has_before(result.start, wanted):
        score = max(result.score + CONTEXT_BOOST, CONTEXT_SCORE_MIN)
        result.score = min(score, EntityRecognizer.MAX_SCORE)


def _start(result: RecognizerResult) -> int:
    return int(result.start)
