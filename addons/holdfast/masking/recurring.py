"""Names that come again: what a label or an address says is a person's name once is one wherever the text has it."""

import bisect
import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from holdfast.masking.spans import Span

NAMES_COUNT_MAX: Final = 64  # of one text; each has it looked through
_PERSON: Final = "PERSON"
_MODEL: Final = "SpacyRecognizer"  # it has read all of the text
# One word alone may be any word.
_WHOLE: Final = re.compile(r"(?=.{5,64}\Z)[^\W\d_][^\d\s<>]*(?: [^\W\d_][^\d\s<>]*){1,4}")


def recurring(text: str, spans: Sequence[Span], spend: Callable[[int], None]) -> Sequence[Span]:
    """``spans`` of ``text``, and where names of persons among them stand once more.

    Raises:
        MaskingError: the message takes too long; ``spend`` counts the characters that are about to be looked at.
    """
    names: dict[str, Span] = {}
    for span in spans:
        if span.entity == _PERSON and span.recognizer != _MODEL:
            value = text[max(0, span.start) : span.end]
            if _WHOLE.fullmatch(value):
                names.setdefault(value, span)
    if not names:
        return spans
    covered = sorted((span.start, span.end) for span in spans)
    ends = list(itertools.accumulate((end for _, end in covered), max))
    more: list[Span] = []
    for value, span in itertools.islice(names.items(), NAMES_COUNT_MAX):
        spend(len(text))
        for start in _places(text, value):
            before = bisect.bisect_left(covered, (start + len(value), 0)) - 1
            if before < 0 or ends[before] <= start:
                more.append(dataclasses.replace(span, start=start, end=start + len(value)))
    return (*spans, *more)


def _places(text: str, value: str) -> Iterator[int]:
    """Where ``value`` stands in ``text``, and not within a word."""
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum():
            yield at
        at = text.find(value, end)
