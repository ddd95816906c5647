"""From a text to what Presidio finds in it: two ways with the same results.

:class:`FullFinder` asks ``AnalyzerEngine``, which a spaCy model needs. :class:`DirectFinder` asks the recognizers
themselves, only those whose gate the text passes, and looks up context words by bisection; a differential test holds
the two together.
"""

import bisect
from collections.abc import Callable
from typing import Any, Final, Protocol

import regex  # type: ignore[import-untyped] # it ships no types
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpEngine

from holdfast.masking.gate import Need, View, need_of
from holdfast.masking.language import LANGUAGE
from holdfast.masking.quiet import REGEX_TIMEOUT_S
from holdfast.masking.recognizers import PatternRecognizer, PhoneRecognizer, phone_digits_min
from holdfast.masking.words import Cutter, is_word, stem

CONTEXT_BOOST: Final = 0.35  # the three of LemmaContextAwareEnhancer
CONTEXT_SCORE_MIN: Final = 0.4
CONTEXT_WORDS: Final = 5

type Matcher = Callable[[str], bool]


class Finder(Protocol):
    """Finds what the rules look for in one text."""

    def find(self, text: str, context: tuple[str, ...]) -> list[RecognizerResult]:
        """Presidio's results over the thresholds. ``context`` are words from outside the text."""


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

    def find(self, text: str, context: tuple[str, ...]) -> list[RecognizerResult]:
        """Presidio's results."""
        return list(self._engine.analyze(text, language=LANGUAGE, context=list(context)))


class _Runner:
    """A recognizer, and the cheap reasons not to run it."""

    def __init__(self, recognizer: EntityRecognizer) -> None:
        self.analyze: Any = recognizer.analyze  # typed to take artifacts, which no recognizer here reads
        self.id: str = recognizer.id
        self.entities: list[str] = recognizer.supported_entities
        self.context = frozenset(recognizer.context)
        self.thresholds: dict[str, float] = recognizer.score_thresholds
        self._tests = _tests(recognizer)
        self.needs_no_digit = any(not need.digits for need, _ in self._tests)

    def can_match(self, text: str, view: View) -> bool:
        for need, matches in self._tests:  # noqa: SIM110 -- a generator costs more than the tests; this is the hot loop
            if need.met_by(view) and (matches is None or matches(text)):
                return True
        return False


def _tests(recognizer: EntityRecognizer) -> list[tuple[Need, Matcher | None]]:
    if isinstance(recognizer, PhoneRecognizer):
        return [(Need(0, phone_digits_min(recognizer.supported_regions)), None)]
    if isinstance(recognizer, PatternRecognizer):
        return [(need_of(recognizer.compiled.pattern), _searcher(recognizer.compiled))]
    patterns: Any = getattr(recognizer, "patterns", None)
    if not patterns:
        return [(Need(), None)]
    flags: Any = getattr(recognizer, "global_regex_flags")  # noqa: B009 -- only PatternRecognizers have patterns
    return [(need_of(pattern.regex), _searcher(regex.compile(pattern.regex, flags))) for pattern in patterns]


def _searcher(pattern: Any) -> Matcher:
    search = pattern.search
    return lambda text: search(text, timeout=REGEX_TIMEOUT_S) is not None


class DirectFinder:
    """The recognizers one by one; the results are those of :class:`FullFinder`."""

    def __init__(self, recognizers: tuple[EntityRecognizer, ...], cutter: Cutter) -> None:
        self._runners = [_Runner(recognizer) for recognizer in recognizers]
        self._digitless = [runner for runner in self._runners if runner.needs_no_digit]
        self._cutter = cutter

    def find(self, text: str, context: tuple[str, ...]) -> list[RecognizerResult]:
        """Presidio's results."""
        view = View(text)
        results: list[RecognizerResult] = []
        words: _Words | None = None
        for runner in self._runners if view.digits else self._digitless:
            if not runner.can_match(text, view):
                continue
            found = runner.analyze(text, runner.entities, None)
            if found and runner.context:
                words = words or _Words(self._cutter.cut(text))
                for result in found:
                    _boost(result, runner.context, words, context)
            results += [result for result in found if result.score >= runner.thresholds[result.entity_type]]
        return list(EntityRecognizer.remove_duplicates(results)) if len(results) > 1 else results


def _boost(result: RecognizerResult, wanted: frozenset[str], words: "_Words", context: tuple[str, ...]) -> None:
    if not wanted.isdisjoint(context) or words.has_before(result.start, wanted):
        score = max(result.score + CONTEXT_BOOST, CONTEXT_SCORE_MIN)
        result.score = min(score, EntityRecognizer.MAX_SCORE)


class _Words:
    """The pieces of a text, to look for context words before a match."""

    def __init__(self, pieces: list[tuple[int, str]]) -> None:
        self._ends: list[int] = []
        self._counts: list[int] = []  # per piece: how many words there are up to it
        self._stems: list[str] = []
        for start, piece in pieces:
            if is_word(piece):
                self._stems.append(stem(piece))
            self._ends.append(start + len(piece))
            self._counts.append(len(self._stems))

    def has_before(self, start: int, wanted: frozenset[str]) -> bool:
        """Whether one of ``wanted`` is the word at ``start`` or one of the five before it."""
        last = self._counts[bisect.bisect_right(self._ends, start)]
        return not wanted.isdisjoint(self._stems[max(0, last - CONTEXT_WORDS - 1) : last])
