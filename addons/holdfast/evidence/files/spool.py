"""Files on their way into a package: written as streams, several at a time, into one temporary file."""

import binascii
import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final, Self

from holdfast.errors import EvidenceError
from holdfast.evidence.files.container import (
    MEMBER_BYTES_MAX,
    MEMBERS_COUNT_MAX,
    PACKAGE_BYTES_MAX,
    Member,
    check_name,
    directory_of,
)

_BUFFER_BYTES: Final = 1 << 18  # of each file that is being written


class Writing:
    """A file that is being written: :meth:`write` as often as needed, then :meth:`close`."""

    def __init__(self, spool: "Spool", name: str) -> None:
        self._spool: Final = spool
        self._name: Final = name
        self._digest: Final = hashlib.sha256()
        self._buffer = bytearray()
        self._crc = 0
        self._size = 0
        self.extents: Final[list[tuple[int, int]]] = []

    def write(self, data: bytes) -> None:
        """More bytes.

        Raises:
            EvidenceError: too much.
        """
        self._size += len(data)
        if self._size > MEMBER_BYTES_MAX:
            raise EvidenceError(_too_large(self._name))
        self._digest.update(data)
        self._crc = binascii.crc32(data, self._crc)
        self._buffer += data
        if len(self._buffer) >= _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """The file is whole."""
        self._flush()
        self._spool.take(Member(self._name, 0, self._size, self._crc, self._digest.hexdigest()), self.extents)

    def _flush(self) -> None:
        if self._buffer:
            self.extents.append((self._spool.put(bytes(self._buffer), self._name), len(self._buffer)))
            self._buffer.clear()


@dataclasses.dataclass(frozen=True, slots=True)
class Drafted:
    """A package that is written whole but for its name: its path for now, its SHA-256 and its length."""

    draft: Path
    out: Path
    digest_hex: str
    size_bytes: int

    def keep(self) -> None:
        """Give it its name.

        Raises:
            EvidenceError: that cannot be done.
        """
        try:
            self.draft.replace(self.out)
        except OSError as error:
            self.drop()
            raise EvidenceError(f"{self.out} cannot be written: {error.strerror}") from None

    def drop(self) -> None:
        """Remove it."""
        self.draft.unlink(missing_ok=True)


class Spool:
    """The files of a package to be; a context manager."""

    def __init__(self, directory: Path) -> None:
        self._file: Final[IO[bytes]] = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 -- closed by __exit__
        self._members: Final[dict[str, tuple[Member, list[tuple[int, int]]]]] = {}
        self._open: Final[set[str]] = set()
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def open(self, name: str) -> Writing:
        """A file to be written piece by piece.

        Raises:
            EvidenceError: a bad name, or one that is there already.
        """
        if check_name(name) in self._members or name in self._open:
            raise EvidenceError(f"{name} would be in the package twice")
        self._open.add(name)
        return Writing(self, name)

    def add(self, name: str, data: bytes | Iterable[bytes]) -> None:
        """Put ``data`` (bytes, or pieces of them) under ``name``.

        Raises:
            EvidenceError: a bad name, one that is there already, or too much.
        """
        writing = self.open(name)
        for piece in [data] if isinstance(data, bytes) else data:
            writing.write(piece)
        writing.close()

    def put(self, data: bytes, name: str) -> int:
        """Where ``data``, of the file ``name``, now stands; for :class:`Writing`."""
        if self._end + len(data) > PACKAGE_BYTES_MAX:
            raise EvidenceError(_too_large(name))
        at = self._end
        self._file.seek(at)
        self._file.write(data)
        self._end += len(data)
        return at

    def take(self, member: Member, extents: list[tuple[int, int]]) -> None:
        """A file that is whole; for :class:`Writing`."""
        if len(self._members) >= MEMBERS_COUNT_MAX:
            raise EvidenceError(_too_large(member.name))
        self._open.discard(member.name)
        self._members[member.name] = (member, extents)

    def members(self) -> list[Member]:
        """Every file so far, in the order of names."""
        return [self._members[name][0] for name in sorted(self._members)]

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file so far, by name, in the order of names."""
        return {name: self._members[name][0].sha256_hex for name in sorted(self._members)}

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def write(self, out: Path) -> None:
        """Write the package to ``out``: whole, or not at all.

        Raises:
            EvidenceError: the file cannot be written.
        """
        self.draft(out).keep()

    def draft(self, out: Path) -> Drafted:
        """Write the package beside ``out``, durably.

        Raises:
            EvidenceError: the file cannot be written.
        """
        draft = out.with_name(f".{out.name}.part")
        try:
            with draft.open("wb") as file:
                copy = _Copy(file)
                for name in sorted(self._members):
                    self._copy(*self._members[name], copy)
                copy.write(directory_of([self._members[name][0] for name in sorted(self._members)]))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise EvidenceError(f"{out} cannot be written: {error.strerror}") from None
        return Drafted(draft, out, copy.digest.hexdigest(), copy.size)

    def _copy(self, member: Member, extents: list[tuple[int, int]], copy: "_Copy") -> None:
        copy.write(member.local_header())
        for at, size in extents:
            self._file.seek(at)
            copy.write(self._file.read(size))


class _Copy:
    def __init__(self, file: IO[bytes]) -> None:
        self._file: Final = file
        self.digest: Final = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)


def _too_large(name: str) -> str:
    return f"the package grows too large at {name}: take a shorter period with --from and --to"
