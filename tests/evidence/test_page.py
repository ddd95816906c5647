"""Every page of a package: what it says, what it must not do, what it looks like to a program."""

import dataclasses
import hashlib
import posixpath
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import unpack
from tests.evidence.page_reader import Page, faults_of
from tests.evidence.page_world import Source, a_working_day
from tests.evidence.world import Person, World

from holdfast.evidence import pages
from holdfast.evidence.control.controls import Control, Framework
from holdfast.evidence.pages.bounds import CONTROLS_MAX, PAGE_BYTES_MAX, ROWS_MAX
from holdfast.evidence.pages.environment import environment
from holdfast.evidence.pages.figures import WAYS
from holdfast.evidence.pages.files import LATER
from holdfast.evidence.pages.front import front_page
from holdfast.evidence.story.facts import Way
from holdfast.evidence.tables.material import Material
from holdfast.evidence.tables.reports import REPORTS
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft

NASTY = '<script>alert(1)</script><img src=//evil.example onerror="x">\u202e\x1b[31m={{7*7}}{%x%}\x00\u200b&amp;`x`'
FRAMEWORK = Framework(
    "iso27001", "ISO/IEC 27001, Annex A", "2022", "A note about the framework.",
    (
        Control("A.8.15", "Logging", "Events are logged.", "supports", "Every call.", "Your own systems.",
                ("02-population", "07-exceptions")),
        Control("A.8.17", "Clocks", "Clocks agree.", "partial", "Gaps of the clock.", "Time servers.", ("09-gaps",)),
        Control("A.7.2", "Entry", "Doors have locks.", "not covered", "", "All of it.", ()),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    folder = tmp_path_factory.mktemp("pages") / "data"
    a_working_day(folder, minutes=90)
    made = Source(folder).material(stamped=True, controls=(FRAMEWORK,))
    yield made
    made.story.close()


@pytest.fixture(scope="module")
def made(material: Material) -> dict[str, bytes]:
    return rendered(material)


def rendered(material: Material) -> dict[str, bytes]:
    """All pages, as a package would hold them: each is known as a file before the next one is made."""
    found = {"VERIFY.md": b"", "CONTROLS.csv": b"", "verify.py": b"#", "SHA256SUMS": b"", "reports/index.csv": b""}
    found |= dict.fromkeys((report.file for report in REPORTS), b"")

    def files() -> Iterator[SimpleNamespace]:
        return (SimpleNamespace(name=name, size=len(data), sha256_hex="ab" * 32) for name, data in found.items())

    for name, data in pages.render_all(material, files):
        found[name] = data
    return found


def html_of(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in found.items() if name.endswith(".html")}


def test_there_is_a_page_for_every_report_a_front_page_and_a_manifest(made: dict[str, bytes]) -> None:
    reports = {f"reports/{report.id}.html" for report in REPORTS}
    assert set(html_of(made)) == {*reports, "README.html", "evidence_manifest.html"}


def test_no_page_has_a_fault_that_a_program_finds(made: dict[str, bytes]) -> None:
    assert {name: faults for name, data in html_of(made).items() if (faults := faults_of(Page(data)))} == {}


@pytest.mark.parametrize(
    ("there", "instead", "fault"),
    [
        ("<caption>", "<caption></caption><i>", "</caption> where"),
        ('scope="col"', "", "a th without a scope"),
        ("<main", '<a href="//evil.example">x</a><main', "//evil.example"),
        ("<main", "<img><main", "<img>"),
        ("<main", '<b style="x" onclick="y">x</b><main', "onclick on <b>"),
        ('"use strict";', "", "script-src"),
        ("color-scheme: light dark;", "", "style-src"),
        ("default-src &#39;none", "default-src &#39;self", "default-src"),
        ("<h1>", "<h2>x</h2><h1>", "not exactly one h1 that comes first"),
        ('<label for="search">', "<b>", "an input without a label"),
        ('id="search"', 'id="main"', "id main twice"),
        ('role="img" aria-labelledby', 'role="img" aria-label', "a chart without title and desc"),
    ],
)
def test_the_search_for_faults_finds_them(made: dict[str, bytes], there: str, instead: str, fault: str) -> None:
    for name in ("README.html", "evidence_manifest.html"):
        text = made[name].decode()
        if there in text:
            broken = text.replace(there, instead, 1).replace("<b>Search", "<label>Search")
            try:
                found = faults_of(Page(broken.encode()))
            except AssertionError as error:
                found = [str(error)]
            assert any(fault in one for one in found), found
            return
    pytest.fail(f"no page has {there}")


def test_every_link_leads_to_a_file_of_the_package_or_a_place_in_a_page(made: dict[str, bytes]) -> None:
    assert dead_links(made) == []


def dead_links(found: dict[str, bytes]) -> list[str]:
    parsed = {name: Page(data) for name, data in html_of(found).items()}
    dead = []
    for name, page in parsed.items():
        for target in set(page.targets):
            path, _, fragment = urllib.parse.unquote(target).partition("#")
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            is_place = not fragment or (there in parsed and fragment in parsed[there].ids)
            dead += [] if there in found and is_place else [f"{name}: {target}"]
    return dead


def test_pages_are_the_same_each_time(material: Material, made: dict[str, bytes]) -> None:
    assert rendered(material) == made


def test_a_report_states_question_selection_count_and_records(made: dict[str, bytes], material: Material) -> None:
    for report in REPORTS:
        page = Page(made[f"reports/{report.id}.html"])
        text = " ".join(page.all("header")[0].text.split())
        rows = list(report.rows(material))
        assert page.all("h1")[0].text == report.title
        assert report.question in text
        assert " ".join(report.query.replace("`", "").split()) in text
        assert f"Rows{len(rows)} " in text.replace("\u202f", "")
        place = report.columns.index(report.index) if report.index else None
        indices = [] if place is None else [index for row in rows if isinstance(index := row[place], int)]
        wanted = f"{min(indices)} and {max(indices)}" if indices else "none of its own"
        assert f"First and last Record{wanted}" in text


def test_the_front_page_says_what_a_reader_asks_for(made: dict[str, bytes]) -> None:
    text = made["README.html"].decode()
    for words in ("gw.example.com/ledger/n1", "To look at first", "gap: crashed", "It does not prove",
                  "python3 -I verify.py PACKAGE.zip --trust log.vkey", "How long held calls waited",
                  "Masked values by kind", "US_SSN", "Chronological log"):  # fmt: skip
        assert words in text, words


def test_exceptions_come_before_figures_on_the_front_page(made: dict[str, bytes]) -> None:
    ids = Page(made["README.html"]).ids
    assert ids.index("look") < ids.index("figures") < ids.index("reports") < ids.index("proof") < ids.index("log")


def test_the_holds_show_the_view_and_the_decisions(made: dict[str, bytes]) -> None:
    text = made["reports/06-approvals.html"].decode()
    assert "params as they would be sent, masked:" in text
    for words in ("Dana Okafor", "Quarterly export, ticket DPO-118", "No business need for the full segment"):
        assert words in text, words


def test_the_manifest_names_controls_reports_and_files(made: dict[str, bytes]) -> None:
    page = Page(made["evidence_manifest.html"])
    rows = [element.text for element in page.all("tr")]
    for control in FRAMEWORK.controls:
        (row,) = [row for row in rows if row.startswith(control.id)]
        assert control.requirement in row
        assert control.coverage in row
    for name in set(made) - LATER:
        assert any(row.startswith(name) and "ab" * 32 in row for row in rows), name
    assert not any(row.startswith(tuple(LATER)) for row in rows)


def test_a_control_has_a_page_with_its_reports(material: Material) -> None:
    data = pages.control_page(material, (FRAMEWORK,), ["A.8.15"])
    page = Page(data)
    assert faults_of(page) == []
    assert all(target.startswith("#") and target[1:] in page.ids for target in page.targets)
    for words in ("Events are logged.", "supports", "Your own systems.", "It is not signed"):
        assert words in page.source, words
    assert [heading.text for heading in page.all("h2")] == ["A.8.15 Logging", "Population", "Exceptions"]
    assert "100 are shown" in page.source


def test_several_controls_share_a_page_and_what_is_not_covered_says_so(material: Material) -> None:
    page = Page(pages.control_page(material, (FRAMEWORK,), ["A.8.17", "A.7.2"]))
    assert page.all("h1")[0].text == "ISO/IEC 27001, Annex A: A.8.17, A.7.2"
    assert faults_of(page) == []
    assert "Not covered: these Records say nothing that this control asks for." in page.source
    assert "compliant" not in page.source.lower()


def test_a_page_of_very_many_controls_says_what_it_leaves_out(material: Material) -> None:
    many = tuple(dataclasses.replace(FRAMEWORK.controls[0], id=f"A.{number}") for number in range(CONTROLS_MAX + 7))
    page = Page(pages.control_page(material, (dataclasses.replace(FRAMEWORK, controls=many),), []))
    assert faults_of(page) == []
    assert "7 more controls were asked for than one page holds" in page.source
    assert page.all("h1")[0].text.endswith(f"A.0, A.1, A.2, A.3 and {CONTROLS_MAX - 4} more")


def test_the_front_page_alone_counts_as_in_a_package(material: Material, made: dict[str, bytes]) -> None:
    assert front_page(material) == made["README.html"]


def test_what_callers_write_stays_text_in_every_page(world: World, tmp_path: Path) -> None:
    nasty = Person(NASTY, NASTY, "client", "10.0.0.1")
    world.read(nasty)
    held = world.hold(nasty, 0)
    held.decide("deny", NASTY)
    held.close("denied", NASTY)
    world.refuse("malformed", NASTY, person=nasty, name=NASTY, rule=NASTY[:40])
    world.ledger.close()
    material = Source(world.folder).material()
    found = html_of(rendered(material)) | {"c": pages.control_page(material, (FRAMEWORK,), ["A.8.15"])}
    material.story.close()
    for name, data in found.items():
        page = Page(data)
        assert faults_of(page) == [], name
        for hidden in ("\u202e", "\x1b", "\x00", "\u200b", "<script>alert", "<img"):
            assert hidden not in page.source, name
    assert "⟨U+202E⟩" in found["reports/07-exceptions.html"].decode()
    assert "{{7*7}}" in found["reports/07-exceptions.html"].decode()


def test_a_quiet_ledger_has_pages_too(world: World) -> None:
    world.ledger.close()
    material = Source(world.folder).material()
    found = html_of(rendered(material))
    material.story.close()
    assert all(faults_of(Page(data)) == [] for data in found.values())
    assert "Nobody asked for anything in this range." in found["README.html"].decode()
    assert "That is a result" in found["reports/06-approvals.html"].decode()


def test_every_page_says_how_many_records_are_withheld(world: World) -> None:
    for number in range(3):
        world.read(Person(f"sub-{number}", f"Name {number}", "client", "10.0.0.1"))
    world.ledger.close()
    material = Source(world.folder, withheld=range(4, 9)).material()
    found = html_of(rendered(material)) | {"c": pages.control_page(material, (FRAMEWORK,), ["A.8.15"])}
    material.story.close()
    for name, data in found.items():
        page = Page(data)
        assert faults_of(page) == [], name
        assert "5 Records of this range are withheld" in page.all("main")[0].text, name
        assert "Asked for: 4-8." in page.source
    assert "Name 2" not in b"".join(found.values()).decode()


def test_hostile_length_does_not_make_pages_endless(world: World) -> None:
    loud = Person("&" * 500, "\u202e" * 400, "client", "10.0.0.1")
    for first in range(0, ROWS_MAX + 30, 103):
        bodies = [world.base(loud, f"{number}" + "\u202e" * 400) for number in range(first, first + 103)]
        refusal: JsonObject = {"cause": "malformed", "reason": "<" * 900}
        world.put(*(Draft("refused", body | refusal) for body in bodies))
    world.ledger.close()
    material = Source(world.folder).material()
    found = html_of(rendered(material))
    material.story.close()
    assert max(map(len, found.values())) < PAGE_BYTES_MAX
    text = found["reports/07-exceptions.html"].decode().replace("\u202f", "")
    match = re.search(r"The first (\d+) of 1030 rows", text)
    assert match is not None
    assert int(match[1]) < ROWS_MAX
    assert f"{1030 - int(match[1])} more rows are in" in text


def test_ways_are_named_for_every_decision() -> None:
    assert [way for way, _ in WAYS] == list(Way.__value__.__args__)


def test_an_undefined_name_in_a_template_is_an_error() -> None:
    names = environment().list_templates(extensions=["j2"])
    assert len(names) >= 10
    for name in names:
        environment().get_template(name)


def test_every_link_of_a_built_package_leads_somewhere(day: Day) -> None:
    files = unpack(day.package)
    assert set(html_of(files)) >= {
        "README.html",
        "evidence_manifest.html",
        *(f"reports/{one.id}.html" for one in REPORTS),
    }
    assert dead_links(files) == []
    assert {name: faults for name, data in html_of(files).items() if (faults := faults_of(Page(data)))} == {}
    listed = [element.text for element in Page(files["evidence_manifest.html"]).all("tr")]
    for name in set(files) - LATER:
        assert any(row.startswith(name) and hashlib.sha256(files[name]).hexdigest() in row for row in listed), name
