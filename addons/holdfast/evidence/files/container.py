"""The package file: a zip in one spelling, so that every byte of it is accounted for.

Members are stored, not compressed, in the order of their names, with fixed times and attributes and no gaps: the bytes
of the file are a pure function of its members. Any zip tool opens it. Our own reader walks it from the first byte and
compares every byte of structure with what the writer would have written, which leaves no room for a second entry of the
same name, a link, a hidden prefix, a comment, encryption or a bomb.

Format: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (the end).
"""

import binascii
import dataclasses
import hashlib
import os
import re
import struct
from collections.abc import Iterator
from typing import IO, Final

from holdfast.errors import EvidenceError

MEMBER_BYTES_MAX: Final = 1 << 30  # a table over some two million Records
PACKAGE_BYTES_MAX: Final = (1 << 32) - (1 << 20)  # offsets have 32 bits; larger periods take several packages
MEMBERS_COUNT_MAX: Final = 2_000_000  # some for each Record of a package of that size
NAME_CHARS_MAX: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,9}")
_CHUNK_BYTES: Final = 1 << 20  # read, hashed and written at once

_LOCAL: Final = struct.Struct("<IHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<IHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<IHHHHIIH")
_END64: Final = struct.Struct("<IQHHIIQQQQ")
_LOCATOR64: Final = struct.Struct("<IIQI")
_LOCAL_SIGN: Final = 0x04034B50
_CENTRAL_SIGN: Final = 0x02014B50
_VERSION: Final = 20
_MADE_BY_UNIX: Final = 3 << 8 | _VERSION
_DATE: Final = (1980 - 1980) << 9 | 1 << 5 | 1  # the first day of zip's calendar
_ATTRIBUTES: Final = 0o100644 << 16  # a plain file
_COUNT16_MAX: Final = 0xFFFF


class NotAPackageError(EvidenceError):
    """The file is no package at all, or one that no verifier should open."""


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A file of the package: where its bytes stand in the spool or the package, and their sums."""

    name: str
    offset: int
    size: int
    crc: int
    sha256_hex: str

    def local_header(self) -> bytes:
        """The header before the bytes."""
        name = self.name.encode("ascii")
        fields = (_LOCAL_SIGN, _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(name), 0)
        return _LOCAL.pack(*fields) + name

    def central_header(self, header_at: int) -> bytes:
        """The entry of the directory at the end, for a local header at ``header_at``."""
        name = self.name.encode("ascii")
        sums = (self.crc, self.size, self.size, len(name))
        head = (_CENTRAL_SIGN, _MADE_BY_UNIX, _VERSION, 0, 0, 0, _DATE)
        return _CENTRAL.pack(*head, *sums, 0, 0, 0, 0, _ATTRIBUTES, header_at) + name


def directory_of(members: list[Member]) -> bytes:
    """Everything after the last member's bytes."""
    parts, at = [], 0
    for member in members:
        parts.append(member.central_header(at))
        at += len(member.local_header()) + member.size
    directory = b"".join(parts)
    count = len(members)
    tail = b""
    if count > _COUNT16_MAX:
        tail += _END64.pack(0x06064B50, 44, _MADE_BY_UNIX, 45, 0, 0, count, count, len(directory), at)
        tail += _LOCATOR64.pack(0x07064B50, 0, at + len(directory), 1)
    short = min(count, _COUNT16_MAX)
    return directory + tail + _END.pack(0x06054B50, 0, 0, short, short, len(directory), at, 0)


def check_name(name: str) -> str:
    """``name``, if it is a path that a package may hold.

    Raises:
        EvidenceError: it could leave the folder it is unpacked to, or is spelled in a way some system reads otherwise.
    """
    if len(name) > NAME_CHARS_MAX or _NAME.fullmatch(name) is None:
        raise EvidenceError("a file name that no package holds")
    return name


class Package:
    """A package opened for reading. Making one checks the whole structure of the file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._members = {member.name: member for member in _walk(file)}

    def names(self) -> list[str]:
        """Every file, in order."""
        return list(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def member(self, name: str) -> Member:
        """Size and sums of ``name``, which is in the package."""
        return self._members[name]

    def read(self, name: str) -> bytes:
        """The bytes of ``name``.

        Raises:
            EvidenceError: there is no such file.
        """
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of ``name``, piece by piece.

        Raises:
            EvidenceError: there is no such file.
        """
        member = self._members.get(name)
        if member is None:
            raise EvidenceError(f"{name}: missing from the package")
        done = 0
        while done < member.size:
            self._file.seek(member.offset + done)
            data = self._file.read(min(_CHUNK_BYTES, member.size - done))
            if not data:
                raise EvidenceError(f"{name}: the package was cut short while it was read")
            done += len(data)
            yield data


def _walk(file: IO[bytes]) -> Iterator[Member]:
    size = file.seek(0, os.SEEK_END)
    if size > PACKAGE_BYTES_MAX + (1 << 30):
        raise NotAPackageError(f"the file has {size} bytes, more than any package")
    members: list[Member] = []
    at = 0
    while (member := _next_member(file, at)) is not None:
        if members and member.name <= members[-1].name:
            raise EvidenceError(f"{member.name}: stands twice in the package, or out of order")
        if len(members) >= MEMBERS_COUNT_MAX:
            raise NotAPackageError("more files than any package has")
        members.append(member)
        at = member.offset + member.size
    if not members:
        raise NotAPackageError("the file is not a package: it does not begin as a zip with plain, stored files")
    file.seek(at)
    if file.read(size - at + 1) != directory_of(members):
        raise EvidenceError(f"the directory of the package, from byte {at} on, is not the one of its files")
    yield from members


def _next_member(file: IO[bytes], at: int) -> Member | None:
    file.seek(at)
    fixed = file.read(_LOCAL.size)
    if len(fixed) < _LOCAL.size or not fixed.startswith(_LOCAL_SIGN.to_bytes(4, "little")):
        return None
    fields = _LOCAL.unpack(fixed)
    size, name_bytes = fields[8], fields[9]
    if name_bytes > NAME_CHARS_MAX or size > MEMBER_BYTES_MAX:
        raise NotAPackageError(f"byte {at}: a file larger, or with a longer name, than any in a package")
    name = file.read(name_bytes).decode("ascii", "replace")
    try:
        check_name(name)
    except EvidenceError as error:
        raise NotAPackageError(f"byte {at}: {error}") from None
    member = _summed(file, name, at + _LOCAL.size + name_bytes, size)
    if member.size != size or member.local_header() != fixed + name.encode("ascii"):
        _explain(name, fields)
        raise EvidenceError(f"{name}: its bytes are not those that its zip header tells of")
    return member


def _summed(file: IO[bytes], name: str, offset: int, size: int) -> Member:
    digest, crc, done = hashlib.sha256(), 0, 0
    while done < size and (data := file.read(min(_CHUNK_BYTES, size - done))):
        digest.update(data)
        crc = binascii.crc32(data, crc)
        done += len(data)
    return Member(name, offset, done, crc, digest.hexdigest())


def _explain(name: str, fields: tuple[int, ...]) -> None:
    """Raise for a zip that other tools made; return for one of ours that was changed."""
    if fields[2] & 1:
        raise NotAPackageError(f"{name}: encrypted; packages are not")
    if fields[3] != 0:
        raise NotAPackageError(f"{name}: compressed; a package's files are stored (was it packed again?)")
