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
_AROUND: Final = " ,./:\t-"  # what may stand around a row without being part of it
_MARK: Final = r"[\t\p{Zs}\p{Zl}\p{Pd}\p{Cf}\p{Mn}\p{Me}().,+/:~\[\]]"
_ESCAPE: Final = (
    r"&(?:amp;)?(?:#x?[0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});|%[0-9A-Fa-f]{2}|\x1b\[[0-9;]{0,8}m"
    r"|\\+(?:[rt]|u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[0-7]{3})"
)
_GAP: Final = rf"(?:{_ESCAPE}|{_MARK}){{0,4}}+"  # between a mask and what it makes a number of
_PARTS: Final = rf"(?:{_ESCAPE}|{_MARK}|\d)*+"  # an escape first: read backwards, it begins with digits
_ROW: Final[Any] = regex.compile(_PARTS)
_ROW_BEFORE: Final[Any] = regex.compile("(?r)" + _PARTS)
_MASK_BEHIND: Final[Any] = regex.compile(_GAP + "<")
_MASK_BEFORE: Final[Any] = regex.compile("(?r)>" + _GAP)


def rows(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """``spans`` of ``text``, in order; of those that are numbers beside a mask, all of the row."""
    done = 0
    for span in spans:
        if span.start < 0 or not _is_beside_mask(text, span) or not _is_row(text, span):
            yield span
        elif span.end > done:
            start = _ROW_BEFORE.match(text, done, span.end).start()  # the number may begin within an escape
            done = _ROW.match(text, span.end).end()
            value = text[start:done]
            first, last = done - len(value.lstrip(_AROUND)), start + len(value.rstrip(_AROUND))
            yield dataclasses.replace(span, start=min(first, span.start), end=max(last, span.end))


def _is_row(text: str, span: Span) -> bool:
    return _ROW.fullmatch(text, span.start, span.end) is not None


def _is_beside_mask(text: str, span: Span) -> bool:
    before = _MASK_BEFORE.match(text, 0, span.start)
    return before is not None or _MASK_BEHIND.match(text, span.end) is not None
