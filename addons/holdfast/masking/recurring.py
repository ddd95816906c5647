"""Names that come again: what a label or an address says is a person's name once is one wherever the text has it."""

import dataclasses
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from holdfast.masking.modelled import MODEL
from holdfast.masking.spans import PERSON, Span

# One word alone may be any word.
_WHOLE: Final = re.compile(r"(?=.{5,64}\Z)[^\W\d_][^\d\s<>]*(?: [^\W\d_][^\d\s<>]*){1,4}")
_LETTER: Final = re.compile(r"[^\W\d_]")
_WORD_START: Final = re.compile(r"(?<![^\W_])[^\W\d_]")
_HEAD_CHARS: Final = 3  # of a name, which most words of a text do not begin with


def recurring(text: str, spans: Sequence[Span], spend: Callable[[int], None]) -> Sequence[Span]:
    """``spans`` of ``text``, and where names of persons among them stand once more.

    Raises:
        MaskingError: the message takes too long; ``spend`` counts the characters that are about to be looked at.
    """
    names: dict[str, Span] = {}
    for span in spans:
        if span.entity == PERSON and span.recognizer != MODEL:  # it has read all of the text
            value = text[max(0, span.start) : span.end]
            if _WHOLE.fullmatch(value):
                names.setdefault(value, span)
    if not names:
        return spans
    spend(len(text))
    known = {(span.start, span.end) for span in spans}
    again = (place for place in places_of(text, names, by_themselves=True) if place not in known)
    return (*spans, *(dataclasses.replace(names[text[start:end]], start=start, end=end) for start, end in again))


def places_of(text: str, names: Collection[str], *, by_themselves: bool) -> Iterator[tuple[int, int]]:
    """Where one of ``names`` stands in ``text``, in order, the longest where several do; each begins with a letter.

    ``by_themselves`` is for names that are words, and not a part of one. However many there are, the text is gone
    through once.
    """
    if not names:
        return
    size = min(_HEAD_CHARS, *map(len, names))
    lengths: dict[str, list[int]] = {}
    for length, head in sorted({(len(name), name[:size]) for name in names}, reverse=True):
        lengths.setdefault(head, []).append(length)
    done = 0
    for match in (_WORD_START if by_themselves else _LETTER).finditer(text):
        at = match.start()
        for length in lengths.get(text[at : at + size], ()) if at >= done else ():
            end = at + length
            if text[at:end] in names and not (by_themselves and text[end : end + 1].isalnum()):
                yield at, end
                done = end
                break
