r"""A text that arrives in pieces, as language models send theirs: what may go on before the end is known.

A value that is split over two pieces, or over twenty, is masked as if it had come in one. Nothing goes on while it can
still be part of a match::

    gone, kept as context │ may go now            ┊ held back: the last `hold_back_chars` characters
    … her card is         │ on file, and the one  ┊ she wants to use is 4111 1111

The cut stands behind a blank, at least ``hold_back_chars`` before the end, and in no finding. So a value is masked
whole where it is recognised within that many characters of its first, or has no blank in it (keys, tokens, addresses).
Text that begins as JSON or is base64 so far is held to its end, and opened then like any other.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from holdfast.errors import MaskingError
from holdfast.masking.engine import LEAF_CHARS_MAX
from holdfast.masking.finding import Finding, refusal_of
from holdfast.masking.leaves import Before
from holdfast.masking.place import HOLD_BACK_CHARS, Place
from holdfast.masking.spans import Span
from holdfast.masking.walk import Walk

CONTEXT_CHARS: Final = 512  # five words before a match can lift it; words are rarely longer than a hundred characters
RUN_CHARS_MAX: Final = 4096  # a longer run without a blank is no key or token that a pattern knows
HELD_CHARS_MAX: Final = 64 * 1024  # a finding that still goes on after as many characters (a key in PEM has 4 KiB)
CUTS_MAX: Final = 8  # places tried for a cut before more text is awaited
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_-]*")
_WIDE: Final = "\u2e80"  # from here on scripts are written without blanks

type Pair = tuple[str, str]

_NOTHING: Final[Pair] = ("", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """How a text in pieces is held: how many characters at least, or ``whole`` to its end (the JSON of arguments)."""

    hold_back_chars: int = HOLD_BACK_CHARS
    whole: bool = False


class Pieces:
    """One text that arrives in pieces. What it returns is as forwarded and as kept, like everything that is masked."""

    def __init__(self, walk: Callable[[], Walk], place: Place, terms: Terms) -> None:
        """``walk`` makes a Walk for each part that goes; ``place`` is where the whole text will stand."""
        self._walk = walk
        self._place = walk().settled(place)
        self._back = terms.hold_back_chars
        self._step = max(1, self._back // 2)
        self._is_whole = terms.whole or self._place.force is not None
        self._is_plain = False
        self._gone = Before()
        self._held = ""
        self._look_at = self._back + self._step
        self.findings: list[Finding] = []
        self.late_count = 0

    def add(self, text: str) -> Pair:
        """What may go now that ``text`` has come.

        Raises:
            Refused: DENIED_BY_RULE, a rule refuses what is in it.
            MaskingError: more has to be held than fits, or the engine cannot vouch for it.
        """
        self._held += text
        if not self._may_part(text):
            if len(self._held) > LEAF_CHARS_MAX:
                raise MaskingError(f"a text that must be held to its end has more than {LEAF_CHARS_MAX} characters")
            return _NOTHING
        if len(self._held) < self._look_at:
            return _NOTHING
        gone = self._release()
        left = len(self._held)
        if left > HELD_CHARS_MAX:
            raise MaskingError(f"a finding goes on for more than {HELD_CHARS_MAX} characters")
        # A long finding is looked at anew when it has grown by a quarter: the work stays in proportion.
        grown = max(self._back + self._step, left + max(self._step, left // 4))
        self._look_at = min(grown, HELD_CHARS_MAX + 1)
        return gone

    def finish(self) -> Pair:
        """The rest, now that no more will come.

        Raises:
            MaskingError: the engine cannot vouch for it.
        """
        if not self._held:
            return _NOTHING
        if self._gone.raw:
            pair = self._part(len(self._held))
            if pair is None:
                raise MaskingError("the end of a text cannot be cut")
            return pair
        walk = self._walk()
        pair = walk.text(self._held, self._place)
        self._check(walk)
        self._held = ""
        self.findings += walk.findings
        return pair

    def _may_part(self, text: str) -> bool:
        if self._is_plain or self._is_whole:
            return self._is_plain
        first = self._held.lstrip()[:1]
        self._is_whole = first in ("{", "[") and first != ""
        self._is_plain = first != "" and not self._is_whole and not _BASE64.fullmatch(text)
        return self._is_plain

    def _release(self) -> Pair:
        spans = self._walk().spans(self._held, self._gone.raw, self._place)
        at = self._cut(len(self._held) - self._back, spans)
        for _ in range(CUTS_MAX):
            if not at:
                break
            pair = self._part(at)
            if pair is not None:
                return pair
            at = self._cut(at - 1, spans)  # masks have brought together what was apart, right across the cut
        return _NOTHING

    def _part(self, at: int) -> Pair | None:
        walk, gone, text = self._walk(), self._gone, self._held[:at]
        pair = walk.part(self._held, at, gone, self._place)
        if pair is None:
            return None
        self._check(walk)
        self.findings += walk.findings
        self.late_count += walk.late_count
        self._held = self._held[at:]
        ends = ((gone.raw, text), (gone.forwarded, pair[0]), (gone.kept, pair[1]))
        self._gone = Before(*((before + more)[-CONTEXT_CHARS:] for before, more in ends))
        return pair

    def _check(self, walk: Walk) -> None:
        """Nothing more of the text goes where a rule refuses what is in it."""
        refused = refusal_of(walk.refused)
        if refused is not None:
            raise refused

    def _cut(self, limit: int, spans: Sequence[Span]) -> int:
        """How much of what is held may go: up to a blank that stands in no finding."""
        at = _boundary(self._held, limit)
        while at and (crossing := [span.start for span in spans if span.start < at < span.end]):
            at = _boundary(self._held, min(crossing))
        return at


def _boundary(text: str, limit: int) -> int:
    """The last place up to ``limit`` that stands behind a blank; 0 where a run that is not too long has none."""
    for at in range(limit, max(0, limit - RUN_CHARS_MAX), -1):
        if text[at - 1].isspace() or (text[at - 1] >= _WIDE and unicodedata.category(text[at - 1]) == "Lo"):
            return at
    return max(0, limit) if limit > RUN_CHARS_MAX else 0
