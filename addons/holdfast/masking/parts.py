"""One step of a text that arrives in pieces: how much of what is held may go, and as what.

A step is a value in and a value out, so that a worker process can take it where the event loop has no time for it. What
is held, and when to look at it, is the business of :class:`~holdfast.masking.pieces.Pieces`.
"""

import dataclasses
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from holdfast.call import Direction
from holdfast.errors import MaskingError
from holdfast.masking.finding import Finding
from holdfast.masking.place import Before, Place
from holdfast.masking.spans import Span
from holdfast.masking.walk import Walk

RUN_CHARS_MAX: Final = 4096  # a longer run without a blank is no key or token that a pattern knows
CUTS_MAX: Final = 8  # places tried for a cut before more text is awaited
_WIDE: Final = "\u2e80"  # from here on scripts are written without blanks


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """What is ``held`` of a text that will stand at ``path``, after what has ``gone``.

    At least ``back_chars`` characters stay held, unless it ``is_last``: then all goes.
    """

    server: str
    tool: str | None
    direction: Direction
    path: str
    back_chars: int
    held: str = dataclasses.field(default="", repr=False)
    gone: Before = dataclasses.field(default_factory=Before, repr=False)
    is_last: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Parted:
    """The first ``taken_count`` characters of what was held, as they are forwarded and as they are kept.

    ``refused`` is what makes that they must not travel; ``late_count`` how many findings had begun before them.
    """

    taken_count: int = 0
    forward: str = dataclasses.field(default="", repr=False)
    keep: str = dataclasses.field(default="", repr=False)
    findings: tuple[Finding, ...] = ()
    refused: tuple[Finding, ...] = ()
    late_count: int = 0


def parted(part: Part, walk: Callable[[], Walk]) -> Parted:
    """What may go of ``part``. ``walk`` makes a Walk for each try.

    Raises:
        MaskingError: the engine cannot vouch for it.
    """
    place = walk().settled(Place(part.path))
    if part.is_last:
        return _rest(part, place, walk)
    spans = walk().spans(part.held, part.gone.raw, place)
    at = _cut(part.held, len(part.held) - part.back_chars, spans)
    for _ in range(CUTS_MAX):
        if not at:
            break
        done = _up_to(at, part, place, walk())
        if done is not None:
            return done
        at = _cut(part.held, at - 1, spans)  # masks have brought together what was apart, right across the cut
    return Parted()


def _rest(part: Part, place: Place, walk: Callable[[], Walk]) -> Parted:
    if part.gone.raw:
        done = _up_to(len(part.held), part, place, walk())
        if done is None:
            raise MaskingError("the end of a text cannot be cut")
        return done
    walked = walk()
    forward, keep = walked.text(part.held, place)
    return Parted(len(part.held), forward, keep, walked.findings, walked.refused)


def _up_to(at: int, part: Part, place: Place, walk: Walk) -> Parted | None:
    pair = walk.part(part.held, at, part.gone, place)
    return None if pair is None else Parted(at, *pair, walk.findings, walk.refused, walk.late_count)


def _cut(held: str, limit: int, spans: Sequence[Span]) -> int:
    """How much of what is held may go: up to a blank that stands in no finding."""
    at = _boundary(held, limit)
    while at and (crossing := [span.start for span in spans if span.start < at < span.end]):
        at = _boundary(held, min(crossing))
    return at


def _boundary(text: str, limit: int) -> int:
    """The last place up to ``limit`` that stands behind a blank; 0 where a run that is not too long has none."""
    for at in range(limit, max(0, limit - RUN_CHARS_MAX), -1):
        if text[at - 1].isspace() or (text[at - 1] >= _WIDE and unicodedata.category(text[at - 1]) == "Lo"):
            return at
    return max(0, limit) if limit > RUN_CHARS_MAX else 0
