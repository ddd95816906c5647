r"""Presidio's e-mail pattern in linear time.

Upstream's expression tries every place of a long local part anew: 8 kB of ``a.a.a.…@`` take seconds. A match has one
``@``; what stands behind it does not depend on where the match begins, and it begins at the first place of the run of
local characters before the ``@`` where a word begins or ends. An expression that is written in another way is searched
as any pattern is.
"""

from collections.abc import Sequence
from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.approx import approximation_of
from holdfast.masking.budget import Budget
from holdfast.masking.prefilter import Hits
from holdfast.masking.search import Spans
from holdfast.masking.view import View

_LOCAL: Final = r"!#$%&'*+\-/=?^_`{|}~"
_DOMAIN: Final = r"[@]\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*)+"
_PATTERN: Final = rf"\b((([{_LOCAL}\w])|([{_LOCAL}\w][{_LOCAL}\.\w]{{0,}}[{_LOCAL}\w])){_DOMAIN})\b"
_FLAGS: Final = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
_SIGN_CHARS: Final = 16  # what looking at one sign costs, in characters given to a pattern


def email_search(pattern: str, flags: int) -> Spans | None:
    """The quick way to search for upstream's pattern; None where ``pattern`` is another."""
    return _EmailSearch(flags) if pattern == _PATTERN and flags == _FLAGS else None


class _EmailSearch:
    """Looks at each ``@`` once."""

    def __init__(self, flags: int) -> None:
        self.approximation = approximation_of(_PATTERN, flags)
        self.filter: int | None = None
        self.needs_digit = False
        self.is_foreign = False
        self._domain = regex.compile(_DOMAIN + r"\b", flags)
        self._local = regex.compile(rf"(?r)[{_LOCAL}\.\w]*", flags)
        self._start = regex.compile(rf"\b[{_LOCAL}\w]", flags)
        self._end = regex.compile(rf"[{_LOCAL}\w]", flags)

    def spans(self, view: View, hits: Hits | None, budget: Budget) -> Sequence[tuple[int, int]]:
        """Where the matches stand, in order."""
        if hits is not None and self.filter is not None:
            if self.filter not in hits:
                return ()
        elif "@" not in view.text:
            return ()
        budget.spend(view.length)
        text = view.text
        found: list[tuple[int, int]] = []
        at = 0
        sign = text.find("@")
        while sign >= 0:
            budget.spend(_SIGN_CHARS)
            start = self._start_before(text, at, sign)
            domain = self._domain.match(text, sign) if start is not None else None
            if start is not None and domain:
                at = domain.end()
                found.append((start, at))
            sign = text.find("@", max(at, sign + 1))
        return found

    def _start_before(self, text: str, at: int, sign: int) -> int | None:
        if sign <= at or not self._end.match(text, sign - 1):
            return None
        start = self._start.search(text, self._local.match(text, at, sign).start(), sign)
        return int(start.start()) if start else None
