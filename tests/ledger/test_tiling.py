import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.ledgers import bare_call, open_ledger
from tests.ledger.test_script import run

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.ledger import note, tiling, tree
from holdfast.ledger.commands.exporting import write_tiles
from holdfast.ledger.reader import open_reader
from holdfast.ledger.tiles import TileTree

TESSERA = Path(__file__).parents[1] / "vectors" / "tessera"
ENTRIES = [f"entry {number}".encode() for number in range(70_000)]
LEAVES = [tree.leaf_hash(entry) for entry in ENTRIES]


def tree_at(size: int) -> TileTree:
    return TileTree().grown(LEAVES[:size])[0]


def test_a_tile_index_is_spelled_in_groups_of_three_digits() -> None:
    # The examples of tlog-tiles, and the edges between them.
    assert tiling.tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tiling.tile_path(0, 0) == "tile/0/000"
    assert tiling.tile_path(2, 999) == "tile/2/999"
    assert tiling.tile_path(0, 1000) == "tile/0/x001/000"
    assert tiling.tile_path("entries", 273, 112) == "tile/entries/273.p/112"
    assert tiling.whole_path("tile/entries/x001/273.p/112") == "tile/entries/x001/273"


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    files = dict(tiling.tile_files(LEAVES))
    level0 = [path for path in files if path.startswith("tile/0/")]
    assert sum(".p/" not in path for path in level0) == 273
    assert {path: len(data) for path, data in files.items() if ".p/" in path} == {
        "tile/0/273.p/112": 112 * 32,
        "tile/1/001.p/17": 17 * 32,
        "tile/2/000.p/1": 32,
    }
    assert len(files["tile/1/000"]) == 8192
    assert tiling.paths_of(70_000).keys() == files.keys()


def test_a_tree_of_256_is_one_full_tile_and_a_partial_one_above() -> None:
    assert [path for path, _ in tiling.tile_files(LEAVES[:256])] == ["tile/0/000", "tile/1/000.p/1"]
    assert dict(tiling.tile_files([])) == {}


@pytest.mark.parametrize("size", range(1, 16))
def test_tiles_and_bundles_are_those_that_tessera_wrote(size: int) -> None:
    entries = tiling.parse_bundle((TESSERA / "entries" / str(size)).read_bytes())
    assert len(entries) == size
    assert dict(tiling.bundle_files(entries)) == {
        f"tile/entries/000.p/{size}": (TESSERA / "entries" / str(size)).read_bytes()
    }
    leaves = [tree.leaf_hash(entry) for entry in entries]
    assert dict(tiling.tile_files(leaves)) == {f"tile/0/000.p/{size}": (TESSERA / "tile0" / str(size)).read_bytes()}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_what_is_left_out_of_a_pruned_log_is_what_ends_before_it(one: int, other: int) -> None:
    minimum, size = sorted((one, other))
    start = tiling.aligned(minimum)
    files = dict(tiling.tile_files(LEAVES[start:size], tree_at(start)))
    whole = tiling.paths_of(size)
    kept = {path for path, (level, index, _) in whole.items() if (index + 1) << 8 * (level + 1) > minimum}
    assert tiling.paths_of(size, minimum).keys() == kept
    assert kept <= files.keys() <= whole.keys()


@pytest.mark.parametrize(("minimum", "size"), [(0, 1), (0, 600), (300, 600), (256, 600), (65_800, 70_000), (599, 600)])
def test_tiles_are_checked_against_the_root_and_the_known_leaves(minimum: int, size: int) -> None:
    start = tiling.aligned(minimum)
    files = dict(tiling.tile_files(LEAVES[start:size], tree_at(start)))
    root = tree.root_of(LEAVES[:size])
    assert tiling.check_tiles(files.__getitem__, size, LEAVES[minimum:size], root) == len(
        tiling.paths_of(size, minimum)
    )
    for path in tiling.paths_of(size, minimum):
        for at in (0, len(files[path]) - 1):
            changed = bytearray(files[path])
            changed[at] ^= 1
            with pytest.raises(LedgerError):
                tiling.check_tiles((files | {path: bytes(changed)}).__getitem__, size, LEAVES[minimum:size], root)
        with pytest.raises(LedgerError, match="hashes"):
            tiling.check_tiles((files | {path: files[path][:-32]}).__getitem__, size, LEAVES[minimum:size], root)


def test_a_tree_is_not_taken_up_in_the_middle_of_a_tile() -> None:
    with pytest.raises(LedgerError, match="middle"):
        list(tiling.tile_files(LEAVES[100:200], tree_at(100)))


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x05abc", b"\x00\x01a\x00", b"\x00\x01a" * 257])
def test_a_bundle_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(LedgerError):
        tiling.parse_bundle(data)


def test_an_entry_longer_than_its_length_can_say_fits_no_bundle() -> None:
    assert tiling.parse_bundle(dict(tiling.bundle_files([bytes(65_535)]))["tile/entries/000.p/1"]) == [bytes(65_535)]
    with pytest.raises(LedgerError, match="fits no bundle"):
        list(tiling.bundle_files([bytes(65_536)]))


# The folder that `export --tiles` writes.


def grow(directory: Path, count: int) -> None:
    clock = SetClock()
    ledger = open_ledger(directory, clock)
    for low in range(0, count, 100):
        ledger.append_blocking(*(bare_call() for _ in range(min(100, count - low))))
    ledger.close()


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiled")
    grow(directory, 299)  # and the genesis Record
    return directory


@pytest.fixture
def growing(ledger: Path, tmp_path: Path) -> Path:
    return shutil.copytree(ledger, tmp_path / "data")


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_file(folder: Path) -> Callable[[str], bytes]:
    return lambda path: (folder / path).read_bytes()


def check_folder(folder: Path, directory: Path) -> None:
    checkpoint = note.parse_checkpoint(note.parse_note((folder / "checkpoint").read_bytes()).text)
    with open_reader(directory) as reader:
        entries = [entry for _, entry in reader.records(0, checkpoint.size)]
        assert (folder / "checkpoint").read_bytes() == reader.last_checkpoint()
    leaves = [tree.leaf_hash(entry) for entry in entries]
    expected = tiling.check_tiles(read_file(folder), checkpoint.size, leaves, checkpoint.root)
    bundles = dict(tiling.bundle_files(entries))
    for path, data in bundles.items():
        assert (folder / path).read_bytes() == data
    assert not list(folder.rglob("*.part"))
    assert len(files_in(folder)) >= expected + len(bundles) + 1


def test_export_writes_tiles_bundles_and_the_checkpoint(ledger: Path, tmp_path: Path) -> None:
    result = run(ledger, "export", "--tiles", str(tmp_path / "log"))
    assert (result.returncode, result.stdout) == (0, f"{tmp_path / 'log'}: 300 Records, 6 files written\n")
    check_folder(tmp_path / "log", ledger)
    assert set(files_in(tmp_path / "log")) == {
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    }


def test_export_again_writes_nothing_and_after_more_records_adds_to_what_is_there(
    growing: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    for written in (6, 0):
        with open_reader(growing) as reader:
            assert write_tiles(reader, folder) == (300, written)
    before = (folder / "tile/0/000").stat().st_mtime_ns
    grow(growing, 250)
    with open_reader(growing) as reader:
        assert write_tiles(reader, folder) == (550, 6)
    check_folder(folder, growing)
    assert (folder / "tile/0/000").stat().st_mtime_ns == before
    # Full ones take the place of partial ones of the same number; other partial ones stay for older checkpoints.
    assert not (folder / "tile/0/001.p").exists()
    assert (folder / "tile/1/000.p/1").exists()


def test_a_tile_that_a_crash_cut_short_is_written_again(ledger: Path, tmp_path: Path) -> None:
    with open_reader(ledger) as reader:
        write_tiles(reader, tmp_path / "log")
        (tmp_path / "log" / "checkpoint").unlink()
        (tmp_path / "log" / "tile/0/001.p/44").write_bytes(b"half")
        with pytest.raises(LedgerError, match="is not empty"):
            write_tiles(reader, tmp_path / "log")
        (tmp_path / "log" / "checkpoint").write_bytes(next(reader.checkpoints()))
        assert write_tiles(reader, tmp_path / "log") == (300, 2)
    check_folder(tmp_path / "log", ledger)


def test_the_tiles_of_another_ledger_are_not_touched(ledger: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    grow(other, 500)
    assert run(other, "export", "--tiles", str(tmp_path / "log")).returncode == 0
    before = files_in(tmp_path / "log")
    result = run(ledger, "export", "--tiles", str(tmp_path / "log"))
    assert result.returncode == 2
    assert "does not continue the one in" in result.stderr
    assert files_in(tmp_path / "log") == before


def test_tiles_are_of_the_whole_ledger(ledger: Path, tmp_path: Path) -> None:
    result = run(ledger, "export", "--tiles", str(tmp_path), "--from", "3")
    assert result.returncode == 3
    assert "leave out --from and --to" in result.stderr
