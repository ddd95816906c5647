"""The timeline: requests over time by what became of them, as data for an inline SVG."""

import dataclasses
import datetime as dt
from typing import Final

from holdfast.evidence.facts import Gap, Way
from holdfast.evidence.story import Story

WIDTH: Final = 1040
HEIGHT: Final = 248
_LEFT: Final = 44
_TOP: Final = 12
_BOTTOM: Final = 28
BARS_MAX: Final = 60  # more bars are thinner than a reader can point at
_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_592_000, 7_776_000, 31_536_000,
)  # fmt: skip
ORDER: Final[tuple[Way, ...]] = ("allowed", "approved", "pending", "denied", "refused")


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """A coloured piece of a column: SVG geometry in user units, and what a pointer reads."""

    way: Way
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
    """A time in which the gateway was not watching, as a strip behind the bars."""

    x: float
    width: float
    title: str


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """A stacked column chart, ready to draw; ``rows`` is the same as a table for those who cannot see it."""

    step_text: str
    bars: tuple[Bar, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    rows: tuple[tuple[str, dict[Way, int]], ...]
    bands: tuple[Band, ...] = ()
    top_y: float = _TOP
    base_y: float = HEIGHT - _BOTTOM
    left_x: float = _LEFT
    width: int = WIDTH
    height: int = HEIGHT


def draw(story: Story) -> Chart | None:
    """The chart of ``story``; None where nobody asked for anything."""
    requests = story.requests()
    if not requests:
        return None
    first_at = min(fact.at for fact in requests)
    last_at = max(fact.at for fact in requests)
    step_s = _step_s((last_at - first_at).total_seconds())
    start_s = int(first_at.timestamp()) // step_s * step_s
    columns_count = (int(last_at.timestamp()) - start_s) // step_s + 1
    columns: list[dict[Way, int]] = [dict.fromkeys(ORDER, 0) for _ in range(columns_count)]
    for fact in requests:
        columns[(int(fact.at.timestamp()) - start_s) // step_s][fact.way] += 1
    chart = _layout(columns, start_s, step_s)
    slot = _slot(columns_count) / step_s
    bands = (_band(gap, start_s, slot, columns_count * step_s) for gap in story.gaps)
    return dataclasses.replace(chart, bands=tuple(band for band in bands if band is not None))


def _slot(columns_count: int) -> float:
    # A handful of columns would be slabs: none is wider than a sixteenth of the chart.
    return (WIDTH - _LEFT) / max(columns_count, 16)


def _band(gap: Gap, start_s: int, per_second: float, span_s: int) -> Band | None:
    if gap.kind not in {"stopped", "crashed", "silence"}:
        return None
    from_s = min(max(gap.from_at.timestamp() - start_s, 0), span_s)
    to_s = min(max(gap.to_at.timestamp() - start_s, 0), span_s)
    width = (to_s - from_s) * per_second
    if width < 1:
        return None
    return Band(round(_LEFT + from_s * per_second, 2), round(width, 2), f"{gap.kind}: {gap.note}")


def _step_s(span_s: float) -> int:
    for step_s in _STEPS_S:
        if span_s / step_s < BARS_MAX - 1:
            return step_s
    return int(span_s / (BARS_MAX - 2)) + 1


def _layout(columns: list[dict[Way, int]], start_s: int, step_s: int) -> Chart:
    tick, top = _scale(max(sum(column.values()) for column in columns))
    slot = _slot(len(columns))
    labels = [_label(start_s + index * step_s, step_s) for index in range(len(columns))]
    bars: list[Bar] = []
    for index, column in enumerate(columns):
        bars.extend(_stack(column, labels[index], _LEFT + index * slot, slot, _plot_height() / top))
    every = max(1, -(-len(columns) // 10))
    x_ticks = tuple(
        Tick(round(_LEFT + (index + 0.5) * slot, 2), labels[index]) for index in range(0, len(columns), every)
    )
    y_ticks = tuple(
        Tick(round(HEIGHT - _BOTTOM - value * _plot_height() / top, 2), str(value)) for value in range(0, top + 1, tick)
    )
    rows = tuple((labels[index], column) for index, column in enumerate(columns) if any(column.values()))
    return Chart(_step_text(step_s), tuple(bars), x_ticks, y_ticks, rows)


def _plot_height() -> float:
    return HEIGHT - _BOTTOM - _TOP


def _scale(highest: int) -> tuple[int, int]:
    tick = 1
    while highest / tick > 5:  # noqa: PLR2004 -- five grid lines read well
        tick = tick * 5 // 2 if str(tick).startswith("2") else tick * 2
    return tick, -(-highest // tick) * tick


def _stack(column: dict[Way, int], label: str, x: float, slot: float, scale: float) -> list[Bar]:
    bars: list[Bar] = []
    gap = min(4.0, slot * 0.2)
    y = float(HEIGHT - _BOTTOM)
    for way in ORDER:
        if not (count := column[way]):
            continue
        height = count * scale
        y -= height
        bars.append(
            Bar(
                way,
                round(x + gap / 2, 2),
                round(y, 2),
                round(slot - gap, 2),
                round(height, 2),
                f"{label} · {count} {way}",
            )
        )
    return bars


def _label(second: int, step_s: int) -> str:
    at = dt.datetime.fromtimestamp(second, dt.UTC)
    if step_s >= 86_400:  # noqa: PLR2004 -- a day
        return at.strftime("%Y-%m-%d")
    if step_s >= 60:  # noqa: PLR2004 -- a minute
        return at.strftime("%H:%M")
    return at.strftime("%H:%M:%S")


def _step_text(step_s: int) -> str:
    for size_s, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if step_s % size_s == 0:
            count = step_s // size_s
            return name if count == 1 else f"{count} {name}s"
    return f"{step_s} seconds"
