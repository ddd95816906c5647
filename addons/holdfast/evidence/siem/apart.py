"""The events for a SIEM, made by a second process while the first one goes on: half of the work on two processors.

An event follows from its Record alone. So the first process writes the lines of Records, each of which it has checked,
to the second one's stdin, and the second one makes the lines of `siem/ocsf.jsonl` out of them: for a package packed
into a file, for a verifier only their SHA-256. Whatever goes wrong there, the result is None and the first process does
the work itself: nothing is judged by what a second process failed to say. Standard library only.
"""

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.files.gz import LEVEL, WBITS
from holdfast.evidence.files.times import parse_time
from holdfast.evidence.siem import ocsf
from holdfast.jsontext import JsonObject

RECORDS_MIN: Final = 10_000  # for fewer, a process takes longer to start than it saves
# What waits in the pipe is what keeps both processes at work: written in small pieces into a wide one, else the first
# process stands still until the second one has read nearly all of a piece.
_BUFFER_BYTES: Final = 1 << 14  # written at once
_PIPE_BYTES: Final = 1 << 20  # as much as Linux gives; elsewhere it is what it is
_CHUNK_BYTES: Final = 1 << 20  # read at once from the packed events
_DIGEST_CHARS: Final = 64
_TIMEOUT_S: Final = 600  # for what the second process has left to do when the first one has no more Records
_ALONE: Final = "verify.py: "  # how the one file names its modules
_WORK: Final = "from holdfast.evidence.siem.apart import work; work()"
_FROM_FOLDER: Final = f"import sys; sys.path.insert(0, sys.argv.pop(1)); {_WORK}"
_FROM_FILE: Final = f"import runpy, sys; runpy.run_path(sys.argv.pop(1))['install'](); {_WORK}"


class Apart:
    """A second process that makes events: :meth:`add` every Record, then :meth:`finish`. A context manager.

    ``packed``: whether the events are kept, packed, for :meth:`chunks`.
    """

    def __init__(self, command: list[str], packed: IO[bytes] | None) -> None:
        self._packed: Final = packed
        self._child: Final = subprocess.Popen(  # noqa: S603 -- this Python and this source
            [*command, "pack" if packed is not None else "digest"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if packed is None else packed,
            stderr=subprocess.DEVNULL,
            bufsize=_BUFFER_BYTES,
            pipesize=_PIPE_BYTES,
        )
        self._is_broken = False
        self.digest_hex = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        with contextlib.suppress(OSError), self._child:
            pass

    def add(self, line: bytes) -> None:
        """The next Record: bytes that were checked, and have no line feed."""
        if self._is_broken or self._child.stdin is None:
            return
        try:
            self._child.stdin.write(line + b"\n")
        except OSError:
            self._is_broken = True

    def finish(self) -> bool:
        """After the last Record: whether the second process did all of it."""
        try:
            self.digest_hex = self._end()
        except (OSError, ValueError, subprocess.TimeoutExpired):
            self._is_broken = True
        return not self._is_broken

    def chunks(self) -> Iterator[bytes]:
        """The events, packed."""
        assert self._packed is not None
        self._packed.seek(0)
        while data := self._packed.read(_CHUNK_BYTES):
            yield data

    def _end(self) -> str:
        answer, _ = self._child.communicate(timeout=_TIMEOUT_S)
        self._is_broken = self._is_broken or self._child.returncode != 0
        said = (answer or b"").decode("ascii")
        self._is_broken = self._is_broken or (self._packed is None and len(said) != _DIGEST_CHARS)
        return said


@contextlib.contextmanager
def started(records_count: int, folder: Path | None = None) -> Iterator[Apart | None]:
    """A second process for so many Records; None where there is no use or no way.

    ``folder`` is for the packed events; without one, only their digest is made.
    """
    command = _command() if records_count >= RECORDS_MIN and _processors() > 1 else None
    with contextlib.ExitStack() as stack:
        other: Apart | None = None
        if command is not None:
            packed = None if folder is None else stack.enter_context(tempfile.TemporaryFile(dir=folder))
            with contextlib.suppress(OSError):
                other = stack.enter_context(Apart(command, packed))
        yield other


def _processors() -> int:
    usable = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def _command() -> list[str] | None:
    """How this very source is run by another Python that uses nothing else; None where nobody knows."""
    if not sys.executable:
        return None
    if not __file__.startswith(_ALONE):
        return [sys.executable, "-I", "-S", "-c", _FROM_FOLDER, str(Path(__file__).resolve().parents[3])]
    path = getattr(sys.modules["__main__"], "__file__", None)
    return [sys.executable, "-I", "-S", "-c", _FROM_FILE, str(Path(path).resolve())] if path else None


def work() -> None:
    """What the second process does: Records from stdin, to stdout the packed events or their digest."""
    lines = (ocsf.line(_entry(line[:-1])) for line in sys.stdin.buffer)
    out = sys.stdout.buffer
    if sys.argv[-1] == "digest":
        digest = hashlib.sha256()
        for line in lines:
            digest.update(line)
        out.write(digest.hexdigest().encode("ascii"))
    else:
        stream = zlib.compressobj(LEVEL, zlib.DEFLATED, WBITS)
        for line in lines:
            out.write(stream.compress(line))
        out.write(stream.flush())
    out.flush()


def _entry(data: bytes) -> Entry:
    # The first process has checked it.
    body: JsonObject = json.loads(data)
    return Entry(int(str(body["n"])), data, body, str(body["typ"]), parse_time(str(body["ts"])))
