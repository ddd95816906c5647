"""Gzip as streams: lines that are packed on the way into a package, and unpacked on the way out of one."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast.errors import EvidenceError
from holdfast.evidence.files.spool import Writing

LEVEL: Final = 6  # a higher one takes twice the time for a hundredth of the size
WBITS: Final = 31  # zlib: a gzip header without name and time, and a trailer, around the stream
_CHUNK_BYTES: Final = 1 << 20  # unpacked at once


class Packing:
    """A file of a package that is packed while it is written."""

    def __init__(self, writing: Writing) -> None:
        self._writing: Final = writing
        self._stream: Final = zlib.compressobj(LEVEL, zlib.DEFLATED, WBITS)

    def write(self, data: bytes) -> None:
        """More bytes, unpacked."""
        if packed := self._stream.compress(data):
            self._writing.write(packed)

    def close(self) -> None:
        """The file is whole."""
        self._writing.write(self._stream.flush())
        self._writing.close()


def unpacked(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a packed file, piece by piece.

    Raises:
        EvidenceError: no gzip, cut short, or followed by something else; names the file.
    """
    stream = zlib.decompressobj(WBITS)
    for chunk in chunks:
        data = chunk
        while data:
            if stream.eof:
                raise EvidenceError(f"{name}: followed by something else")
            yield _more(name, stream, data)
            data = stream.unconsumed_tail or stream.unused_data
    if not stream.eof:
        raise EvidenceError(f"{name}: cut short, or not gzip")


def _more(name: str, stream: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return stream.decompress(data, _CHUNK_BYTES)
    except zlib.error:
        raise EvidenceError(f"{name}: not gzip, or damaged") from None


def lines_in(name: str, chunks: Iterable[bytes], line_bytes_max: int) -> Iterator[bytes]:
    """The lines of a packed file, without their line feeds.

    Raises:
        EvidenceError: see :func:`unpacked`; or a line is too long, or the last one does not end.
    """
    rest: list[bytes] = []
    rest_bytes = 0
    for piece in unpacked(name, chunks):
        first, *others = piece.split(b"\n")
        rest.append(first)
        rest_bytes += len(first)
        if others:
            yield b"".join(rest)
            yield from others[:-1]
            rest, rest_bytes = [others[-1]], len(others[-1])
        if rest_bytes > line_bytes_max:
            raise EvidenceError(f"{name}: a line has more than {line_bytes_max} bytes")
    if rest_bytes:
        raise EvidenceError(f"{name}: its last line does not end")
