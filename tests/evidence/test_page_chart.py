"""Charts, rankings and strips: geometry within its frame, counts that add up, colours that are told apart."""

import datetime as dt
import itertools
import math
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.page_world import Source
from tests.evidence.world import a_day

from holdfast.evidence.pages.bounds import DISTINCT_MAX, NAMES_MAX
from holdfast.evidence.pages.chart import BANDS_MAX, COLUMNS_MAX, WIDTH, Band, Clock, Words, columns, histogram, strip
from holdfast.evidence.pages.figures import WAYS, figures
from holdfast.evidence.pages.ranking import Ranking
from holdfast.evidence.pages.strips import gap_strip, window_strip

NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
WORDS = Words("key", "Title", "About.", WAYS)

# Viénot and others as Machado, Oliveira and Fernandes (2009) give them, severity 1.0, in linear RGB.
EYES = {
    "all three": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = a_day(tmp_path_factory.mktemp("chart") / "data")
    world.ledger.close()
    return world.folder


@given(
    days=st.integers(0, 80_000),
    seconds=st.integers(0, 10**9),
    counts=st.lists(st.integers(0, 10**6), min_size=5, max_size=5),
)
def test_columns_stay_within_the_chart_for_every_span(days: int, seconds: int, counts: Sequence[int]) -> None:
    first_at = dt.datetime(1971, 1, 1, 3, 4, 5, tzinfo=dt.UTC) + dt.timedelta(days=days)
    clock = Clock(first_at, first_at + dt.timedelta(seconds=seconds))
    assert 1 <= clock.count <= COLUMNS_MAX
    ways = dict(zip((way for way, _ in WAYS), counts, strict=True))
    band = Band("band", first_at - dt.timedelta(days=1), first_at + dt.timedelta(seconds=seconds + 9), "gap")
    chart = columns(WORDS, clock, [ways] * clock.count, [band])
    for piece in (*chart.pieces, *chart.bands):
        assert chart.left_x - 0.02 <= piece.x
        assert piece.x + piece.width <= WIDTH + 0.02
        assert chart.top_y - 0.02 <= piece.y
        assert piece.y + piece.height <= chart.base_y + 0.02
    assert [row[1] for row in chart.rows] == ([ways] * clock.count if any(counts) else [])


def test_a_clock_that_went_back_still_falls_into_the_chart() -> None:
    clock = Clock(NOON, NOON + dt.timedelta(hours=1))
    assert clock.place(NOON - dt.timedelta(days=400)) == 0
    assert clock.place(NOON + dt.timedelta(days=400)) == clock.count - 1


def test_times_on_an_axis_name_the_day_where_there_are_several() -> None:
    assert Clock(NOON, NOON + dt.timedelta(hours=2)).tick(0) == "12:00"
    assert Clock(NOON, NOON + dt.timedelta(days=3)).tick(1) == "11-20 14:00"
    assert Clock(NOON, NOON + dt.timedelta(days=300)).tick(0) == "2026-11-19"


def test_a_strip_shows_a_second_in_a_year_and_no_more_than_it_can() -> None:
    bands = [Band("denied", NOON, NOON + dt.timedelta(seconds=1), "short")] * (BANDS_MAX + 5)
    chart = strip(WORDS, NOON, NOON + dt.timedelta(days=365), bands)
    assert len(chart.pieces) == BANDS_MAX
    assert chart.pieces[0].width == 2.0
    assert chart.pieces[0].x == chart.left_x


def test_a_histogram_labels_every_class() -> None:
    chart = histogram(WORDS, ("few", "many"), ({"allowed": 3}, {}))
    assert [tick.label for tick in chart.x_ticks] == ["few", "many"]
    assert chart.rows == (("few", {"allowed": 3}),)


def test_a_ranking_adds_up_and_names_what_it_sums() -> None:
    ranking = Ranking()
    for number in range(NAMES_MAX + 3):
        ranking.add((f"caller {number:02}", ""), "denied" if number % 2 else "allowed", number + 1)
    made = ranking.ranked("Title", "Caller", WAYS)
    assert made is not None
    assert [line.label for line in made.lines][:2] == ["caller 14", "caller 13"]
    assert made.lines[-1].label == "others (3)"
    assert sum(line.total for line in made.lines) == sum(range(NAMES_MAX + 4))
    assert max(sum(piece.width for piece in line.pieces) for line in made.lines) == pytest.approx(100)


def test_a_ranking_does_not_grow_without_end() -> None:
    ranking = Ranking()
    for number in range(DISTINCT_MAX + 500):
        ranking.add((str(number), ""), "allowed")
    made = ranking.ranked("Title", "Caller", WAYS)
    assert made is not None
    assert made.lines[-1].label == f"others ({DISTINCT_MAX - NAMES_MAX:,} or more)"
    assert sum(line.total for line in made.lines) == DISTINCT_MAX + 500


def test_the_charts_count_what_the_story_counts(folder: Path) -> None:
    material = Source(folder).material(stamped=True)
    story = material.story
    counted = figures(story)
    assert counted.ways == story.ways()
    assert counted.over_time is not None
    totals = dict.fromkeys(counted.ways, 0)
    for _, column in counted.over_time.rows:
        for way, count in column.items():
            totals[way] += count
    assert totals == story.ways()
    assert [band.title.split(":")[0] for band in counted.over_time.bands] == ["stopped", "crashed"]
    assert counted.entities is not None
    assert sum(line.total for line in counted.entities.lines) == sum(story.findings.values())
    assert counted.callers is not None
    assert sum(line.total for line in counted.callers.lines) == sum(story.ways().values())
    assert counted.holds_count == story.holds_count == 3
    story.close()


def test_gaps_and_windows_stand_on_a_line_of_time(folder: Path) -> None:
    material = Source(folder).material(stamped=True)
    gaps, windows = gap_strip(material.story), window_strip(material)
    assert gaps is not None
    assert {piece.title.split(",")[0] for piece in gaps.pieces} == {"stopped", "crashed"}
    assert windows is not None
    assert "the last one is open" in windows.about
    assert windows.pieces[-1].tone == "denied"
    material.story.close()
    material = Source(folder).material()
    alone = window_strip(material)
    assert alone is not None
    assert "that window is all of it" in alone.about
    assert [piece.tone for piece in alone.pieces] == ["denied"]
    material.story.close()


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", EYES)
def test_decisions_are_told_apart_by_every_kind_of_eye(theme: int, eyes: str) -> None:
    colours = palette(theme)
    seen = {way: lab(matrix(EYES[eyes], linear(colours[way]))) for way, _ in WAYS}
    for one, other in itertools.combinations(seen, 2):
        assert math.dist(seen[one], seen[other]) > 18, (one, other)  # CIE76; 2.3 is a just noticeable difference


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_of_decisions_stand_out_from_the_paper(theme: int) -> None:
    colours = palette(theme)
    for way, _ in WAYS:
        lights = sorted((luminance(colours[way]), luminance(colours["paper"])))
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 3, way  # WCAG 2.2, 1.4.11


def palette(theme: int) -> dict[str, str]:
    css = resources.files("holdfast.evidence").joinpath("templates", "page.css").read_text("utf-8")
    pairs = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", css)
    return {name: (light, dark)[theme] for name, light, dark in pairs}


def linear(colour: str) -> tuple[float, ...]:
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def matrix(rows: Sequence[Sequence[float]], rgb: Sequence[float]) -> tuple[float, ...]:
    return tuple(min(1.0, max(0.0, sum(a * b for a, b in zip(row, rgb, strict=True)))) for row in rows)


def lab(rgb: Sequence[float]) -> tuple[float, float, float]:
    xyz = matrix(((0.4339, 0.3762, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728)), rgb)
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
