"""A forged package differs in one bit of one member and is an archive in good order."""

import gzip
import zipfile
from pathlib import Path

import pytest
from scripts.demo_world.tamper import find_text, flip_byte, flip_record

from holdfast.evidence.files.spool import Spool


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.txt", "alpha allow omega")
        archive.writestr("b.csv", "effect\nallow\n")
        archive.writestr("c.csv", "packed", zipfile.ZIP_DEFLATED)
    return path


def test_one_bit_of_one_member_differs_and_every_zip_tool_is_content(package: Path, tmp_path: Path) -> None:
    out = tmp_path / "forged.zip"
    flip_byte(package, "b.csv", 7, out)
    with zipfile.ZipFile(out) as forged:
        assert forged.testzip() is None
        assert forged.namelist() == ["a.txt", "b.csv", "c.csv"]
        assert forged.read("b.csv") == b"effect\n`llow\n"
        assert forged.read("a.txt") == b"alpha allow omega"


def test_nothing_but_the_byte_and_its_checksums_differ(package: Path, tmp_path: Path) -> None:
    before = package.read_bytes()
    flip_byte(package, "a.txt", 0, tmp_path / "forged.zip")
    after = (tmp_path / "forged.zip").read_bytes()
    assert package.read_bytes() == before
    assert len(after) == len(before)
    assert sum(old != new for old, new in zip(before, after, strict=True)) <= 1 + 4 + 4


def test_a_text_is_found_in_a_member_of_the_kind_asked_for(package: Path) -> None:
    assert find_text(package, b"allow", ".csv") == ("b.csv", 7)


@pytest.mark.parametrize(
    ("member", "offset", "error"), [("d.txt", 0, KeyError), ("a.txt", 99, IndexError), ("c.csv", 0, ValueError)]
)
def test_what_cannot_be_flipped_is_an_error(
    package: Path, tmp_path: Path, member: str, offset: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        flip_byte(package, member, offset, tmp_path / "forged.zip")
    assert not (tmp_path / "forged.zip").exists()


def test_a_text_that_is_not_there_is_an_error(package: Path) -> None:
    with pytest.raises(ValueError, match="no member"):
        find_text(package, b"deny", ".csv")


def test_a_record_is_changed_and_the_ledger_packed_again(tmp_path: Path) -> None:
    name, out = "ledger/entries-000000000005.jsonl.gz", tmp_path / "forged.zip"
    with Spool(tmp_path) as spool:
        spool.add("a.txt", b"deny")
        spool.add(name, gzip.compress(b'{"n":5,"x":"allow"}\n{"n":6,"x":"deny"}\n', 9, mtime=0))
        spool.write(tmp_path / "package.zip")
    assert flip_record(tmp_path / "package.zip", b"deny", out) == 6
    with zipfile.ZipFile(out) as forged:
        assert gzip.decompress(forged.read(name)) == b'{"n":5,"x":"allow"}\n{"n":6,"x":"eeny"}\n'
        assert forged.read("a.txt") == b"deny"


def test_a_text_that_no_record_has_is_an_error(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.add("a.txt", b"deny")
        spool.write(tmp_path / "package.zip")
    with pytest.raises(ValueError, match="no Record"):
        flip_record(tmp_path / "package.zip", b"deny", tmp_path / "forged.zip")
