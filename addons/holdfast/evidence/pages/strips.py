"""Strips of time: when the gateway was not watching, and how long Records could have been rewritten."""

import datetime as dt
import heapq
from collections.abc import Iterator
from typing import Final

from holdfast.evidence.pages.chart import BANDS_MAX, Band, Chart, Words, strip
from holdfast.evidence.story.facts import Gap
from holdfast.evidence.story.gaps import duration_text
from holdfast.evidence.story.integrity import OPEN, integrity_rows
from holdfast.evidence.story.story import Story
from holdfast.evidence.tables.material import Material

# Kinds of Gap in the colours of decisions, from what was meant to what was not.
_GAP_TONES: Final = {"stopped": "pending", "not vouched for": "approved", "crashed": "denied", "silence": "denied"}
_GAP_WORDS: Final = (
    ("pending", "Stopped in order"),
    ("denied", "Crashed, or not heard of"),
    ("approved", "Nobody outside vouched"),
    ("refused", "Clock or start in doubt"),
)
_WINDOW_WORDS: Final = (("pending", "Vouched for late"), ("denied", "Not vouched for by anybody outside"))


def gap_strip(story: Story) -> Chart | None:
    """The gaps of ``story`` on one line of time, the longest ones; None where there are none."""
    if story.first_at is None or story.last_at is None:
        return None
    longest = heapq.nlargest(BANDS_MAX, story.gaps(), key=lambda gap: abs(gap.seconds))
    if not longest:
        return None
    count = sum(story.gap_kinds().values())
    shown = "Every gap" if count <= BANDS_MAX else f"The {BANDS_MAX} longest of {count:,} gaps"
    bands = sorted((_gap_band(gap) for gap in longest), key=lambda band: (band.from_at, band.to_at))
    used = {band.tone for band in bands}
    words = Words(
        "gaps",
        "When the gateway was not watching",
        f"{shown} of the range, UTC; the shortest are drawn wider than they are.",
        (("track", "No gap"), *((tone, text) for tone, text in _GAP_WORDS if tone in used)),
    )
    return strip(words, story.first_at, story.last_at, bands)


def window_strip(material: Material) -> Chart | None:
    """Tamper windows on one line of time; None where the range has no times."""
    story = material.story
    if story.first_at is None or story.last_at is None:
        return None
    windows = _Windows((story.last_at - story.first_at).total_seconds())
    windows.read(material)
    used = {band.tone for band in windows.bands}
    words = Words(
        "windows",
        "How long Records could have been rewritten",
        windows.about(),
        (("track", "Vouched for in time"), *((tone, text) for tone, text in _WINDOW_WORDS if tone in used)),
    )
    return strip(words, story.first_at, story.last_at, windows.bands)


class _Windows:
    """Windows that are long enough to be seen, of which at most ``BANDS_MAX`` fit on a line."""

    def __init__(self, span_s: float) -> None:
        self._seen_s: Final = span_s / BANDS_MAX
        self.bands: Final[list[Band]] = []
        self.longest_s = 0.0
        self.open_since: dt.datetime | None = None
        self.open_s = 0.0
        self.vouchings_count = 0

    def read(self, material: Material) -> None:
        for row in integrity_rows(material):
            kind, at, since, seconds = str(row[3]), str(row[5]), str(row[6]), str(row[7])
            self.vouchings_count += kind not in {"checkpoint", OPEN}
            if not since:
                continue
            from_at = dt.datetime.fromisoformat(since)
            if kind == OPEN:
                self.open_since, self.open_s = from_at, float(seconds)
                to_at = from_at + dt.timedelta(seconds=self.open_s)
                self.bands.append(Band("denied", from_at, to_at, f"open since {since}"))
                continue
            self.longest_s = max(self.longest_s, float(seconds))
            if float(seconds) >= self._seen_s:
                title = f"{duration_text(float(seconds))} until {at}"
                self.bands.append(Band("pending", from_at, dt.datetime.fromisoformat(at), title))

    def about(self) -> str:
        """The windows in words."""
        text = "A Record can be rewritten by who holds the ledger's key until somebody outside has vouched for it. "
        if not self.vouchings_count:
            return f"{text}Nobody outside vouched in this range: that window is all of it."
        text += f"The longest window that was closed took {duration_text(self.longest_s)}"
        if self.open_since is None:
            return f"{text}; none is open at the end. Windows too short to be seen are not drawn."
        return f"{text}; the last one is open, for {duration_text(self.open_s)}."


def _gap_band(gap: Gap) -> Band:
    from_at, to_at = min(gap.from_at, gap.to_at), max(gap.from_at, gap.to_at)
    title = f"{gap.kind}, {duration_text(gap.seconds)}: {gap.note}"
    return Band(_GAP_TONES.get(gap.kind, "refused"), from_at, to_at, title)


def watchless(gaps: Iterator[Gap]) -> Iterator[Band]:
    """The longest times in which nobody was watching, to stand behind columns of the same time."""
    unwatched = (gap for gap in gaps if gap.kind in {"stopped", "crashed", "silence"})
    longest = heapq.nlargest(BANDS_MAX, unwatched, key=lambda gap: gap.seconds)
    ordered = sorted(longest, key=lambda gap: gap.from_index)
    return (Band("band", gap.from_at, gap.to_at, f"{gap.kind}: {gap.note}") for gap in ordered)
