"""The pages in a real Chromium, opened from disk: what a reader sees, types, tabs through and prints."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.evidence.page_world import Source, a_working_day
from tests.evidence.test_page import FRAMEWORK, rendered

from holdfast.evidence.pages import control_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGES = ("README.html", "evidence_manifest.html", "reports/04-access-decisions.html", "reports/06-approvals.html",
         "reports/09-gaps.html", "control.html")  # fmt: skip
AA = 4.5  # WCAG 2.2, 1.4.3: text against what is behind it
# Every text that is painted: its colour, and the first background behind it that is not transparent.
PAINTED = """() => {
  const seen = (style) => !/, 0\\)$|transparent/.test(style);
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest(".skip, .unseen")) continue;
    let back = element;
    while (back && !seen(getComputedStyle(back).backgroundColor)) back = back.parentElement;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const paper = getComputedStyle(back ?? document.body).backgroundColor;
    found[`${ink}|${paper}`] = `${element.tagName}.${element.className.baseVal ?? element.className}`;
  }
  return found;
}"""

pytestmark = pytest.mark.browser


class Opened(NamedTuple):
    page: Page
    requests: list[str]
    problems: list[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("browser")
    a_working_day(base / "data", minutes=90)
    material = Source(base / "data").material(stamped=True, controls=(FRAMEWORK,))
    found = rendered(material) | {"control.html": control_page(material, (FRAMEWORK,), ["A.8.15"])}
    material.story.close()
    for name, data in found.items():
        path = base / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return base / "package"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def opened(browser: Browser, path: Path, fragment: str = "", **options: Any) -> Opened:
    page = browser.new_context(**options).new_page()
    made = Opened(page, [], [])
    page.on("request", lambda request: made.requests.append(request.url))
    page.on("console", lambda message: made.problems.append(message.text))
    page.on("pageerror", lambda error: made.problems.append(str(error)))
    page.goto(path.as_uri() + fragment)
    return made


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 400)])
def test_pages_ask_nobody_fail_nowhere_fit_and_are_legible(
    folder: Path, browser: Browser, scheme: str, width: int
) -> None:
    for name in PAGES:
        made = opened(browser, folder / name, color_scheme=scheme, viewport={"width": width, "height": 900})
        assert made.requests == [(folder / name).as_uri()]
        assert made.problems == []
        assert made.page.evaluate("document.documentElement.scrollWidth") == width, name
        made.page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
        pairs: dict[str, str] = made.page.evaluate(PAINTED)
        assert len(pairs) >= 3
        assert {where: pair for pair, where in pairs.items() if contrast(*pair.split("|")) < AA} == {}, name
        made.page.context.close()


def test_searching_filters_rows_as_one_types(folder: Path, browser: Browser) -> None:
    page = opened(browser, folder / "evidence_manifest.html").page
    page.get_by_label("Search controls, reports and files").press_sequentially("A.8.15 logged")
    rows = page.locator("tbody[data-rows] tr:visible")
    assert [text.split("\n")[0] for text in rows.all_inner_texts()] == ["ISO/IEC 27001, Annex A (2022)", "A.8.15"]
    assert re.fullmatch(r"1 of \d+ rows", page.locator("output").inner_text())
    page.keyboard.press("Escape")
    assert rows.count() > 20
    page.context.close()


def test_a_link_can_carry_a_search(folder: Path, browser: Browser) -> None:
    page = opened(browser, folder / "evidence_manifest.html", "#q=approvals.csv").page
    assert page.locator("tbody[data-rows] tr:not(.group):visible").count() >= 2
    assert "approvals.csv" in page.locator("tbody[data-rows] tr:not(.group):visible").last.inner_text()
    page.context.close()


def test_a_column_sorts_by_keyboard_and_says_how(folder: Path, browser: Browser) -> None:
    page = opened(browser, folder / "reports/04-access-decisions.html").page
    head = page.locator("th", has=page.get_by_role("button", name="Index", exact=True))
    indices = "[...document.querySelectorAll('table[data-sort] tbody th')].map((cell) => Number(cell.textContent))"
    before = page.evaluate(indices)
    for said in ("ascending", "descending", None):
        head.get_by_role("button").focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == said
        wanted = before if said is None else sorted(before, reverse=said == "descending")
        assert page.evaluate(indices) == wanted
    page.context.close()


def test_the_keyboard_goes_through_a_page_in_reading_order(folder: Path, browser: Browser) -> None:
    page = opened(browser, folder / "README.html").page
    visited = []
    for _ in range(40):
        page.keyboard.press("Tab")
        visited.append(page.evaluate("document.activeElement.textContent.trim().split('\\n')[0]"))
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring not in {"none", ""}, visited[-1]
    assert visited[:6] == ["Skip to the content", "Front page", "Reports", "Manifest", "How to verify", "Theme: auto"]
    tops = page.evaluate("""[...document.querySelectorAll('a, button, summary, [tabindex="0"]')]
        .filter((one) => one.closest('main') && one.checkVisibility()).map((one) => one.tabIndex)""")
    assert set(tops) == {0}
    page.keyboard.press("Home")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_the_theme_follows_the_system_until_it_is_switched(folder: Path, browser: Browser) -> None:
    page = opened(browser, folder / "README.html", color_scheme="dark").page
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    button = page.get_by_role("button", name="Theme")
    button.click()
    assert button.inner_text() == "Theme: light"
    light = page.evaluate(paper)
    assert contrast(light, "rgb(0, 0, 0)") > 15
    assert contrast(dark, "rgb(0, 0, 0)") < 2
    page.goto((folder / "reports/01-scope.html").as_uri())
    assert page.evaluate(paper) == light
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate(paper) == dark
    page.context.close()


def test_a_page_reads_whole_without_script(folder: Path, browser: Browser) -> None:
    with_script = opened(browser, folder / "evidence_manifest.html").page
    without = opened(browser, folder / "evidence_manifest.html", java_script_enabled=False).page
    rows = "tbody[data-rows] tr"
    assert without.locator(rows).count() == with_script.locator(f"{rows}:visible").count() > 20
    assert without.locator("button:visible, input:visible").count() == 0
    for page in (with_script, without):
        page.context.close()


def test_a_script_that_came_with_a_record_would_not_run(folder: Path, browser: Browser, tmp_path: Path) -> None:
    text = (folder / "README.html").read_text("utf-8")
    forged = text.replace(
        "<main", "<script>document.title = 'owned'</script><svg onload='document.title=1'></svg><main", 1
    )
    path = tmp_path / "forged.html"
    path.write_text(forged, "utf-8")
    made = opened(browser, path)
    assert made.page.title().startswith("Evidence:")
    assert made.requests == [path.as_uri()]
    assert any("Content Security Policy" in problem for problem in made.problems)
    made.page.context.close()


@pytest.mark.parametrize("name", ["README.html", "reports/06-approvals.html"])
def test_paper_gets_whole_tables_on_several_pages(folder: Path, browser: Browser, name: str) -> None:
    page = opened(browser, folder / name, color_scheme="dark").page
    paper = page.pdf(prefer_css_page_size=True)
    sheets = len(re.findall(rb"/Type\s*/Page\b", paper))
    assert 2 <= sheets < 30
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", paper)}
    assert all(sorted(map(round, box[2:])) == [595, 842] for box in boxes)  # A4 in points, upright or broad
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 without its margins, in CSS pixels
    page.evaluate("document.querySelectorAll('.broad').forEach((table) => table.remove())")  # they are printed broad
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.context.close()


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    lights = sorted(map(_luminance, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
