"""The engine: every finding in one text, or :class:`~holdfast.errors.MaskingError`; nothing in between."""

import bisect
import collections
import dataclasses
import hashlib
import importlib.metadata
import operator
from collections.abc import Iterable, Iterator
from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types
from presidio_analyzer import RecognizerResult

from holdfast import jsontext
from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking import addresses, quiet
from holdfast.masking.ahead import texts_of
from holdfast.masking.automata import Automata
from holdfast.masking.budget import Budget
from holdfast.masking.entries import AllowRule, MaskingRules
from holdfast.masking.equipment import DECIDING
from holdfast.masking.finder import DirectFinder, Finder, FullFinder
from holdfast.masking.language import build_language
from holdfast.masking.modelled import MODEL, pieces
from holdfast.masking.phrases import normal
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.spans import Span
from holdfast.masking.spelling import Spelling
from holdfast.masking.spellings import REACH_CHARS, spellings_of, whole_spellings_of
from holdfast.masking.unscanned import UNSCANNED, LeafError
from holdfast.masking.words import Cutter, mask_pattern

LEAF_CHARS_MAX: Final = 1024 * 1024  # a body has at most four such texts; one takes seconds to scan
CACHE_COUNT_MAX: Final = 8192  # agents send the same lists and history again; about 2 MB
NAMES_COUNT_MAX: Final = 8192  # names of members recur
NAME: Final = "presidio-analyzer"
_PLACE: Final = operator.attrgetter("start", "end", "entity", "score", "recognizer", "rule")  # all of a span
_START: Final = operator.itemgetter(0)  # of a mask
_AGAIN: Final = b"again"  # what is found in a text may differ when it is looked at again
WARM_UP: Final = "bob@example.com 4111 1111 1111 1111 DE89370400440532013000 +1 212 555 2368 10.0.0.1 é４"


type _Result = tuple[RecognizerResult, str, int, int]  # what was found, its text, start and end


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """Which engine masks: its name and version, and a digest of the rules and package versions that decide."""

    name: str
    version: str
    config_hex: str


def describe(rules: MaskingRules) -> Engine:
    """What Records say about masking under ``rules``."""
    versions: dict[str, jsontext.Json] = {name: importlib.metadata.version(name) for name in DECIDING}
    stated = hashlib.sha256(repr(rules).encode()).hexdigest()
    return Engine(NAME, str(versions[NAME]), jsontext.digest_hex({"rules": stated, "versions": versions}))


class Scanner:
    """Finds every span of a text that the rules name, in the text as it is and in its other spellings."""

    def __init__(
        self, rules: MaskingRules, cache_key: bytes, automata: Automata | None = None, prefilter: str | None = None
    ) -> None:
        """Build and warm the recognizers. ``cache_key`` (32 bytes) keys the digests under which results are cached.

        ``prefilter`` asks for one of :data:`~holdfast.masking.prefilter.ENGINES`; the best that there is, where None.

        Raises:
            MaskingError: Presidio cannot be loaded with these rules, or does not find what it must.
        """
        self._cache_key = cache_key
        self._cache: collections.OrderedDict[bytes, tuple[Span, ...]] = collections.OrderedDict()
        self._clean_names: set[str] = set()
        names = [*(rule.entity for rule in rules.entities), UNSCANNED]
        self._masks = mask_pattern(names)
        self._rule_ids = {rule.entity: rule.id for rule in rules.entities}
        self._own_ids = {rule.id for rule in rules.patterns} | {rule.id for rule in rules.deny}
        self._allows = [_Allow(rule) for rule in rules.allow]
        try:
            self.finder = _build_finder(rules, Cutter(names), automata, prefilter)
            quiet.quieten()
            self.finder.find(WARM_UP, (), Budget())
            self.finder.find("warm", ("card",), Budget())
        except MaskingError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, the gateway must not start
            raise MaskingError(f"the masking engine cannot be loaded: {type(error).__name__}") from None

    def is_mask(self, text: str) -> bool:
        """Whether ``text`` is nothing but a mask."""
        return text.startswith("<") and self._masks.fullmatch(text) is not None

    def without_masks(self, name: str) -> str:
        """``name`` without the masks in it: what a mask is called says nothing about the value beside it."""
        return self._masks.sub("", name) if "<" in name else name

    def scan(self, text: str, context: tuple[str, ...], budget: Budget) -> tuple[Span, ...]:
        """Every span found in ``text``, which may overlap. ``context`` are words from outside, as stems.

        Raises:
            MaskingError: the text is too long, the budget spent, or Presidio failed, timed out or skipped something.
        """
        if len(text) > LEAF_CHARS_MAX:
            raise LeafError(f"a text has more than {LEAF_CHARS_MAX} characters")
        digest = self._digest(text, context, _AGAIN if budget.is_again else b"")
        known = self._cache.get(digest)
        if known is not None:
            self._cache.move_to_end(digest)
            return known
        spans = self._scan(text, context, budget)
        self._cache[digest] = spans
        if len(self._cache) > CACHE_COUNT_MAX:
            self._cache.popitem(last=False)
        return spans

    def expect(self, value: Json, budget: Budget) -> None:
        """Be told of ``value``, whose texts are about to be scanned."""
        self.finder.expect(texts_of(value), budget)

    def is_clean_name(self, name: str, budget: Budget) -> bool:
        """Whether the name of a member holds no finding. Only clean names are remembered.

        Raises:
            MaskingError: see :meth:`scan`.
        """
        if name in self._clean_names:
            return True
        if self.scan(name, (), budget):
            return False
        if len(self._clean_names) >= NAMES_COUNT_MAX:
            self._clean_names.clear()
        self._clean_names.add(name)
        return True

    def _digest(self, text: str, context: tuple[str, ...], look: bytes) -> bytes:
        # No plaintext stays in the cache: a core dump shows digests under a key that is not beside them on disk.
        named = "\0".join((*context, "", text)).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(named, key=self._cache_key, digest_size=16, person=look).digest()

    def _scan(self, text: str, context: tuple[str, ...], budget: Budget) -> tuple[Span, ...]:
        try:
            budget.begin_leaf()
            budget.spend(len(text))
            spelt = spellings_of(text)
            both = (*self._find(text, context, budget), *self._find_spelt(text, spelt.others, context, budget))
            results = [(result, found, *spelt.whole(start, end)) for result, found, start, end in both]
        except MaskingError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever it is, the message must not pass
            # The chain is cut: what failed may quote the text.
            raise LeafError(f"the masking engine failed: {type(error).__name__}") from None
        masks = [match.span() for match in self._masks.finditer(text)] if results else []
        distinct = _distinct(budget.each(results))
        spans = {
            self._span(result, start, end)
            for result, found, start, end in _said(distinct, text, masks, is_again=budget.is_again)
            if not _inside(start, end, masks)
            and not any(
                allow.lets(result.entity_type, found, budget.search_s)
                or allow.names(result.entity_type, text[start:end])
                for allow in self._allows
            )
        }
        return tuple(sorted(spans, key=_PLACE))

    def _find(self, text: str, context: tuple[str, ...], budget: Budget) -> list[_Result]:
        results: list[_Result] = []
        for result in self.finder.find(text, context, budget):
            start, end = result.start, result.end
            if result.entity_type == addresses.ENTITY:
                start = addresses.address_start(text, start, end)
            results.append((result, text[start:end], start, end))
        return results

    def _find_spelt(
        self, text: str, others: tuple[Spelling, ...], context: tuple[str, ...], budget: Budget
    ) -> list[_Result]:
        results: list[_Result] = []
        for spelling in others:
            found = self._find_in(spelling, context, budget, is_part=True)
            if spelling.is_cut((one[2:] for one in found), len(text)):
                # Once is enough: a whole spelling may begin behind the text's first character, where that is nothing.
                return [one for whole in whole_spellings_of(text) for one in self._find_in(whole, context, budget)]
            results += found
        return results

    def _find_in(
        self, spelling: Spelling, context: tuple[str, ...], budget: Budget, *, is_part: bool = False
    ) -> list[_Result]:
        # What is far from all that is spelled otherwise was found in the text itself, and there it is not cut.
        budget.spend(len(spelling.text))
        return [
            (result, found, *spelling.span(start, end))
            for result, found, start, end in self._find(spelling.text, context, budget)
            if not is_part or not spelling.is_far(start, end, REACH_CHARS)
        ]

    def _span(self, result: RecognizerResult, start: int, end: int) -> Span:
        recognizer = _recognizer(result)
        rule = recognizer if recognizer in self._own_ids else self._rule_ids[result.entity_type]
        return Span(start, end, result.entity_type, round(float(result.score), 2), recognizer, rule)


def _distinct(results: Iterable[_Result]) -> Iterable[_Result]:
    """``results``, of which each spelling has most, each once."""
    known: dict[tuple[object, ...], _Result] = {}
    for one in results:
        result, found, start, end = one
        known[(start, end, result.score, result.entity_type, _recognizer(result), found)] = one
    return known.values()


def _said(results: Iterable[_Result], text: str, masks: list[tuple[int, int]], *, is_again: bool) -> Iterator[_Result]:
    """``results``, those of a model as far as they are about ``text`` and not about the masks in it."""
    for result, found, start, end in results:
        if _recognizer(result) != MODEL:
            yield result, found, start, end
        elif not is_again:  # a model has read all of the text before anything was masked in it
            for first, last in pieces(text, start, end, masks):
                yield result, found if (first, last) == (start, end) else text[first:last], first, last


def _inside(start: int, end: int, masks: list[tuple[int, int]]) -> bool:
    before = bisect.bisect_right(masks, start, key=_START)
    return before > 0 and end <= masks[before - 1][1]


def _recognizer(result: RecognizerResult) -> str:
    return str(result.recognition_metadata[RecognizerResult.RECOGNIZER_NAME_KEY])


def _build_finder(rules: MaskingRules, cutter: Cutter, automata: Automata | None, prefilter: str | None) -> Finder:
    recognizers = build_recognizers(rules)
    if rules.spacy_model is None:
        return DirectFinder(recognizers, cutter, prefilter, automata)
    return FullFinder(recognizers, build_language(rules, cutter))


class _Allow:
    """An allow list, ready to ask."""

    def __init__(self, rule: AllowRule) -> None:
        self._entity = rule.entity
        self._words = frozenset(normal(word).casefold() for word in rule.words)
        self._pattern = regex.compile(rule.pattern, regex.IGNORECASE) if rule.pattern else None

    def lets(self, entity: str, value: str, timeout_s: float) -> bool:
        if self.names(entity, value):
            return True
        pattern = self._pattern if self._entity in (None, entity) else None
        return pattern is not None and pattern.fullmatch(value, timeout=timeout_s) is not None

    def names(self, entity: str, value: str) -> bool:
        """Whether ``value`` is one of the words, which stand for themselves however they are read otherwise."""
        return bool(self._words) and self._entity in (None, entity) and normal(value).casefold() in self._words
