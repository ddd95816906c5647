"""Recognizers, each with the cheap reasons not to run it and with its patterns where they can match.

Presidio's recognizers stay the judges: their patterns, scores, validation and invalidation decide. What is left out is
what cannot change the outcome: text in which no match is possible, and patterns whose score no word there can lift over
the threshold.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import presidio_analyzer
import regex  # type: ignore[import-untyped] # it ships no types
from presidio_analyzer import EntityRecognizer, RecognizerResult

from holdfast.masking.budget import Budget
from holdfast.masking.duplicates import without_duplicates
from holdfast.masking.emails import email_search
from holdfast.masking.phones import PhoneSearch
from holdfast.masking.prefilter import Hits
from holdfast.masking.recognizers import PatternRecognizer, PhoneRecognizer, result_of
from holdfast.masking.search import Filtered, Search, Spans
from holdfast.masking.urls import url_search
from holdfast.masking.view import View

_JUDGED_MAX: Final = 4096  # values of a message that one recognizer knows, when it is asked for more


class Runner(Protocol):
    """Runs one recognizer."""

    words: "ContextWords"
    thresholds: dict[str, float]
    needs_no_digit: bool

    @property
    def searches(self) -> Sequence[Filtered]:
        """One of these matches wherever the recognizer finds something. Where there are none, it always runs."""

    def run(self, view: View, hits: Hits | None, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        """What the recognizer finds, without what context words cannot lift over the threshold.

        Raises:
            TimeoutError: a pattern takes too long.
            MaskingError: the message takes too long.
        """


def runner_of(recognizer: EntityRecognizer) -> Runner:
    """The cheapest sound way to run ``recognizer``."""
    kind: Any = type(recognizer)
    if isinstance(recognizer, PhoneRecognizer):
        return _PhoneRunner(recognizer)
    if isinstance(recognizer, PatternRecognizer):
        return _OwnRunner(recognizer)
    if getattr(kind, "analyze", None) is presidio_analyzer.PatternRecognizer.analyze:
        return _PresidioRunner(recognizer)
    return _WholeRunner(recognizer)


class ContextWords:
    """The words that lift the scores of a recognizer, as stems, and whether they can in a text."""

    def __init__(self, words: Iterable[str]) -> None:
        self.stems = frozenset(words)
        self._chars = {word: frozenset(word) for word in self.stems}
        self._plain = all(word.isascii() for word in self.stems)
        self._lettered = all(any(char.isalpha() for char in word) for word in self.stems)

    def may_help(self, view: View, context: tuple[str, ...]) -> bool:
        """Whether one of the words stands anywhere in the text but in masks, or outside it."""
        known = view.helped.get(self)
        if known is None:
            known = view.helped[self] = self._may_help(view, context)
        return known

    def _may_help(self, view: View, context: tuple[str, ...]) -> bool:
        if not self.stems:
            return False
        if not self._plain or not self.stems.isdisjoint(context):
            return True
        if self._lettered and not view.has_letters:
            return False
        return view.has_unmasked(self._chars)


class _PresidioRunner:
    """A recognizer that searches as Presidio's base class does."""

    def __init__(self, recognizer: Any) -> None:
        base = presidio_analyzer.PatternRecognizer
        self.words = ContextWords(recognizer.context)
        self.thresholds: dict[str, float] = recognizer.score_thresholds
        self._recognizer = recognizer
        threshold = self.thresholds[recognizer.supported_entities[0]]
        may_rise = type(recognizer).validate_result is not base.validate_result
        may_rise = may_rise and not getattr(recognizer, "never_rises", False)
        self._searches = [
            (_search(recognizer, pattern), pattern.score, not may_rise and pattern.score < threshold)
            for pattern in recognizer.patterns
        ]
        self.searches = [search for search, *_ in self._searches]
        self.needs_no_digit = any(not search.needs_digit for search in self.searches)

    def run(self, view: View, hits: Hits | None, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        results: list[RecognizerResult] = []
        helped: bool | None = None
        known = budget.judged.setdefault(self, {})  # values come again, also in other texts
        if len(known) > _JUDGED_MAX:
            known.clear()
        for search, score, is_weak in self._searches:
            if hits is not None and search.filter is not None and search.filter not in hits:
                continue
            if is_weak:
                helped = self.words.may_help(view, context) if helped is None else helped
                if not helped:
                    continue
            for start, end in budget.each(search.spans(view, hits, budget)):
                key = (view.text[start:end], score)
                judged = known[key] if key in known else known.setdefault(key, self._judged(*key))
                if judged > EntityRecognizer.MIN_SCORE:
                    results.append(result_of(self._recognizer, (start, end), judged))
        return without_duplicates(results)

    def _judged(self, found: str, score: float) -> float:
        if not found:
            return EntityRecognizer.MIN_SCORE
        valid = self._recognizer.validate_result(found)
        if valid is not None:
            score = EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
        return EntityRecognizer.MIN_SCORE if self._recognizer.invalidate_result(found) else score


class _OwnRunner:
    """An own pattern or a list of words."""

    def __init__(self, recognizer: PatternRecognizer) -> None:
        self.words = ContextWords(recognizer.context)
        self.thresholds: dict[str, float] = recognizer.score_thresholds
        self._recognizer = recognizer
        self._search = Search(recognizer.compiled, recognizer.group)
        self.searches: Sequence[Filtered] = [self._search]
        self._is_weak = recognizer.score < self.thresholds[recognizer.supported_entities[0]]
        self.needs_no_digit = not self._search.needs_digit

    def run(self, view: View, hits: Hits | None, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        if self._is_weak and not self.words.may_help(view, context):
            return []
        spans = self._search.spans(view, hits, budget)
        return self._recognizer.results(view.text, budget.each(spans)) if spans else []


class _PhoneRunner:
    """Telephone numbers."""

    needs_no_digit = False

    def __init__(self, recognizer: PhoneRecognizer) -> None:
        self.words = ContextWords(recognizer.context)
        self.thresholds: dict[str, float] = recognizer.score_thresholds
        self._recognizer = recognizer
        self._search = PhoneSearch(recognizer.supported_regions, recognizer.leniency or 0)
        self.searches: Sequence[Filtered] = [self._search]
        self._counts_bare = recognizer.bare_score >= self.thresholds[recognizer.supported_entities[0]]

    def run(self, view: View, hits: Hits | None, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:
        if hits is not None and self._search.filter is not None and self._search.filter not in hits:
            return []
        with_bare = self._counts_bare or self.words.may_help(view, context)
        spans = self._search.spans(view, hits, budget, with_bare=with_bare)
        if not with_bare:  # nor does a number without a mark of one count that stands among others
            spans = [span for span in budget.each(spans) if not self._recognizer.is_weak(view.text, *span)]
        results = [self._recognizer.result(view.text, *span) for span in budget.each(spans)]
        return without_duplicates(results)


class _WholeRunner:
    """A recognizer with a way of its own: it gets the whole text, where one of its patterns matches."""

    def __init__(self, recognizer: Any) -> None:
        self.words = ContextWords(recognizer.context)
        self.thresholds: dict[str, float] = recognizer.score_thresholds
        self._recognizer = recognizer
        self.searches = [
            Search(_compiled(recognizer, pattern)) for pattern in getattr(recognizer, "patterns", None) or ()
        ]
        self.needs_no_digit = not all(search.needs_digit for search in self.searches) or not self.searches

    def run(self, view: View, hits: Hits | None, context: tuple[str, ...], budget: Budget) -> list[RecognizerResult]:  # noqa: ARG002 -- a Runner
        if self.searches and not any(search.spans(view, hits, budget) for search in self.searches):
            return []
        found: list[RecognizerResult] = self._recognizer.analyze(view.text, self._recognizer.supported_entities, None)
        return found


def _search(recognizer: Any, pattern: Any) -> Spans:
    flags = recognizer.global_regex_flags
    known = url_search(pattern.regex, flags) or email_search(pattern.regex, flags)
    return known or Search(_compiled(recognizer, pattern))


def _compiled(recognizer: Any, pattern: Any) -> Any:
    return regex.compile(pattern.regex, recognizer.global_regex_flags)
