"""Where masking and the labels of a data set disagree, so that somebody can judge which of them is right.

Data sets leave values out, and a finding that no label agrees with may be right all the same. What is shown of a text
is what stands before the place, and the form of what stands in it: digits are written as 0, and in the place itself
small letters as a, capitals as A. Places that look the same are counted together.
"""

import collections
import re
from collections.abc import Iterator
from typing import Final, Literal

from holdfast.masking.scoring.labelled import Label

BEFORE_CHARS: Final = 24  # enough to see a label or the name of a member
FORM_CHARS: Final = 32

type Side = Literal["unlabelled", "missed"]

_FORMS: Final = ((re.compile(r"\d"), "0"), (re.compile("[a-z]"), "a"), (re.compile("[A-Z]"), "A"))


class Differences:
    """Counts places by entity and by how they look; ``unlabelled`` only masking names, ``missed`` only the labels."""

    def __init__(self) -> None:
        self._seen: dict[Side, collections.Counter[tuple[str, str, str]]] = {
            "unlabelled": collections.Counter(),
            "missed": collections.Counter(),
        }

    def add(self, side: Side, text: str, label: Label) -> None:
        """Count the place that ``label`` names in ``text``."""
        before = _as_form(text[max(0, label.start - BEFORE_CHARS) : label.start], letters=False)
        form = _as_form(text[label.start : min(label.end, label.start + FORM_CHARS)], letters=True)
        self._seen[side][label.entity, before, form] += 1

    def lines(self, most: int) -> Iterator[str]:
        """The ``most`` frequent places of each side, a line each."""
        for side, places in self._seen.items():
            for (entity, before, form), count in places.most_common(most):
                yield f"  {side:<10} {count:>6} x {entity}: {before!r} {form!r}"


def _as_form(text: str, *, letters: bool) -> str:
    for pattern, sign in _FORMS if letters else _FORMS[:1]:
        text = pattern.sub(sign, text)
    return text
