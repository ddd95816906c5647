"""Masks in the form of the value, made and known again: see ``forms.py`` for the forms."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from holdfast.masking.drawing import Draw, compact
from holdfast.masking.entries import EntityRule
from holdfast.masking.forms import MARKS, TAGLESS, form_of
from holdfast.masking.spans import Span

type Accepts = Callable[[str], bool]

TRIES_MAX: Final = 32  # nine in ten attempts fail the checksum as they should; a pattern may need some more
_REACH_CHARS: Final = 48  # a mask with its separators; only what is longer than that is not seen around a finding
_TOKENS_MAX: Final = 5  # groups of letters and digits on each side of a finding that may belong to the same mask
_TOKEN: Final = re.compile(r"[A-Za-z0-9]+")


def preserved(value: str, entity: str, key: bytes, accepts: Accepts) -> str | None:
    """The mask of ``value`` in its own form that ``accepts`` takes; None where there is none, or no room for one.

    The first attempt that is accepted counts, so a value has one mask wherever the same is accepted. Separators make no
    difference to the letters and digits of it.
    """
    make, _ = form_of(entity)
    named = value if entity == "EMAIL_ADDRESS" else compact(value)
    for count in range(TRIES_MAX):
        made = make(value, Draw.of_value(key, entity, named, count), key)
        if made is not None and made != value and accepts(made):
            return made
    return None


class Preserver:
    """Knows masks in the form of a value, of the entities whose rules make such masks."""

    def __init__(self, rules: Iterable[EntityRule], key: bytes) -> None:
        entities = [rule.entity for rule in rules if rule.preserves]
        self._key = key
        self._tagged = list({form_of(entity)[1]: None for entity in entities if entity not in TAGLESS})
        # A number that is no SSN may well be an account: what has no tag is a mask for its own entity alone.
        self._tagless = {entity: form_of(entity)[1] for entity in entities if entity in TAGLESS}
        marks = [MARKS.get(entity, r"[A-Za-z0-9]") for entity in entities]
        self._mark = re.compile("|".join(marks), re.IGNORECASE) if marks else None

    def is_mask(self, text: str, entity: str) -> bool:
        """Whether ``text``, which would be masked as ``entity``, is nothing but a mask in the form of a value."""
        mark = self._mark
        return mark is not None and mark.search(text) is not None and self._is_mask(text, entity)

    def without_masks(self, text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Those of ``spans`` that are not, and are not in, such a mask of ``text``."""
        if not spans or self._mark is None or self._mark.search(text) is None:
            return tuple(spans)
        return tuple(span for span in spans if not self._is_in_mask(text, span))

    def _is_mask(self, text: str, entity: str) -> bool:
        known = self._tagless.get(entity)
        if known is not None and known(text, self._key):
            return True
        return any(known(text, self._key) for known in self._tagged)

    def _is_in_mask(self, text: str, span: Span) -> bool:
        if self._is_mask(text[span.start : span.end], span.entity):
            return True
        first = max(0, span.start - _REACH_CHARS)
        around = text[first : span.end + _REACH_CHARS]
        tokens = [(match.start() + first, match.end() + first) for match in _TOKEN.finditer(around)]
        starts = [start for start, _ in tokens if start <= span.start][-_TOKENS_MAX:]
        ends = [end for _, end in tokens if end >= span.end][:_TOKENS_MAX]
        # The mark before a number belongs to it.
        starts += [start - 1 for start in starts if start and text[start - 1] in "+("]
        pairs = ((start, end) for start in starts for end in ends if start < end)
        return any(self._is_mask(text[start:end], span.entity) for start, end in pairs)
