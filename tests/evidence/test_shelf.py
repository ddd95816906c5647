import gzip
from pathlib import Path

import pytest
from tests.evidence.forge import pack as pack_files

from holdfast.errors import EvidenceError
from holdfast.evidence.files.container import Package
from holdfast.evidence.files.shelf import ENTRIES_PER_FILE, Shelf, file_name, pack, unpack
from holdfast.evidence.files.withheld import FILE, line_of
from holdfast.ledger.tree import leaf_hash


def shelf_of(tmp_path: Path, start: int, lines: list[bytes], hidden: set[int]) -> Shelf:
    files = {}
    for at in range(0, len(lines), ENTRIES_PER_FILE):
        shown = [
            line for index, line in enumerate(lines[at : at + ENTRIES_PER_FILE], start + at) if index not in hidden
        ]
        if shown:
            files[file_name(start + at)] = pack(shown)
    withheld_lines = (line_of(index, leaf_hash(lines[index - start])) for index in sorted(hidden))
    pack_files(files | {FILE: b"".join(withheld_lines)}, tmp_path / "x.zip")
    return Shelf(Package((tmp_path / "x.zip").open("rb")), start, start + len(lines))


@pytest.mark.parametrize("hidden", [set(), {7, 9, 7 + ENTRIES_PER_FILE}, set(range(7, 7 + ENTRIES_PER_FILE))])
def test_what_is_packed_is_unpacked_and_what_is_withheld_has_its_leaf(tmp_path: Path, hidden: set[int]) -> None:
    lines = [b"%d" % index for index in range(7, 7 + 2 * ENTRIES_PER_FILE + 1)]
    shelf = shelf_of(tmp_path, 7, lines, hidden)
    expected = [(index, None if index in hidden else line, leaf_hash(line)) for index, line in enumerate(lines, 7)]
    assert list(shelf.leaves()) == expected
    shown = [(index, line) for index, line, _ in expected if line is not None]
    assert list(shelf.lines(7, 7 + len(lines))) == shown
    middle = 7 + ENTRIES_PER_FILE + 3
    assert list(shelf.lines(middle, middle + 5)) == [item for item in shown if middle <= item[0] < middle + 5]
    shelf._package._file.close()


def test_the_same_records_give_the_same_bytes() -> None:
    assert pack([b"{}"]) == pack([b"{}"])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"no gzip", id="no gzip"),
        pytest.param(gzip.compress(b"{}\n")[:-5], id="cut"),
        pytest.param(gzip.compress(b"{}\n") + b"x", id="followed"),
        pytest.param(gzip.compress(b"{}\n") + gzip.compress(b"{}\n"), id="two streams"),
        pytest.param(gzip.compress(b"{}"), id="no line end"),
        pytest.param(gzip.compress(b""), id="nothing"),
        pytest.param(gzip.compress(b"\n" * (ENTRIES_PER_FILE + 1)), id="too many lines"),
        pytest.param(gzip.compress(bytes(64 * 1024 * 1024)), id="bomb"),
    ],
)
def test_a_file_that_is_no_shelf_of_records_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError, match=r"ledger/entries"):
        unpack("ledger/entries-000000000000.jsonl.gz", data)
