"""`checkpoints.log`: every signed checkpoint, appended and never rewritten. FORMAT.md section 5; standard library only.

The file is signed notes, an empty line after each. A crash can leave the last one cut short; it is then always the
beginning of the checkpoint for what the database holds, because nothing is committed between signing and appending. So
the next start completes it by appending the rest, and the file can carry the append-only attribute. A power cut can
leave zeros where bytes were not synchronised: up to the last zero before a note, nothing counts.
"""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import note

FILE: Final = "checkpoints.log"
TAIL_BYTES: Final = 2 * note.NOTE_BYTES_MAX  # holds the last whole note and what may be left of one
_END: Final = b"\n\n"
_SIGNATURE: Final = "\u2014 ".encode()


@dataclasses.dataclass(frozen=True, slots=True)
class Tail:
    """The end of the file: the last whole note (None in an empty file), and what is left of one cut short."""

    last: bytes | None
    rest: bytes


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole notes in ``data``, and the bytes after them, each without what a power cut made void."""
    notes, start, at = [], 0, 0
    while (end := data.find(_END, at)) >= 0:
        # Text and signatures of a note are parted by an empty line too; only the second kind of part ends a note.
        if data.startswith(_SIGNATURE, at):
            notes.append(_without_void(data[start : end + 1]))
            start = end + len(_END)
        at = end + len(_END)
    return notes, _without_void(data[start:])


def _without_void(data: bytes) -> bytes:
    return data[data.rfind(b"\0") + 1 :]


def read_tail(path: Path) -> Tail:
    """The end of the file at ``path``; an empty tail if there is no file.

    Raises:
        LedgerError: no whole note where one must be.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - TAIL_BYTES)
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return Tail(None, b"")
    notes, rest = split(data)
    if not notes and (start or len(rest) > note.NOTE_BYTES_MAX):
        raise LedgerError(f"{FILE} does not end in a checkpoint")
    return Tail(notes[-1] if notes else None, rest)


def read_notes(path: Path) -> Iterator[bytes]:
    """Every whole note, in order. What is left of one cut short: :func:`read_tail`."""
    try:
        with path.open("rb") as file:
            pending = b""
            while chunk := file.read(1 << 20):
                notes, pending = split(pending + chunk)
                yield from notes
    except FileNotFoundError:
        return


def open_for_append(path: Path) -> int:
    """A descriptor that can only append; the file is made if it is new, 0600."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def append(descriptor: int, data: bytes) -> None:
    """Append ``data`` durably.

    Raises:
        OSError: it could not be written or synchronised; a part of it may be in the file.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def line_of(text: str) -> bytes:
    """A note as the file holds it."""
    return text.encode() + b"\n"
