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
from collections.abc import Awaitable, Callable
from typing import Final

from holdfast.errors import MaskingError
from holdfast.masking.engine import LEAF_CHARS_MAX
from holdfast.masking.finding import Finding, refusal_of
from holdfast.masking.parts import Part, Parted
from holdfast.masking.place import HOLD_BACK_CHARS, Before

CONTEXT_CHARS: Final = 512  # five words before a match can lift it; words are rarely longer than a hundred characters
HELD_CHARS_MAX: Final = 64 * 1024  # a finding that still goes on after as many characters (a key in PEM has 4 KiB)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_-]*")

type Pair = tuple[str, str]

_NOTHING: Final[Pair] = ("", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """How a text in pieces is held: how many characters at least, or ``whole`` to its end (the JSON of arguments)."""

    hold_back_chars: int = HOLD_BACK_CHARS
    whole: bool = False


class Pieces:
    """One text that arrives in pieces. What it returns is as forwarded and as kept, like everything that is masked."""

    def __init__(self, do: Callable[[Part], Awaitable[Parted]], part: Part, *, whole: bool) -> None:
        """``do`` takes a step, of which ``part`` has the place; ``whole``: the text is held to its end."""
        self._do = do
        self._part = part
        self._back = part.back_chars
        self._step = max(1, self._back // 2)
        self._is_whole = whole
        self._is_plain = False
        self._gone = Before()
        self._held = ""
        self._look_at = self._back + self._step
        self.findings: list[Finding] = []
        self.late_count = 0

    async def add(self, text: str) -> Pair:
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
        gone = await self._release(is_last=False)
        left = len(self._held)
        if left > HELD_CHARS_MAX:
            raise MaskingError(f"a finding goes on for more than {HELD_CHARS_MAX} characters")
        # A long finding is looked at anew when it has grown by a quarter: the work stays in proportion.
        grown = max(self._back + self._step, left + max(self._step, left // 4))
        self._look_at = min(grown, HELD_CHARS_MAX + 1)
        return gone

    async def finish(self) -> Pair:
        """The rest, now that no more will come. Raises like :meth:`add`."""
        return await self._release(is_last=True) if self._held else _NOTHING

    def _may_part(self, text: str) -> bool:
        if self._is_plain or self._is_whole:
            return self._is_plain
        first = self._held.lstrip()[:1]
        self._is_whole = first in ("{", "[") and first != ""
        self._is_plain = first != "" and not self._is_whole and not _BASE64.fullmatch(text)
        return self._is_plain

    async def _release(self, *, is_last: bool) -> Pair:
        held, gone = self._held, self._gone
        done = await self._do(dataclasses.replace(self._part, held=held, gone=gone, is_last=is_last))
        refused = refusal_of(done.refused)
        if refused is not None:  # nothing more of the text goes where a rule refuses what is in it
            raise refused
        self.findings += done.findings
        self.late_count += done.late_count
        self._held = held[done.taken_count :]
        ends = ((gone.raw, held[: done.taken_count]), (gone.forwarded, done.forward), (gone.kept, done.keep))
        self._gone = Before(*((before + more)[-CONTEXT_CHARS:] for before, more in ends))
        return done.forward, done.keep
