import html.parser
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.evidence.conftest import Day
from tests.evidence.forge import lines, unpack
from tests.evidence.world import Person, World

from holdfast.evidence.build import build
from holdfast.evidence.chart import BARS_MAX, draw
from holdfast.evidence.entry import parse_entry
from holdfast.evidence.story import tell

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NASTY = '<script>alert(1)</script><img src=https://evil.example/x onerror="x">\u202e\x1b[31m={{7*7}}'


class Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.targets: list[str] = []
        self.handlers: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"href", "src", "srcset", "action", "data", "poster", "xlink:href"}:
                self.targets.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
            if name == "id":
                self.ids.append(value or "")


def page_of(package: Path) -> str:
    return unpack(package)["README.html"].decode("utf-8")


def read(text: str) -> Links:
    links = Links()
    links.feed(text)
    return links


def test_the_page_refers_to_nothing_outside_the_package(day: Day) -> None:
    links = read(page_of(day.package))
    assert links.tags.isdisjoint({"script", "link", "iframe", "object", "embed", "img", "form", "base"})
    assert not links.handlers
    files = unpack(day.package)
    for target in links.targets:
        assert target.startswith("#") or target in files, target
    assert {target[1:] for target in links.targets if target.startswith("#")} <= set(links.ids)
    style = page_of(day.package).split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_says_what_a_reader_asks_for(day: Day) -> None:
    text = page_of(day.package)
    for words in ("Maya Lindqvist", "export_customers", "Dana Okafor", "Quarterly export, ticket DPO-118", "crashed",
                  "gw.example.com/ledger/n1", "What it does not prove", "lapsed 90 days", "approval.yaml"):  # fmt: skip
        assert words in text, words


def test_what_callers_write_stays_text(world: World, tmp_path: Path) -> None:
    nasty = Person(NASTY, NASTY, "client", "10.0.0.1")
    world.read(nasty)
    held = world.hold(nasty, 0)
    held.decide("deny", NASTY)
    held.close("denied", NASTY)
    world.refuse("malformed", NASTY, person=nasty, name=NASTY)
    world.ledger.close()
    build(world.folder, tmp_path / "nasty.zip")
    text = page_of(tmp_path / "nasty.zip")
    links = read(text)
    assert links.tags.isdisjoint({"script", "img"})
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "⟨U+202E⟩" in text
    assert "={{7*7}}" in text
    assert b"\n'=" not in unpack(tmp_path / "nasty.zip")["population.csv"]


def test_the_chart_counts_what_the_story_counts(day: Day) -> None:
    story = tell(parse_entry(index, data) for index, data in enumerate(lines(unpack(day.package))))
    chart = draw(story)
    assert chart is not None
    totals = dict.fromkeys(story.ways(), 0)
    for _, column in chart.rows:
        for way, count in column.items():
            totals[way] += count
    assert totals == story.ways()
    assert len({bar.x for bar in chart.bars}) <= BARS_MAX
    assert all(bar.y >= 0 and bar.x + bar.width <= chart.width for bar in chart.bars)
    assert [band.title.split(":")[0] for band in chart.bands] == ["stopped", "crashed"]


def test_a_quiet_ledger_has_a_page_too(world: World, tmp_path: Path) -> None:
    world.ledger.close()
    build(world.folder, tmp_path / "quiet.zip")
    text = page_of(tmp_path / "quiet.zip")
    assert "Nobody asked for anything in this range." in text
    assert "No gap" in text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_renders_without_a_request_and_without_sideways_scrolling(
    day: Day, tmp_path: Path, browser: Browser, scheme: str, width: int
) -> None:
    path = tmp_path / "README.html"
    path.write_text(page_of(day.package), encoding="utf-8")
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(path.as_uri())
    assert requests == [path.as_uri()]
    assert not problems
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ink, paper = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert contrast(ink, paper) > 7
    assert contrast(page.evaluate("getComputedStyle(document.querySelector('.note')).color"), paper) > 4.5
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    context.close()


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    lights = sorted(map(_luminance, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
