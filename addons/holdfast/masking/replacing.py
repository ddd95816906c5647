"""What was found in a text is replaced by its masks."""

from collections.abc import Callable, Iterable

from holdfast.masking.noted import Report
from holdfast.masking.spans import Span
from holdfast.masking.spelling import Stretch


def masked_at(
    text: str, spans: Iterable[Span], mask_of: Callable[[str, str], str], report: Report | None
) -> tuple[str, tuple[Stretch, ...]]:
    """``text`` with ``spans``, in order and apart from each other, replaced, and where the masks stand in that.

    ``mask_of`` makes the mask of a value, given its entity; ``report`` is told of each value that is not its own mask.
    """
    parts: list[str] = []
    masks: list[Stretch] = []
    at, length = 0, 0
    for span in spans:
        start = max(0, span.start)
        value = text[start : span.end]  # of a span that crosses the ends of a part, what is in it
        mask = mask_of(value, span.entity)
        if report is not None and mask != value:
            report(span, value, mask)
        parts += [text[at:start], mask]
        first = length + max(0, start - at)
        length = first + len(mask)
        masks.append((first, length))
        at = span.end
    return "".join((*parts, text[at:])), tuple(masks)
