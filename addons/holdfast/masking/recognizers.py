"""The recognizers that the rules ask for: Presidio's, some of them made stricter, and one per own pattern and list.

Shapes that are bare numbers score below the threshold until a context word or the member's name speaks for them:
ids, epoch times and order numbers are most of the numbers in tool traffic.
"""

from collections.abc import Iterable
from typing import Any, Final

import presidio_analyzer.predefined_recognizers as presidio
import regex  # type: ignore[import-untyped] # it ships no types
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, LocalRecognizer, Pattern, RecognizerResult

from holdfast.masking.budget import Budget
from holdfast.masking.catalogue import CONTEXT_ONLY, MODEL_ENTITIES, RECOGNIZERS
from holdfast.masking.checksums import CHECKS, Validator
from holdfast.masking.duplicates import without_duplicates
from holdfast.masking.entries import DenyRule, MaskingRules, PatternRule
from holdfast.masking.phones import matched
from holdfast.masking.phrases import expression
from holdfast.masking.quiet import REGEX_TIMEOUT_S
from holdfast.masking.words import stem

_EXACT_FLAGS: Final = regex.DOTALL | regex.MULTILINE
_FLAGS: Final = _EXACT_FLAGS | regex.IGNORECASE
_BARE_SCORE: Final = 0.05  # with a context word 0.4, Presidio's lowest score that counts
_IPV6_DIGITS_MIN: Final = 5  # fewer are two small groups, as slices have them
_IPV6_GROUP_MIN: Final = 3
_LICENCE_CHARS_MIN: Final = 5
_DATE_START: Final = regex.compile(r"(?:19|20)\d\d[-/. ]?(?:0\d|1[0-2])[-/. ]?[0-3]\d")
_DATE_INSIDE: Final = regex.compile(r"(?<!\d)(?:19|20)\d\d[-/.](?:0\d|1[0-2])[-/.][0-3]\d(?!\d)|[-.]{2}")
_BOOK: Final = regex.compile(r"\bISBN[\w -]{0,8}[\s:#]{0,3}\Z", regex.IGNORECASE)
_BOOK_CHARS: Final = 20  # as many before a number may say that it is a book's
_GLUE_BEFORE: Final = regex.compile(r"[\w./:@#=+-]\Z")
_GLUE_AFTER: Final = regex.compile(r"[\w/:@=-]|\.\d")


class CardRecognizer(presidio.CreditCardRecognizer):
    """Presidio's, except that a number that begins with 1 needs a context word.

    Only UATP issues such cards; epoch times in microseconds begin so too, and every tenth of them passes Luhn.
    """

    def validate_result(  # type: ignore[override] # its base allows None too, its own annotation forgot
        self, pattern_text: str
    ) -> bool | None:
        """None, which leaves the pattern's own score, where the checksum holds and says little."""
        holds = bool(super().validate_result(pattern_text))
        return None if holds and pattern_text.startswith("1") else holds


class EmailRecognizer(presidio.EmailRecognizer):
    """Presidio's, except that only the domain is checked: with a ``/`` before it, the whole reads as a URL's path."""

    def validate_result(self, pattern_text: str) -> bool:
        """Whether the domain ends in a public suffix."""
        check: Any = super().validate_result
        return bool(check(pattern_text.rpartition("@")[2]))


class IpRecognizer(presidio.IpRecognizer):
    """Presidio's, except that object identifiers and slices (``1::2``) are none.

    Addresses of IPv6 in use begin with a group of three digits or more; tcpdump writes a port as a fifth group of IPv4.
    """

    PATTERNS = [  # noqa: RUF012 -- its base declares it so
        Pattern(pattern.name, rf"(?<!\d\.){pattern.regex}(?!\.\d{{1,5}}\.\d)", pattern.score)
        for pattern in presidio.IpRecognizer.PATTERNS
    ]

    def invalidate_result(self, pattern_text: str) -> bool:
        """Whether Presidio rules the text out, or it is too short for an address of IPv6."""
        check: Any = super().invalidate_result
        first, colon, _ = pattern_text.partition(":")
        hex_count = sum(map(str.isalnum, pattern_text))
        is_short = colon != "" and len(first) < _IPV6_GROUP_MIN and hex_count < _IPV6_DIGITS_MIN
        return is_short or bool(check(pattern_text))


class LicenceRecognizer(presidio.MedicalLicenseRecognizer):
    """Presidio's, except that the number stands by itself: one in 70 random ids of 32 hex digits has one inside."""

    PATTERNS = [  # noqa: RUF012 -- its base declares it so
        Pattern("DEA number", r"(?<![a-zA-Z0-9])(?:[a-hj-mpr-ux][a-z]|[a-hj-mpr-ux]9)\d{7}(?![a-zA-Z0-9])", 0.4)
    ]


class MacRecognizer(presidio.MacAddressRecognizer):
    """Presidio's, except that nine bytes and more in a row are a fingerprint of something, and no address."""

    PATTERNS = [  # noqa: RUF012 -- its base declares it so
        Pattern(
            pattern.name,
            rf"(?<![0-9A-Fa-f]{{2}}[:-][0-9A-Fa-f]{{2}}[:-][0-9A-Fa-f]{{2}}[:-]){pattern.regex}"
            r"(?![:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2})",
            pattern.score,
        )
        for pattern in presidio.MacAddressRecognizer.PATTERNS
    ]


class DriverLicenceRecognizer(presidio.UsLicenseRecognizer):
    """Presidio's, except that five letters and digits at least stand in it: versions of drivers are called R503."""

    def invalidate_result(self, pattern_text: str) -> bool:
        """Whether ``pattern_text`` is too short for a licence."""
        return len(pattern_text) < _LICENCE_CHARS_MIN


class PanRecognizer(presidio.InPanRecognizer):
    """Presidio's surest pattern; the others match every word of ten letters with four digits in it."""

    PATTERNS = presidio.InPanRecognizer.PATTERNS[:1]


class ContextOnly:
    """Put before a class of Presidio's: what it finds counts beside a context word only."""

    never_rises = True  # so a text without the words need not be searched

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        for pattern in (patterns := self._own_patterns()):
            pattern.score = min(pattern.score, _BARE_SCORE)
        self.patterns = patterns

    def _own_patterns(self) -> list[Pattern]:
        shared: list[Pattern] = self.patterns  # of the class, and so of everybody's
        return [Pattern(pattern.name, pattern.regex, pattern.score) for pattern in shared]

    def validate_result(self, pattern_text: str) -> bool | None:
        """None, which leaves the pattern's own score, unless the checksum fails."""
        check: Any = super().validate_result  # type: ignore[misc] # of the class that stands behind this one
        return False if check(pattern_text) is False else None


def _in_context(kind: Any) -> Any:
    return type(kind.__name__, (ContextOnly, kind), {})


class PhoneRecognizer(presidio.PhoneRecognizer):
    """Presidio's, except that bare digits, dates and parts of longer tokens need a context word."""

    bare_score = _BARE_SCORE

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 -- Presidio's interface
        nlp_artifacts: Any = None,  # noqa: ARG002 -- Presidio's interface
    ) -> list[RecognizerResult]:
        """Presidio's results, without asking for each number's region, which only its explanation names."""
        results = [
            self.result(text, *span)
            for region in self.supported_regions
            for span in matched(text, region, self.leniency or 0, Budget())
        ]
        return without_duplicates(results)

    def result(self, text: str, start: int, end: int) -> RecognizerResult:
        """What is said of the number at ``start``."""
        score = self.bare_score if self.is_weak(text, start, end) else self.SCORE
        return result_of(self, (start, end), score)

    def is_weak(self, text: str, start: int, end: int) -> bool:
        """Whether the number at ``start`` counts beside a context word only."""
        number = text[start:end]
        return (
            number.isdecimal()
            or _DATE_START.match(number) is not None
            or _DATE_INSIDE.search(number) is not None
            or _BOOK.search(text[max(0, start - _BOOK_CHARS) : start]) is not None
            or (number[0] != "+" and _GLUE_BEFORE.search(text[max(0, start - 1) : start]) is not None)
            or _GLUE_AFTER.match(text, end) is not None
        )


def result_of(recognizer: Any, span: tuple[int, int], score: float) -> RecognizerResult:
    """A result of ``recognizer`` for its only entity."""
    start, end = span
    metadata = {
        RecognizerResult.RECOGNIZER_NAME_KEY: recognizer.name,
        RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: recognizer.id,
    }
    explanation = AnalysisExplanation(recognizer.name, score)
    return RecognizerResult(recognizer.supported_entities[0], start, end, score, explanation, metadata)


class PatternRecognizer(LocalRecognizer):
    """One own regular expression: finds the group ``value`` where there is one, validated where the rule says so."""

    def __init__(
        self,
        rule_id: str,
        entity: str,
        pattern: str,
        score: float,
        context: tuple[str, ...] = (),
        validator: Validator | None = None,
        *,
        case_sensitive: bool = False,
    ) -> None:
        self.compiled = regex.compile(pattern, _EXACT_FLAGS if case_sensitive else _FLAGS)
        self.score = score
        self._holds = CHECKS[validator] if validator is not None else None
        self.group: str | int = "value" if "value" in self.compiled.groupindex else 0
        super().__init__(supported_entities=[entity], name=rule_id, context=list(context))

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002 -- Presidio's interface
        nlp_artifacts: Any = None,  # noqa: ARG002 -- Presidio's interface
    ) -> list[RecognizerResult]:
        """Every match. Raises TimeoutError, which Presidio passes on, where the expression takes too long."""
        matches = self.compiled.finditer(text, timeout=REGEX_TIMEOUT_S)
        return self.results(text, (match.span(self.group) for match in matches))

    def results(self, text: str, spans: Iterable[tuple[int, int]]) -> list[RecognizerResult]:
        """What is said of ``spans`` of ``text``, which are matches of the expression, or the group of each."""
        results = [
            result_of(self, (start, end), self.score)
            for start, end in spans
            if start < end and (self._holds is None or self._holds(text[start:end]))
        ]
        return without_duplicates(results)


def _from_pattern(rule: PatternRule) -> PatternRecognizer:
    return PatternRecognizer(
        *(rule.id, rule.entity, rule.regex, rule.score, rule.context, rule.validator),
        case_sensitive=rule.case_sensitive,
    )


def _from_words(rule: DenyRule) -> PatternRecognizer:
    return PatternRecognizer(rule.id, rule.entity, expression(rule.words), 1.0)


_OWN: Final = {
    "CREDIT_CARD": CardRecognizer,
    "EMAIL_ADDRESS": EmailRecognizer,
    "IN_PAN": PanRecognizer,
    "IP_ADDRESS": IpRecognizer,
    "MAC_ADDRESS": MacRecognizer,
    "MEDICAL_LICENSE": LicenceRecognizer,
    "PHONE_NUMBER": PhoneRecognizer,
    "US_DRIVER_LICENSE": DriverLicenceRecognizer,
}


def build_recognizers(rules: MaskingRules) -> tuple[EntityRecognizer, ...]:
    """One recognizer per entity, own pattern and deny list; thresholds and context words set as the rules say."""
    built: list[EntityRecognizer] = []
    for rule in rules.entities:
        if rule.entity not in RECOGNIZERS:
            continue
        kind = _OWN.get(rule.entity) or getattr(presidio, RECOGNIZERS[rule.entity])
        kind = _in_context(kind) if rule.entity in CONTEXT_ONLY else kind
        arguments = {"supported_regions": rules.phone_regions} if rule.entity == "PHONE_NUMBER" else {}
        recognizer = kind(supported_language=rules.language, **arguments)
        if rule.context is not None:
            recognizer.context = list(rule.context)
        built.append(recognizer)
    built.extend(map(_from_pattern, rules.patterns))
    built.extend(map(_from_words, rules.deny))
    if rules.spacy_model is not None:
        wanted = [rule.entity for rule in rules.entities if rule.entity in MODEL_ENTITIES]
        built.append(presidio.SpacyRecognizer(supported_language=rules.language, supported_entities=wanted))
    for recognizer in built:
        recognizer.context = _single_words(recognizer.context)
        recognizer.score_thresholds = {
            entity: found.threshold
            for entity in recognizer.supported_entities
            if (found := rules.entity(entity)) is not None
        }
    return tuple(built)


def _single_words(context: list[str] | None) -> list[str]:
    # Words are compared one by one, as stems; Presidio's phrases ("mac address") never matched anything.
    return sorted({stem(word.strip()) for word in context or () if " " not in word.strip()})
