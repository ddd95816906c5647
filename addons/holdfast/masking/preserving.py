"""Masks in the form of the value, made and known again: see ``forms.py`` for the forms."""

import bisect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from holdfast.masking.drawing import Draw, compact
from holdfast.masking.entries import EntityRule
from holdfast.masking.forms import MARKS, TAGLESS, form_of
from holdfast.masking.spans import Span

type Accepts = Callable[[str], bool]
type _Interval = tuple[int, int, str]  # from, to, and the entity that it is a mask for; "" for any

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
        entities = list({rule.entity: None for rule in rules if rule.preserves})
        self._key = key
        marked = [entity for entity in entities if entity in MARKS]
        # Most texts have no mask: one search says so.
        self._mark = re.compile("|".join(MARKS[entity].sign for entity in marked), re.IGNORECASE) if marked else None
        self._shapes = [(entity, re.compile(MARKS[entity].shape, re.IGNORECASE)) for entity in marked]
        self._loose = list({form_of(entity)[1]: None for entity in entities if entity not in MARKS})
        self._known = {entity: form_of(entity)[1] for entity in entities}

    def is_mask(self, text: str, entity: str) -> bool:
        """Whether ``text``, which would be masked as ``entity``, is nothing but a mask in the form of a value."""
        # A number that is no SSN may well be an account: what has no tag is a mask for its own entity alone.
        return any(
            known(text, self._key) for name, known in self._known.items() if name == entity or name not in TAGLESS
        )

    def without_masks(self, text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Those of ``spans`` that are not, and are not in, such a mask of ``text``."""
        masks = self._masks(text) if self._mark is not None and self._mark.search(text) is not None else []
        if not masks and not self._loose:
            return tuple(spans)
        masks.sort()
        starts = [start for start, *_ in masks]
        return tuple(span for span in spans if not _lies_in(span, masks, starts) and not self._is_in_loose(text, span))

    def _masks(self, text: str) -> list[_Interval]:
        return [
            (*match.span(), entity if entity in TAGLESS else "")
            for entity, shape in self._shapes
            for match in shape.finditer(text)
            if self._known[entity](match[0], self._key)
        ]

    def _is_in_loose(self, text: str, span: Span) -> bool:
        """Whether ``span`` is in a mask that has no shape of its own: any letters and digits with their tag."""
        if not self._loose:
            return False
        first = max(0, span.start - _REACH_CHARS)
        around = text[first : span.end + _REACH_CHARS]
        tokens = [(match.start() + first, match.end() + first) for match in _TOKEN.finditer(around)]
        starts = [start for start, _ in tokens if start <= span.start][-_TOKENS_MAX:]
        ends = [end for _, end in tokens if end >= span.end][:_TOKENS_MAX]
        pairs = ((start, end) for start in starts for end in ends if start < end)
        return any(known(text[start:end], self._key) for start, end in pairs for known in self._loose)


def _lies_in(span: Span, masks: Sequence[_Interval], starts: Sequence[int]) -> bool:
    # Masks of two entities may begin in each other, and no more than two do.
    before = bisect.bisect_right(starts, span.start)
    return any(span.end <= end and name in ("", span.entity) for _, end, name in masks[max(0, before - 2) : before])
