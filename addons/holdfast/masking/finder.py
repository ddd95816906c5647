"""From a text to what Presidio finds in it: two ways with the same results.

:class:`FullFinder` asks ``AnalyzerEngine``, which a spaCy model needs. :class:`DirectFinder` asks the recognizers
themselves, only those whose gate the text passes, and looks up context words by bisection; a differential test holds
the two together.
"""

from typing import Final, Protocol

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpEngine

from holdfast.masking.budget import Budget
from holdfast.masking.language import LANGUAGE
from holdfast.masking.nearby import Nearby
from holdfast.masking.runners import runner_of
from holdfast.masking.view import View
from holdfast.masking.words import Cutter

CONTEXT_BOOST: Final = 0.35  # the two of LemmaContextAwareEnhancer
CONTEXT_SCORE_MIN: Final = 0.4


class Finder(Protocol):
    """Finds what the rules look for in one text."""

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        """Presidio's results over the thresholds. ``context`` are words from outside the text.

        Raises:
            MaskingError: nothing is left of ``budget``.
        """


class FullFinder:
    """Presidio's own engine, whole words as context."""

    def __init__(self, recognizers: tuple[EntityRecognizer, ...], language: NlpEngine) -> None:
        registry = RecognizerRegistry(recognizers=list(recognizers), supported_languages=[LANGUAGE])
        self._engine = AnalyzerEngine(
            registry=registry,
            nlp_engine=language,
            context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
            supported_languages=[LANGUAGE],
        )

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        """Presidio's results."""
        budget.spend(len(text))
        return list(self._engine.analyze(text, language=LANGUAGE, context=list(context)))


class DirectFinder:
    """The recognizers one by one; the results are those of :class:`FullFinder`."""

    def __init__(self, recognizers: tuple[EntityRecognizer, ...], cutter: Cutter) -> None:
        self._runners = [runner_of(recognizer) for recognizer in recognizers]
        self._digitless = [runner for runner in self._runners if runner.needs_no_digit]
        self._cutter = cutter

    def find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        """Presidio's results."""
        view = View(text)
        results: list[RecognizerResult] = []
        nearby: Nearby | None = None
        for runner in self._runners if view.digits else self._digitless:
            found = runner.run(view, context, budget)
            if not found:
                continue
            if runner.context:
                nearby = nearby or Nearby(text, self._cutter)
                for result in found:
                    _boost(result, runner.context, nearby, context)
            results += [result for result in found if result.score >= runner.thresholds[result.entity_type]]
        return list(EntityRecognizer.remove_duplicates(results)) if len(results) > 1 else results


def _boost(result: RecognizerResult, wanted: frozenset[str], nearby: Nearby, context: tuple[str, ...]) -> None:
    if not wanted.isdisjoint(context) or nearby.has_before(result.start, wanted):
        score = max(result.score + CONTEXT_BOOST, CONTEXT_SCORE_MIN)
        result.score = min(score, EntityRecognizer.MAX_SCORE)
