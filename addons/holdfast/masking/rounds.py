"""One round over a text: a mask in place of every span, and where masks then stand."""

from collections.abc import Callable, Iterable
from typing import Final

from holdfast.masking.noted import Report
from holdfast.masking.preserving import Accepts
from holdfast.masking.spans import Span
from holdfast.masking.spelling import Stretch

ROUNDS_MAX: Final = 8  # a mask can only create a match where an own pattern matches masks; that never needs eight
FORMED_ROUNDS: Final = 4  # masks in the form of a value may make matches with what stands beside them; then no more

type Mask = Callable[[str, str, Accepts | None], str]  # of a value of an entity, in a form that is accepted


def masked_round(
    text: str, spans: Iterable[Span], mask_of: Mask, report: Report | None, accepts: Accepts | None
) -> tuple[str, list[Stretch]]:
    """``text`` with a mask in place of each of ``spans``, in order, and where the new masks stand."""
    parts: list[str] = []
    places: list[Stretch] = []
    at = size = 0
    for span in spans:
        start = max(0, span.start)  # of a span that crosses the ends of a part, what is in it
        value = text[start : span.end]
        # What is asked of the whole text says nothing about a part of it, but that it has a form.
        fits = accepts if accepts in (None, no_form) or len(value) == len(text) else bool
        mask = mask_of(value, span.entity, fits)
        size += start - at
        if mask != value:
            places.append((size, size + len(mask)))
            if report is not None:
                report(span, value, mask)
        parts += [text[at:start], mask]
        size += len(mask)
        at = span.end
    return "".join((*parts, text[at:])), places


def no_form(_mask: str) -> bool:
    """What accepts masks in the form of a value where there have been enough of them."""
    return False
