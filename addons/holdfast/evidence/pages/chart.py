"""Charts as data for inline SVG: columns of stacked counts, strips of time. Templates draw them, tables say the same.

A chart is geometry in user units, with a title, a description and rows for those who cannot see it. ``tone`` names a
colour of the style sheet; the five tones of decisions differ in lightness too, so that no kind of colour blindness
makes two of them one.
"""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

WIDTH: Final = 1040
HEIGHT: Final = 240
HISTOGRAM_HEIGHT: Final = 172
STRIP_HEIGHT: Final = 84
_LEFT: Final = 48
_TOP: Final = 12
_BOTTOM: Final = 28
COLUMNS_MAX: Final = 60  # more are thinner than a reader can point at
BANDS_MAX: Final = 200  # pieces of a strip; more of them overlap to one
_TICKS_MAX: Final = 8  # labels of times beside one another without touching
_THIN: Final = 2.0  # no band is thinner: a gap of a second in a year is still to be seen
_DAY_S: Final = 86_400
_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_592_000, 7_776_000, 31_536_000,
)  # fmt: skip

type Count = Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """A coloured rectangle, and what a pointer reads on it."""

    tone: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclasses.dataclass(frozen=True, slots=True)
class Tick:
    """A label on an axis, at its place in user units."""

    at: float
    label: str


@dataclasses.dataclass(frozen=True, slots=True)
class Band:
    """A piece of time as a strip, from ``from_at`` to ``to_at``."""

    tone: str
    from_at: dt.datetime
    to_at: dt.datetime
    title: str


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """Ready to draw. ``rows`` are a label and the counts of its column, columns of nothing left out."""

    key: str
    title: str
    about: str
    tones: tuple[tuple[str, str], ...]
    pieces: tuple[Piece, ...]
    bands: tuple[Piece, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[tuple[str, Count], ...]
    head: str
    height: int = HEIGHT
    width: int = WIDTH
    left_x: int = _LEFT
    top_y: int = _TOP

    @property
    def base_y(self) -> int:
        """Where the columns stand."""
        return self.height - _BOTTOM


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """How a chart calls itself: ``key`` is its id in the page, ``tones`` are tone and words in drawing order."""

    key: str
    title: str
    about: str
    tones: tuple[tuple[str, str], ...] = ()
    head: str = "From (UTC)"


class Clock:
    """Time cut into at most ``COLUMNS_MAX`` equal steps, of a length that people use."""

    def __init__(self, first_at: dt.datetime, last_at: dt.datetime) -> None:
        first_s, last_s = int(first_at.timestamp()), int(max(first_at, last_at).timestamp())
        self.step_s: Final = _step_s(last_s - first_s)
        self.start_s: Final = first_s // self.step_s * self.step_s
        self.count: Final = (last_s - self.start_s) // self.step_s + 1
        self._is_one_day = first_s // _DAY_S == last_s // _DAY_S

    @property
    def step_text(self) -> str:
        """The length of a step: ``5 minutes``."""
        for size_s, name in ((_DAY_S, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
            if self.step_s % size_s == 0:
                count = self.step_s // size_s
                return name if count == 1 else f"{count} {name}s"
        return f"{self.step_s} seconds"

    def place(self, at: dt.datetime) -> int:
        """The step that ``at`` falls into; a clock that went back falls into the nearest one."""
        return min(max((int(at.timestamp()) - self.start_s) // self.step_s, 0), self.count - 1)

    def label(self, place: int) -> str:
        """Where a step begins, in full."""
        at = dt.datetime.fromtimestamp(self.start_s + place * self.step_s, dt.UTC)
        if self.step_s >= _DAY_S:
            return at.strftime("%Y-%m-%d")
        return at.strftime("%Y-%m-%d %H:%M" if self.step_s >= 60 else "%Y-%m-%d %H:%M:%S")  # noqa: PLR2004 -- a minute

    def tick(self, place: int) -> str:
        """The same as short as it stays clear on an axis."""
        text = self.label(place)
        if self.step_s >= _DAY_S:
            return text
        return text[11:] if self._is_one_day else text[5:16]


def columns(words: Words, clock: Clock, counts: Sequence[Count], bands: Iterable[Band] = ()) -> Chart:
    """Stacked columns over time, ``counts`` one for each step of ``clock``; ``bands`` stand behind them."""
    slot = (WIDTH - _LEFT) / max(len(counts), 16)  # a handful of columns would be slabs
    labels = [clock.label(place) for place in range(clock.count)]
    chart = _stacked(words, labels, counts, (slot, slot, HEIGHT))
    every = max(1, -(-clock.count // _TICKS_MAX))
    ticks = [Tick(_round(_LEFT + (place + 0.5) * slot), clock.tick(place)) for place in range(0, clock.count, every)]
    scale = (clock.start_s, clock.count * clock.step_s, slot / clock.step_s)
    behind = _bands(bands, scale, chart.top_y, chart.base_y - chart.top_y)
    return dataclasses.replace(chart, x_ticks=tuple(ticks), bands=behind)


def histogram(words: Words, labels: Sequence[str], counts: Sequence[Count]) -> Chart:
    """Stacked columns over classes, each with its label below it."""
    slot = (WIDTH - _LEFT) / len(labels)
    chart = _stacked(words, labels, counts, (slot, 64.0, HISTOGRAM_HEIGHT))
    ticks = tuple(Tick(_round(_LEFT + (place + 0.5) * slot), label) for place, label in enumerate(labels))
    return dataclasses.replace(chart, x_ticks=ticks)


def strip(words: Words, first_at: dt.datetime, last_at: dt.datetime, bands: Iterable[Band]) -> Chart:
    """One line of time from ``first_at`` to ``last_at``, with pieces on it; the first ``BANDS_MAX`` of them."""
    clock = Clock(first_at, last_at)
    start_s = first_at.timestamp()
    span_s = max(last_at.timestamp() - start_s, 1.0)
    scale = (WIDTH - _LEFT) / span_s
    every = max(1, -(-clock.count // _TICKS_MAX))
    places = [place for place in range(0, clock.count, every) if clock.start_s + place * clock.step_s >= start_s]
    ticks = tuple(
        Tick(_round(_LEFT + (clock.start_s + place * clock.step_s - start_s) * scale), clock.tick(place))
        for place in places
    )
    pieces = _bands(bands, (start_s, span_s, scale), _TOP, STRIP_HEIGHT - _BOTTOM - _TOP)
    return Chart(words.key, words.title, words.about, words.tones, pieces, (), ticks, (), (), words.head, STRIP_HEIGHT)


def _stacked(words: Words, labels: Sequence[str], counts: Sequence[Count], shape: tuple[float, float, int]) -> Chart:
    """Columns in slots; ``shape`` is the width of a slot, the widest column, and the height of all."""
    slot, widest, height = shape
    step, top = _scale(max((sum(count.values()) for count in counts), default=0))
    base, scale = height - _BOTTOM, (height - _BOTTOM - _TOP) / top
    width = min(slot - min(4.0, slot * 0.2), widest)
    pieces: list[Piece] = []
    for place, count in enumerate(counts):
        x = _LEFT + place * slot + (slot - width) / 2
        pieces.extend(_stack(words, count, labels[place], Piece("", x, base, width, scale, "")))
    y_ticks = tuple(Tick(_round(base - value * scale), f"{value:,}") for value in range(0, top + 1, step))
    rows = tuple((labels[place], count) for place, count in enumerate(counts) if any(count.values()))
    return Chart(
        words.key, words.title, words.about, words.tones, tuple(pieces), (), (), y_ticks, rows, words.head, height
    )


def _stack(words: Words, count: Count, label: str, one: Piece) -> Iterable[Piece]:
    """The pieces of a column; ``one`` is where it stands, with the height of a single count."""
    y = one.y
    for tone, name in words.tones:
        number = count.get(tone, 0)
        if not number:
            continue
        height = number * one.height
        y -= height
        title = f"{label}: {number:,} {name.lower()}"
        yield Piece(tone, _round(one.x), _round(y), _round(one.width), _round(height), title)


def _bands(bands: Iterable[Band], scale: tuple[float, float, float], y: float, height: float) -> tuple[Piece, ...]:
    """Pieces on a line of time; ``scale`` is where it begins, how many seconds it has, and how wide one of them is."""
    start_s, span_s, per_second = scale
    found: list[Piece] = []
    for band in itertools.islice(bands, BANDS_MAX):
        from_s = min(max(band.from_at.timestamp() - start_s, 0.0), span_s)
        to_s = min(max(band.to_at.timestamp() - start_s, from_s), span_s)
        width = max((to_s - from_s) * per_second, _THIN)
        x = min(_LEFT + from_s * per_second, WIDTH - width)
        found.append(Piece(band.tone, _round(x), y, _round(width), height, band.title))
    return tuple(found)


def _step_s(span_s: float) -> int:
    for step_s in _STEPS_S:
        if span_s / step_s < COLUMNS_MAX - 1:
            return step_s
    return int(span_s / (COLUMNS_MAX - 2)) + 1


def _scale(highest: int) -> tuple[int, int]:
    """The step between grid lines and the highest of them: at most five, in ones, twos and fives."""
    step = 1
    while highest / step > 5:  # noqa: PLR2004 -- five grid lines read well
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return step, max(-(-highest // step) * step, step)


def _round(value: float) -> float:
    return round(value, 2)
