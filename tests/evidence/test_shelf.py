import gzip
from pathlib import Path

import pytest
from tests.evidence.forge import pack as pack_files

from holdfast.errors import EvidenceError
from holdfast.evidence.container import Package
from holdfast.evidence.shelf import ENTRIES_PER_FILE, Shelf, file_name, pack, unpack


def test_what_is_packed_is_unpacked_in_files_of_a_thousand(tmp_path: Path) -> None:
    lines = [(index, b"%d" % index) for index in range(7, 7 + 2 * ENTRIES_PER_FILE + 1)]
    files = dict(pack(lines))
    assert list(files) == [file_name(7 + number * ENTRIES_PER_FILE) for number in range(3)]
    with pack_files(files, tmp_path / "x.zip").open("rb") as file:
        assert list(Shelf(Package(file), 7, 7 + len(lines)).lines()) == lines


def test_the_same_records_give_the_same_bytes() -> None:
    assert list(pack([(0, b"{}")])) == list(pack([(0, b"{}")]))


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
