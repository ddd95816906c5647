"""What forgers would do: change one byte of a package, and whatever sums they can so that it still fits.

:func:`flip_byte` changes a file of the package, :func:`flip_record` a Record within the packed ledger.
"""

import gzip
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

from holdfast.evidence.files.container import Package
from holdfast.evidence.files.shelf import GZIP_LEVEL
from holdfast.evidence.files.spool import Spool

_LOCAL_BYTES: Final = 30  # APPNOTE 4.3.7: the fixed part of a local header; CRC-32 stands at 14, two lengths at 26
_CENTRAL_BYTES: Final = 46  # APPNOTE 4.3.12: the fixed part of a directory entry; CRC-32 stands at 16, lengths at 28
_CENTRAL_SIGN: Final = b"PK\x01\x02"


def flip_byte(package: Path, member: str, offset: int, out: Path) -> None:
    """Write a copy of ``package`` to ``out`` in which the byte at ``offset`` of ``member`` differs in its lowest bit.

    Nothing else differs but the member's CRC-32, so that every zip tool finds the copy in order.

    Raises:
        KeyError: the package has no such member.
        IndexError: the member is shorter.
        ValueError: the member is compressed.
    """
    with zipfile.ZipFile(package) as archive:
        info, directory_at = archive.getinfo(member), archive.start_dir
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member} is compressed")
    if not 0 <= offset < info.file_size:
        raise IndexError(f"{member} has {info.file_size} bytes")
    data = bytearray(package.read_bytes())
    name_length, extra_length = struct.unpack_from("<HH", data, info.header_offset + 26)
    begin = info.header_offset + _LOCAL_BYTES + name_length + extra_length
    data[begin + offset] ^= 1
    crc = struct.pack("<I", zlib.crc32(data[begin : begin + info.file_size]))
    data[info.header_offset + 14 : info.header_offset + 18] = crc
    entry_at = _directory_entry(data, directory_at, member.encode())
    data[entry_at + 16 : entry_at + 20] = crc
    out.write_bytes(data)


def _directory_entry(data: bytearray, at: int, name: bytes) -> int:
    while data[at : at + 4] == _CENTRAL_SIGN:
        lengths = struct.unpack_from("<HHH", data, at + 28)
        if data[at + _CENTRAL_BYTES : at + _CENTRAL_BYTES + lengths[0]] == name:
            return at
        at += _CENTRAL_BYTES + sum(lengths)
    raise KeyError("the archive's directory does not list the member")


def find_text(package: Path, text: bytes, suffix: str) -> tuple[str, int]:
    """The first stored member ending in ``suffix`` in which ``text`` stands, and where.

    Raises:
        ValueError: there is none.
    """
    with zipfile.ZipFile(package) as archive:
        for info in archive.infolist():
            at = archive.read(info).find(text) if info.filename.endswith(suffix) else -1
            if at >= 0 and info.compress_type == zipfile.ZIP_STORED:
                return info.filename, at
    raise ValueError(f"no member ending in {suffix} has that text")


def flip_record(package: Path, text: bytes, out: Path) -> int:
    """Write a copy in which one bit of the first byte of ``text``, in the first Record that has it, differs.

    The Records are unpacked and packed again as the gateway does it, so that only the content is not what it was.

    Returns:
        The index of that Record.

    Raises:
        ValueError: no Record has that text.
    """
    forged: int | None = None
    with package.open("rb") as file, Spool(out.absolute().parent) as spool:
        source = Package(file)
        for name in source.names():
            data = source.read(name)
            if forged is None and name.startswith("ledger/entries-") and text in (lines := gzip.decompress(data)):
                forged, data = _flipped(lines, text)
            spool.add(name, data)
        if forged is None:
            raise ValueError("no Record has that text")
        spool.write(out)
    return forged


def _flipped(lines: bytes, text: bytes) -> tuple[int, bytes]:
    at = lines.index(text)
    begin, end = lines.rfind(b"\n", 0, at) + 1, lines.index(b"\n", at)
    changed = lines[:at] + bytes([lines[at] ^ 1]) + lines[at + 1 :]
    return int(json.loads(lines[begin:end])["n"]), gzip.compress(changed, GZIP_LEVEL, mtime=0)
