"""The Records of a package: `ledger/entries-*.jsonl.gz`, one Record per line, a file for every 1024 indices.

A file is named by the first index that it stands for. Withheld Records are left out; a file of which all are withheld
is not there.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast.errors import EvidenceError
from holdfast.evidence.files import withheld
from holdfast.evidence.files.container import Package
from holdfast.ledger.record import RECORD_BYTES_MAX
from holdfast.ledger.tree import leaf_hash

ENTRIES_PER_FILE: Final = 1024  # at most 16 MiB unpacked: what a reader holds at once
GZIP_LEVEL: Final = 6  # a higher one takes twice the time for a hundredth of the size
_FILE_BYTES_MAX: Final = ENTRIES_PER_FILE * (RECORD_BYTES_MAX + 1)
_GZIP_WBITS: Final = 31  # zlib: a gzip header and trailer around the stream


def file_name(first_index: int) -> str:
    """The file for the indices from ``first_index`` on; names sort as numbers do."""
    return f"ledger/entries-{first_index:012}.jsonl.gz"


def pack(lines: Iterable[bytes]) -> bytes:
    """The file that holds ``lines``."""
    return gzip.compress(b"".join(line + b"\n" for line in lines), GZIP_LEVEL, mtime=0)


def unpack(name: str, data: bytes) -> list[bytes]:
    """The lines of one file.

    Raises:
        EvidenceError: no gzip, more than fits such a file, or not whole lines.
    """
    stream = zlib.decompressobj(_GZIP_WBITS)
    try:
        text = stream.decompress(data, _FILE_BYTES_MAX + 1)
    except zlib.error:
        raise EvidenceError(f"{name}: not gzip, or damaged") from None
    if len(text) > _FILE_BYTES_MAX:
        raise EvidenceError(f"{name}: unpacks to more than {ENTRIES_PER_FILE} Records can have")
    if not stream.eof or stream.unused_data or stream.unconsumed_tail:
        raise EvidenceError(f"{name}: cut short, or followed by something else")
    lines = text.split(b"\n")
    if lines.pop():
        raise EvidenceError(f"{name}: its last line does not end")
    if not 0 < len(lines) <= ENTRIES_PER_FILE:
        raise EvidenceError(f"{name}: {len(lines)} Records, not 1 to {ENTRIES_PER_FILE}")
    return lines


class Shelf:
    """The Records ``start`` to ``end - 1`` of a package, to be walked as often as needed."""

    def __init__(self, package: Package, start: int, end: int) -> None:
        self._package = package
        self._start = start
        self._end = end
        self.opened: set[str] = set()  # the files that were read; no other has a place in the package

    def starts(self) -> range:
        """The first index of every file."""
        return range(self._start, self._end, ENTRIES_PER_FILE)

    def leaves(self) -> Iterator[tuple[int, bytes | None, bytes]]:
        """Index, bytes (None where it is withheld) and leaf hash of every Record, not parsed.

        Raises:
            EvidenceError: a file is missing, damaged, or there are more or fewer Records than the range has.
        """
        hidden = _Hidden(withheld.read(self._package))
        for start in self.starts():
            yield from self._file(start, hidden)
        if hidden.next is not None:
            raise EvidenceError(f"{withheld.FILE}: names record {hidden.next[0]}, which is not in the range")

    def lines(self, first: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of the Records from ``first`` to before ``end`` that are shown.

        Raises:
            EvidenceError: as :meth:`leaves`.
        """
        low = max(first, self._start)
        from_start = low - (low - self._start) % ENTRIES_PER_FILE
        hidden = _Hidden(item for item in withheld.read(self._package) if item[0] >= from_start)
        for start in range(from_start, min(end, self._end), ENTRIES_PER_FILE):
            for index, line, _ in self._file(start, hidden):
                if line is not None and first <= index < end:
                    yield index, line

    def _file(self, start: int, hidden: "_Hidden") -> Iterator[tuple[int, bytes | None, bytes]]:
        end = min(start + ENTRIES_PER_FILE, self._end)
        leaves = hidden.taken(start, end)
        name, wanted = file_name(start), end - start - len(leaves)
        if not wanted:
            lines: list[bytes] = []
        else:
            self.opened.add(name)
            lines = unpack(name, self._package.read(name))
        if len(lines) != wanted:
            raise EvidenceError(f"{name}: holds {len(lines)} Records from index {start} on, not {wanted}")
        shown = iter(lines)
        for index in range(start, end):
            if index in leaves:
                yield index, None, leaves[index]
            else:
                line = next(shown)
                yield index, line, leaf_hash(line)


class _Hidden:
    """The withheld Records, taken file by file."""

    def __init__(self, lines: Iterator[tuple[int, bytes]]) -> None:
        self._lines: Final = lines
        self.next = next(lines, None)

    def taken(self, start: int, end: int) -> dict[int, bytes]:
        """Those from ``start`` to before ``end``."""
        found: dict[int, bytes] = {}
        while self.next is not None and self.next[0] < end:
            if self.next[0] < start:
                raise EvidenceError(f"{withheld.FILE}: names record {self.next[0]}, which is not in the range")
            found[self.next[0]] = self.next[1]
            self.next = next(self._lines, None)
        return found
