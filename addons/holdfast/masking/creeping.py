"""A mask that makes a number of what stands beside it creeps along a row of numbers, one with every look.

``1640 1640 1640 …`` is no telephone number as it stands; but once its end is masked, the groups before the mask are
one, and so on. Where a mask has done that twice, all of the row is masked.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any, Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.spans import Span

CREEPING_ROUNDS: Final = 2  # the first look after masks finds what they made of their neighbours, the second creeps
_GAP_CHARS: Final = 3  # between a mask and what it makes a number of
_AROUND: Final = " ,./:\t-"  # what may stand around a row without being part of it
_ROW: Final[Any] = regex.compile(r"[\d ().,+/:\t-]*")
_ROW_BEFORE: Final[Any] = regex.compile(r"(?r)[\d ().,+/:\t-]*")


def rows(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """``spans`` of ``text``, in order; of those that are numbers beside a mask, all of the row."""
    done = 0
    for span in spans:
        if span.start < 0 or not _is_beside_mask(text, span) or not _is_row(text, span):
            yield span
        elif span.end > done:
            start = _ROW_BEFORE.match(text, done, span.start).start()
            done = _ROW.match(text, span.end).end()
            value = text[start:done]
            first, last = done - len(value.lstrip(_AROUND)), start + len(value.rstrip(_AROUND))
            yield dataclasses.replace(span, start=min(first, span.start), end=max(last, span.end))


def _is_row(text: str, span: Span) -> bool:
    return _ROW.fullmatch(text, span.start, span.end) is not None


def _is_beside_mask(text: str, span: Span) -> bool:
    before = text[max(0, span.start - _GAP_CHARS) : span.start]
    return ">" in before or "<" in text[span.end : span.end + _GAP_CHARS]
