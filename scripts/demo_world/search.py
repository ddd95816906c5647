"""Look for raw values in everything that was written: plain files, databases cell by cell, archives, compressed data.

A search that cannot find is worth nothing, so the demo runs the same search over the customer server's own folder,
where it must find every value, before it says that it found none in the gateway's.
"""

import base64
import contextlib
import dataclasses
import gzip
import io
import sqlite3
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from scripts.demo_world.people import Planted

DEPTH_MAX: Final = 4  # an archive in an archive in a database cell, and one more
_SQLITE_MAGIC: Final = b"SQLite format 3\0"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZLIB_MAGIC: Final = (b"\x78\x01", b"\x78\x9c", b"\x78\xda")


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """Where a planted value stands, by its public name."""

    label: str
    where: str


@dataclasses.dataclass(frozen=True, slots=True)
class Search:
    """What a search read and found."""

    found: tuple[Found, ...]
    file_count: int
    piece_count: int
    byte_count: int


def spellings(text: str) -> tuple[bytes, ...]:
    """The ways in which ``text`` could have been written down: lower case, as :func:`search` compares."""
    bare = text.replace(" ", "").replace("-", "")
    plain = {text, bare, text.replace(" ", "-"), text.replace("-", " "), urllib.parse.quote(text, safe="")}
    spelled = {form.lower().encode() for form in plain}
    for form in (text, bare):
        spelled.update(part.lower() for part in _base64_parts(form.encode()))
        spelled.add(form.encode().hex().encode())
    return tuple(sorted(spelled))


def _base64_parts(data: bytes) -> Iterator[bytes]:
    """Base64 depends on where in its group of three a value begins; these parts are the same for any neighbours."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data)
        yield encoded[4 if shift else 0 : len(encoded) - 4]


def search(paths: Sequence[Path], planted: Sequence[Planted]) -> Search:
    """Read everything under ``paths`` and say which planted values stand in it."""
    needles = {value.label: spellings(value.text) for value in planted}
    found: list[Found] = []
    files = [file for path in paths for file in _files(path)]
    pieces = byte_count = 0
    for file in files:
        for where, data in pieces_of(file):
            pieces += 1
            byte_count += len(data)
            small = data.lower()
            found += [Found(label, where) for label, forms in needles.items() if any(form in small for form in forms)]
    return Search(tuple(found), len(files), pieces, byte_count)


def labels_in(data: bytes, planted: Sequence[Planted]) -> list[str]:
    """The names of the planted values that stand in ``data``."""
    small = data.lower()
    return [value.label for value in planted if any(form in small for form in spellings(value.text))]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from sorted(file for file in path.rglob("*") if file.is_file())


def pieces_of(file: Path) -> Iterator[tuple[str, bytes]]:
    """All that ``file`` holds, opened as far as it can be: where it stands, and the bytes."""
    data = file.read_bytes()
    yield from _unpacked(str(file), data, 0)
    if data.startswith(_SQLITE_MAGIC):
        # A long value is split over pages, so the file's bytes alone would not show it.
        yield from _cells(file)


def _cells(file: Path) -> Iterator[tuple[str, bytes]]:
    address = f"file:{urllib.parse.quote(str(file.absolute()))}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            quoted = table.replace('"', '""')
            for row in db.execute(f'SELECT * FROM "{quoted}"'):  # noqa: S608 -- the name comes from the database
                yield from _row(f"{file}: table {table}", row)


def _row(where: str, row: Sequence[object]) -> Iterator[tuple[str, bytes]]:
    for cell in row:
        match cell:
            case bytes():
                yield from _unpacked(where, cell, 1)
            case None:
                pass
            case _:
                yield where, str(cell).encode()


def _unpacked(where: str, data: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
    yield where, data
    if depth >= DEPTH_MAX:
        return
    if data.startswith(_ZIP_MAGIC):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from _unpacked(f"{where}: {name}", archive.read(name), depth + 1)
    elif data.startswith(_GZIP_MAGIC):
        with contextlib.suppress(OSError, EOFError, zlib.error):
            yield from _unpacked(f"{where}: unzipped", gzip.decompress(data), depth + 1)
    elif data.startswith(_ZLIB_MAGIC):
        with contextlib.suppress(zlib.error):
            yield from _unpacked(f"{where}: inflated", zlib.decompress(data), depth + 1)
