import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import pack, unpack

from holdfast.errors import EvidenceError
from holdfast.evidence.files.container import NotAPackageError, Package
from holdfast.evidence.files.spool import Spool
from holdfast.evidence.verify import Exit, verify


def test_any_zip_reader_opens_a_package(day: Day) -> None:
    with zipfile.ZipFile(day.package) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == unpack(day.package)


def test_a_package_of_more_files_than_a_small_zip_can_count_opens_anywhere(tmp_path: Path) -> None:
    files = {f"payloads/{number:06}.json": b"" for number in range(66_000)}
    with zipfile.ZipFile(pack(files, tmp_path / "many.zip")) as file:
        assert len(file.namelist()) == 66_000
    assert list(unpack(tmp_path / "many.zip")) == sorted(files)


@pytest.mark.parametrize(
    "name",
    [
        "../up",
        "/root",
        "a//b",
        "a/../b",
        "a\\b",
        ".hidden",
        "a/.hidden",
        "C:x",
        "caf\u00e9",
        "",
        "a/b/c/d/e/f/g/h/i/j/k",
        "x" * 201,
    ],
)
def test_a_name_that_could_leave_its_folder_is_in_no_package(tmp_path: Path, name: str) -> None:
    with Spool(tmp_path) as spool, pytest.raises(EvidenceError, match="no package holds"):
        spool.add(name, b"")


def test_a_name_stands_once(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        spool.add("a", b"")
        with pytest.raises(EvidenceError, match="twice"):
            spool.add("a", b"")


def _zip(name: str, data: bytes, *, mode: int = 0, deflate: bool = False) -> bytes:
    buffer = io.BytesIO()
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = mode << 16
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(info, data, zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
    return buffer.getvalue()


def _twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("README.html", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("README.html", b"two")
    return buffer.getvalue()


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "no zip": lambda _: b"%PDF-1.7" + bytes(5000),
    "something before": lambda good: b"#!/bin/sh" + good,
    "something after": lambda good: good + b"more",
    "cut": lambda good: good[: len(good) // 2],
    "traversal": lambda _: _zip("../../etc/cron.d/x", b"x"),
    "bomb": lambda _: _zip("README.html", bytes(50_000_000), deflate=True),
    "link": lambda _: _zip("README.html", b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
    "same name twice": lambda _: _twice(),
    "encrypted": lambda good: good[:6] + bytes([1]) + good[7:],
    "comment": lambda good: good[:-2] + bytes([4, 0]) + b"note",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_no_package(day: Day, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "hostile.zip"
    path.write_bytes(HOSTILE[kind](day.package.read_bytes()))
    result = verify(path, day.trust)
    assert result.exit in {Exit.TAMPERED, Exit.UNVERIFIABLE}
    with path.open("rb") as file, pytest.raises(EvidenceError):
        Package(file)


def test_a_package_that_was_packed_again_is_told_so(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "again.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in unpack(day.package).items():
            file.writestr(name, data)
    with path.open("rb") as opened, pytest.raises(NotAPackageError, match="packed again"):
        Package(opened)
    assert verify(path, day.trust).exit == Exit.UNVERIFIABLE
