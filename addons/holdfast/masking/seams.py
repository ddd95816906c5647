"""The seams of texts that come one after the other: what crosses from one into the next, or is known by the one before.

::

    … her card is 4111 1111 │ 1111 1111, she says          as they come
    … her card is ************1111 │ , she says            as they go

The mask of the whole value stands where the value begins, and nothing in place of the rest. Where the beginning has
gone already, the rest is masked by itself, and counted as late.
"""

import dataclasses
from typing import Final

from holdfast.masking.finding import Finding
from holdfast.masking.place import Place
from holdfast.masking.spans import Span, merge
from holdfast.masking.walk import Walk

REACH_CHARS: Final = 256  # of each side of a seam: the longest shipped pattern that crosses blanks needs 236
OPEN_CHARS_MAX: Final = 4096  # of a value that goes on: a key in PEM


@dataclasses.dataclass(frozen=True, slots=True)
class Neighbours:
    """What stands before and behind a text; ``is_masked`` says that the text before ends in a mask."""

    before: str = ""
    behind: str = ""
    is_masked: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Seam:
    """A text whose seams are masked, as it is forwarded and as it is kept; nothing else in it is.

    ``next`` is what the text that follows has before it, ``late_count`` how many values had begun to go unmasked;
    ``refused`` is what makes that the message must not travel (`operator: refuse`).
    """

    forward: str
    kept: str
    next: Neighbours
    findings: tuple[Finding, ...] = ()
    refused: tuple[Finding, ...] = ()
    late_count: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class _Mask:
    """What stands for ``span``; whether it travels, and whether a message with it may not."""

    span: Span
    text: str
    travels: bool
    refuses: bool


def seam(walk: Walk, text: str, beside: Neighbours, place: Place) -> Seam:
    """``text`` with what is found across its ends masked.

    Raises:
        MaskingError: the engine cannot vouch for it.
    """
    place = walk.settled(place)
    before, behind = beside.before, beside.behind[:REACH_CHARS]
    found = _found(walk, text, before, behind, place)
    following = _next(text, before, found)
    alone = _alone(walk, text, place) if found else []
    spans = merge(span for span in found if not _is_alone(span, text, alone))
    if not spans:
        return Seam(text, text, following)
    whole, size = f"{before}{text}{behind}", len(before)
    masks = [_mask(walk, span, whole[span.start + size : span.end + size], text, beside) for span in spans]
    travelling = [one for one in masks if one.travels and place.travels]
    findings = {id(one): _finding(one.span, place) for one in masks if one.text}
    refused = tuple(findings[id(one)] for one in travelling if one.refuses and one.text)
    late_count = 0 if beside.is_masked else sum(span.start < 0 for span in spans)
    return Seam(
        _replaced(text, travelling), _replaced(text, masks), following, tuple(findings.values()), refused, late_count
    )


def is_found(walk: Walk, text: str, start: int, place: Place) -> bool:
    """Whether what stands at the end of ``text`` from ``start`` on is found already, and masked whatever follows.

    Raises:
        MaskingError: the engine cannot vouch for it.
    """
    first = max(0, len(text) - REACH_CHARS)
    spans = walk.spans(text[first:], "", walk.settled(place))
    return any(
        not _says(text[start : first + span.start]) and not _says(text[first + span.end :])
        for span in spans
        if first + span.end > start
    )


def _says(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _is_short(text: str) -> bool:
    return len(text) <= 2 * REACH_CHARS


def _alone(walk: Walk, text: str, place: Place) -> list[Span]:
    return walk.spans(text if _is_short(text) else text[:REACH_CHARS], "", place)


def _found(walk: Walk, text: str, before: str, behind: str, place: Place) -> list[Span]:
    """What is found in ``text`` and across its ends, counted from its beginning.

    A word before gives context although no blank stands between: "his SSN is" and "234456789".
    """
    at = 0 if _is_short(text) else len(text) - REACH_CHARS
    head, tail = (text + behind if not at else text[:REACH_CHARS]), text[at:] + behind
    found = [span for span in walk.spans(head, before, place) if span.start < 0 or not before or not at]
    if before:
        found += [span for span in walk.spans(head, f"{before} ", place) if span.start >= 0]
    if at:
        spans = walk.spans(tail, "", place)
        found += [dataclasses.replace(span, start=span.start + at, end=span.end + at) for span in spans]
    return [span for span in found if span.start < len(text)]


def _is_alone(span: Span, text: str, alone: list[Span]) -> bool:
    """Whether ``span`` is found in ``text`` without its neighbours too; it is masked there like anything else."""
    if span.start < 0 or span.end > len(text):
        return False
    return any(one.start <= span.start and span.end <= one.end for one in alone)


def _next(text: str, before: str, spans: list[Span]) -> Neighbours:
    """What the text behind ``text`` will have before it: all of a value that may go on, or what gives context."""
    open_from = min((span.start for span in spans if span.start < len(text) <= span.end), default=None)
    # A value that begins in this text has been found with a blank before it, if need be.
    whole = f"{before} {text}" if before and open_from is not None and open_from >= 0 else f"{before}{text}"
    chars = REACH_CHARS if open_from is None else max(REACH_CHARS, len(text) - open_from)
    return Neighbours(whole[-min(chars, OPEN_CHARS_MAX) :], "", is_masked=open_from is not None)


def _mask(walk: Walk, span: Span, value: str, text: str, beside: Neighbours) -> _Mask:
    if span.start >= 0:
        return _Mask(span, *walk.treated(span.entity, value))
    mask = _Mask(span, *walk.treated(span.entity, text[: span.end]))
    return dataclasses.replace(mask, text="") if beside.is_masked else mask


def _finding(span: Span, place: Place) -> Finding:
    return Finding(span.rule, span.entity, place.path, span.length, span.score, span.recognizer)


def _replaced(text: str, masks: list[_Mask]) -> str:
    parts: list[str] = []
    at = 0
    for mask in masks:
        parts += [text[at : max(0, mask.span.start)], mask.text]
        at = mask.span.end
    return "".join((*parts, text[at:]))
