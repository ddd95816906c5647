"""The Records of a package: `ledger/entries-*.jsonl.gz`, one Record per line, in files of a thousand."""

import gzip
import itertools
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast.errors import EvidenceError
from holdfast.evidence.container import Package
from holdfast.evidence.entry import Entry, parse_entry
from holdfast.ledger.record import RECORD_BYTES_MAX

ENTRIES_PER_FILE: Final = 1024  # at most 16 MiB unpacked: what a reader holds at once
_FILE_BYTES_MAX: Final = ENTRIES_PER_FILE * (RECORD_BYTES_MAX + 1)
KEPT_COUNT_MAX: Final = 50_000  # parsed Records kept in memory; more are read again on every walk
_GZIP_WBITS: Final = 31  # zlib: a gzip header and trailer around the stream


def file_name(first_index: int) -> str:
    """The file that begins with Record ``first_index``; names sort as numbers do."""
    return f"ledger/entries-{first_index:012}.jsonl.gz"


def pack(entries: Iterable[tuple[int, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The files for consecutive Records."""
    for batch in itertools.batched(entries, ENTRIES_PER_FILE, strict=False):
        lines = b"".join(data + b"\n" for _, data in batch)
        yield file_name(batch[0][0]), gzip.compress(lines, 9, mtime=0)


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
        self._kept: list[Entry] | None = None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of every Record, not parsed.

        Raises:
            EvidenceError: a file is missing, damaged, or there are more or fewer Records than the range has.
        """
        index = self._start
        while index < self._end:
            name = file_name(index)
            lines = unpack(name, self._package.read(name))
            wanted = min(ENTRIES_PER_FILE, self._end - index)
            if len(lines) != wanted:
                raise EvidenceError(f"{name}: holds {len(lines)} Records from index {index} on, not {wanted}")
            for line in lines:
                yield index, line
                index += 1

    def entries(self) -> Iterator[Entry]:
        """Every Record, parsed and checked.

        Raises:
            EvidenceError: as :meth:`lines`, or a Record is none.
        """
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Entry] | None = [] if self._end - self._start <= KEPT_COUNT_MAX else None
        for index, line in self.lines():
            entry = parse_entry(index, line)
            if kept is not None:
                kept.append(entry)
            yield entry
        self._kept = kept
