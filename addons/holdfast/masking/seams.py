"""The seams of texts that come one after the other: what crosses from one into the next, or is known by the one before.

::

    … her card is 4111 1111 │ 1111 1111, she says          as they come
    … her card is ************1111 │ , she says            as they go

The mask of the whole value stands where the value begins, and nothing in place of the rest. Where the beginning has
gone already, the rest is masked by itself, and counted as late.

A mask of a value that begins in one text and ends in the next may come back as the value (`restore: caller`) where what
stands behind shows its end. Where the next text shows that the value was another, the mask stands for nothing any more.
"""

import dataclasses
from typing import Final

from holdfast.call import Direction
from holdfast.masking.finding import Finding, Issued
from holdfast.masking.place import Place
from holdfast.masking.spans import Span, merge
from holdfast.masking.tails import tail_start
from holdfast.masking.walk import Walk

REACH_CHARS: Final = 256  # of each side of a seam: the longest shipped pattern that crosses blanks needs 236
OPEN_CHARS_MAX: Final = 4096  # of a value that goes on: a key in PEM


@dataclasses.dataclass(frozen=True, slots=True)
class Begun:
    """The value in whose mask a text ends, as far as it was known then; ``beyond_count`` of it come behind."""

    entity: str
    value: str = dataclasses.field(repr=False)
    beyond_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Neighbours:
    """What stands before and behind a text; ``is_masked`` says that the text before ends in a mask, of ``begun``."""

    before: str = ""
    behind: str = ""
    is_masked: bool = False
    begun: Begun | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Seam:
    """A text whose seams are masked, as it is forwarded and as it is kept; nothing else in it is.

    ``next`` is what the text that follows has before it, ``late_count`` how many values had begun to go unmasked;
    ``refused`` is what makes that the message must not travel (`operator: refuse`); ``issued`` are masks that may come
    back.
    """

    forward: str
    kept: str
    next: Neighbours
    findings: tuple[Finding, ...] = ()
    refused: tuple[Finding, ...] = ()
    late_count: int = 0
    issued: tuple[Issued, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Ends:
    """A text at ``path`` of a message whose seams with what is ``beside`` it are to be masked."""

    server: str
    direction: Direction
    path: str
    text: str = dataclasses.field(repr=False)
    beside: Neighbours = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class _Mask:
    """What stands for ``span``, which is ``value``; whether it travels, and whether a message with it may not."""

    span: Span
    value: str = dataclasses.field(repr=False)
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
    whole, size = f"{before}{text}{behind}", len(before)
    following = dataclasses.replace(_next(text, before, found), begun=_begun(whole[size:], text, found, beside.begun))
    alone = _alone(walk, text, place) if found else []
    spans = merge(span for span in found if not _is_alone(span, text, alone))
    reaching = [whole[max(0, span.start + size) : span.end + size] for span in spans if span.start < 0]
    _take_back(walk, beside.begun, reaching)
    if not spans:
        return Seam(text, text, following, issued=walk.issued)
    masks = [_mask(walk, span, whole[span.start + size : span.end + size], text, beside) for span in spans]
    travelling = [one for one in masks if one.travels and place.travels]
    for one in travelling:
        if one.span.start >= 0 and _is_over(whole[size:], one.span.end):
            walk.issue(one.span.entity, one.value, one.text)
    findings = {id(one): _finding(one.span, place) for one in masks if one.text}
    refused = tuple(findings[id(one)] for one in travelling if one.refuses and one.text)
    late_count = 0 if beside.is_masked else sum(span.start < 0 for span in spans)
    forward, kept = _replaced(text, travelling), _replaced(text, masks)
    return Seam(forward, kept, following, tuple(findings.values()), refused, late_count, walk.issued)


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


def _begun(known: str, text: str, found: list[Span], before: Begun | None) -> Begun | None:
    """The value that ``text`` ends in; ``known`` is what is known of it and what follows."""
    for span in merge(found):
        if span.start < len(text) <= span.end:
            beyond = span.end - len(text)
            if span.start >= 0:
                return Begun(span.entity, known[span.start : span.end], beyond)
            return None if before is None else dataclasses.replace(before, beyond_count=beyond)
    return None


def _take_back(walk: Walk, begun: Begun | None, values: list[str]) -> None:
    """Where the value that began before a text is none of ``values``, which do so too, its mask stands for nothing."""
    if begun is None or begun.value in values or not (values or begun.beyond_count):
        return
    walk.withdraw(begun.entity, begun.value)


def _is_over(known: str, end: int) -> bool:
    """Whether a value that ends at ``end`` of ``known`` goes on in nothing that may come."""
    return end < len(known) and tail_start(known, REACH_CHARS) >= end


def _mask(walk: Walk, span: Span, value: str, text: str, beside: Neighbours) -> _Mask:
    if span.start >= 0:
        return _Mask(span, value, *walk.treated(span.entity, value))
    mask = _Mask(span, value, *walk.treated(span.entity, text[: span.end]))
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
