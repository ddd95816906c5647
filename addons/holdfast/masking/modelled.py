"""What a model finds in a text with masks: it reads them as words, and takes them for names or parts of one."""

import bisect
from collections.abc import Iterator, Sequence
from typing import Final

MODEL: Final = "SpacyRecognizer"


def pieces(text: str, start: int, end: int, masks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What ``text[start:end]`` has outside of ``masks``, which are in order; of each piece, first to last letter.

    Where it touches no mask, that is all of it, as the model says.
    """
    at = bisect.bisect_right(masks, start, key=_end)
    if at == len(masks) or masks[at][0] >= end:
        yield start, end
        return
    for mask_start, mask_end in (*masks[at:], (end, end)):
        yield from _trimmed(text, start, min(mask_start, end))
        start = mask_end
        if start >= end:
            return


def _end(mask: tuple[int, int]) -> int:
    return mask[1]


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    places = [at for at in range(start, end) if text[at].isalnum()]
    if places:
        yield places[0], places[-1] + 1
