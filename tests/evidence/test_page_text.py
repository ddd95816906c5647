"""What stands in a page: texts, cells, columns, files, lines of the log; each bounded and spelled out."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evidence.page_world import Source
from tests.evidence.world import World, a_day

from holdfast.approval.visible import visible
from holdfast.evidence.files.entry import parse_entry, payload_refs
from holdfast.evidence.pages.bounds import CELL_CHARS_MAX, FILES_ALL_MAX
from holdfast.evidence.pages.chronicle import HALF_LINES_MAX, PAGE_LINES, chronicle
from holdfast.evidence.pages.environment import coded, number, render, short, size
from holdfast.evidence.pages.files import LATER, listing
from holdfast.evidence.pages.table import Table, table, title
from holdfast.evidence.tables.material import Material, Tally
from holdfast.evidence.tables.reports import Report
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import open_reader

DIGEST = "ab" * 32


@given(st.text())
def test_a_cell_hides_nothing_and_is_bounded(text: str) -> None:
    shown = short(text)
    assert visible(shown) == shown
    assert len(shown) <= CELL_CHARS_MAX + 40
    if len(visible(text)) <= CELL_CHARS_MAX:
        assert shown == visible(text)
    else:
        assert shown.endswith(f"… (cut; {len(text)} characters)")


def test_numbers_and_sizes_read_well() -> None:
    assert number(1_234_567) == "1\u202f234\u202f567"
    assert [str(size(count)) for count in (0, 999, 1000, 1_500_000, 7 * 10**15)] == [
        "0 B", "999 B", "1.0 kB", "1.5 MB", "7000.0 TB",
    ]  # fmt: skip


def test_backticks_become_code_and_nothing_else_becomes_markup() -> None:
    assert coded("Records `call` & <b>") == "Records <code>call</code> &amp; &lt;b&gt;"


def test_a_value_that_a_template_does_not_know_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="is undefined"):
        render("frame.html.j2")


def made(columns: tuple[str, ...], rows: Sequence[Sequence[object]], rows_max: int = 1000, **tallies: Tally) -> Table:
    index = "index" if "index" in columns else ""
    report = Report("99-test", "Test", "What?", "all", columns, lambda _: iter(rows), index)
    material: Any = SimpleNamespace(tallies={name.replace("_", "-"): tally for name, tally in tallies.items()})
    return table(report, material, rows_max)


def test_columns_are_shown_as_what_they_hold() -> None:
    row = (7, "2026-11-20T08:58:00.000001Z", DIGEST, "word", "a longer text " * 5, None)
    shown = made(("index", "at", "rules_digest", "typ", "reason", "note"), [row, row])
    assert [column.kind for column in shown.columns] == ["n", "t", "d", "t", "long", ""]
    assert [column.title for column in shown.columns] == ["Index", "At", "Rules digest", "Typ", "Reason", "Note"]
    cells = [str(cell.html) for cell in shown.rows[0]]
    assert cells[1] == '<time datetime="2026-11-20T08:58:00.000001Z">2026-11-20 08:58:00</time>'
    assert cells[2] == f'<code class="digest">{DIGEST}</code>'
    assert cells[5] == ""


def test_of_many_columns_those_without_a_value_are_left_out_and_named() -> None:
    names = tuple(f"c{place}" for place in range(12))
    shown = made(names, [tuple("" if place % 2 else place for place in range(12))])
    assert [column.title for column in shown.columns] == [f"C{place}" for place in range(0, 12, 2)]
    assert shown.left_out == tuple(f"c{place}" for place in range(1, 12, 2))


def test_a_table_counts_every_row_and_keeps_the_first() -> None:
    shown = made(("index",), [(number,) for number in range(5, 3005)], 10)
    assert (len(shown.rows), shown.total, shown.more) == (10, 3000, 2990)
    assert (shown.first_index, shown.last_index) == (5, 3004)


def test_a_table_believes_the_tally_of_rows_that_were_walked_before() -> None:
    def rows() -> Iterator[tuple[int]]:
        yield from ((number,) for number in range(11))
        pytest.fail("read on although the rows were counted")

    report = Report("99-test", "Test", "What?", "all", ("index",), lambda _: rows())
    material: Any = SimpleNamespace(tallies={"99-test": Tally(500, 0, 499)})
    shown = table(report, material, 10)
    assert (len(shown.rows), shown.total, shown.last_index) == (10, 500, 499)


def test_names_of_columns_are_spelled_for_people() -> None:
    assert [title(name) for name in ("source_ip", "iss", "at", "request_digest")] == [
        "Source IP", "Issuer", "At", "Request digest",
    ]  # fmt: skip


def file(name: str, count: int = 1) -> SimpleNamespace:
    return SimpleNamespace(name=name, size=count, sha256_hex=DIGEST)


def test_files_are_grouped_by_what_they_are() -> None:
    names = (
        "trust/log.vkey",
        "README.html",
        "ledger/tiles/tile/0/x001/000",
        "ledger/checkpoint.end",
        "new folder/a#b?.txt",
    )
    listed = listing(map(file, (*LATER, *names)))
    assert [(group.title, [line.name for line in group.files]) for group in listed.groups] == [
        ("To begin with", ["README.html", "new folder/a#b?.txt"]),
        ("Tiles of the ledger", ["ledger/tiles/tile/0/x001/000"]),
        ("The ledger", ["ledger/checkpoint.end"]),
        ("Keys and trust", ["trust/log.vkey"]),
    ]
    assert listed.groups[0].files[1].href == "new%20folder/a%23b%3F.txt"
    assert (listed.files_count, listed.files_bytes) == (5, 5)


def test_of_very_many_files_the_rest_is_a_count() -> None:
    names = [f"payloads/payloads-{number:012}.jsonl.gz" for number in range(FILES_ALL_MAX + 40)]
    (group,) = listing(file(name, 10) for name in reversed(names)).groups
    assert [line.name for line in group.files] == names[:FILES_ALL_MAX]
    assert (group.more, group.more_bytes, group.last_name) == (40, 400, names[-1])


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    world = a_day(tmp_path_factory.mktemp("text") / "data")
    with open_reader(world.folder) as reader:
        entries = [parse_entry(index, data) for index, data in reader.records()]
    commitment = next(c for entry in entries for c, _, _ in payload_refs(entry).values())
    operator: JsonObject = {"uid": 1000, "name": "root-admin"}
    world.ledger.erase_blocking([commitment], basis="request", reason="ticket 4711", operator=operator)
    world.put(Draft("witness.down", {"witness": {"name": "w1", "kind": "witness"}, "reason": "no answer"}))
    world.put(Draft("witness.up", {"witness": {"name": "w1", "kind": "witness"}}))
    world.ledger.close()
    material = Source(world.folder).material()
    yield material
    material.story.close()


def test_the_log_says_in_words_what_every_record_says(told: Material) -> None:
    log = chronicle(told.entries, 0, told.scope.end.size)
    lines = [line for page in log.head for line in page]
    assert [line.index for line in lines] == list(range(told.scope.end.size))
    texts = [line.text for line in lines]
    assert {
        "→ crm tools/call get_customer: allowed by support-reads",
        "1 masked contents erased, by request: ticket 4711",
        "witness w1 is overdue: no answer",
        "witness w1 vouches again",
        "gateway stopped",
        "ledger began",
    } <= set(texts)
    assert lines[-3].who == "root-admin"
    silent = {line.typ for line in lines if not line.text}
    assert silent == {"ledger.heartbeat"}


def test_the_log_of_very_many_records_has_two_ends(world: World) -> None:
    for _ in range((2 * HALF_LINES_MAX + 50) // 50):
        world.put(*[Draft("ledger.heartbeat", {"counters": {"seen": 1}})] * 50)
    world.ledger.close()
    material = Source(world.folder).material()
    size_count = material.scope.end.size
    log = chronicle(material.entries, 0, size_count)
    material.story.close()
    assert sum(map(len, log.head)) == sum(map(len, log.tail)) == HALF_LINES_MAX
    assert log.left_out == size_count - 2 * HALF_LINES_MAX
    assert {len(page) for page in (*log.head, *log.tail)} == {PAGE_LINES}
    assert log.tail[-1][-1].index == size_count - 1
