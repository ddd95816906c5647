"""A text in another spelling, and where in the original each of its characters came from."""

import dataclasses
import re
from collections.abc import Callable

type Unit = tuple[str, int]  # what stands in the new spelling, and how many characters of the old one it stands for


@dataclasses.dataclass(frozen=True, slots=True)
class Spelling:
    """``text``, and for each of its characters the index in the original; one more at the end, where the original ends.

    Several characters may come from one place of the original (a ligature), and one from many (an escape): these are
    its units, and a span always covers whole ones.
    """

    text: str
    origins: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that ``start:end`` of this spelling came from."""
        last = self.origins[end - 1]
        while self.origins[end] == last:
            end += 1
        return self.origins[start], self.origins[end]

    def is_cut(self, start: int, end: int, length: int) -> bool:
        """Whether the span ``start:end`` of the original, of ``length`` characters, might go on where this ends."""
        return start == self.origins[0] != 0 or end == self.origins[-1] != length

    def then(self, inner: "Spelling | None") -> "Spelling":
        """``inner``, a spelling of this one's text, as one of the original; this one where there is none."""
        if inner is None:
            return self
        return Spelling(inner.text, [self.origins[index] for index in inner.origins])


def respelled(text: str, pattern: re.Pattern[str], units: Callable[[re.Match[str]], list[Unit]]) -> Spelling | None:
    """``text`` with what ``units`` makes of each match of ``pattern``, covering it; None where nothing changes."""
    parts: list[str] = []
    origins: list[int] = []
    at = 0
    for match in pattern.finditer(text):
        parts.append(text[at : match.start()])
        origins.extend(range(at, match.start()))
        at = match.start()
        for shown, width in units(match):
            parts.append(shown)
            origins.extend([at] * len(shown))
            at += width
    if not at:
        return None
    parts.append(text[at:])
    origins.extend(range(at, len(text) + 1))
    new = "".join(parts)
    return None if new == text else Spelling(new, origins)
