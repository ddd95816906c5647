"""What an erasure has begun: `erase.pending`, and the rows of `payload.db` that it empties. FORMAT.md section 2.

The file names the Records that are about to say that payloads are erased. It is durable before they are, and goes when
their payloads are gone. It decides nothing: what is emptied is read from the Records themselves, so a file that
somebody else put there erases no more than the ledger says is erased.
"""

import dataclasses
import logging
import os
import re
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import schema

FILE: Final = "erase.pending"
BUSY_MS: Final = 200  # a reader of payload.db is rarely longer about it; appends wait meanwhile
_LINE: Final = re.compile(r"([0-9]{1,16}) ([0-9]{1,4})\n")
_EMPTY: Final = "UPDATE payloads SET key = zeroblob(32), ct = '', data = x'' WHERE c = ?"
_LOG: Final = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """The index of the first of the Records, and how many there are to be."""

    first: int
    count: int


class Emptying:
    """Empties payloads in the folder ``directory``. Runs where the writer runs, and never beside it."""

    def __init__(self, directory: Path, connection_class: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        self.directory: Final = directory
        self._path: Final = directory / FILE
        self._payload: Final = directory / schema.PAYLOAD_FILE
        self._connection_class: Final = connection_class
        self.is_waiting = False  # for a reader, so that the write-ahead log can be cut

    def begin(self, pending: Pending) -> None:
        """Make ``pending`` durable.

        Raises:
            OSError: it cannot be written; nothing was begun.
        """
        draft = self._path.with_name(f"{FILE}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{pending.first} {pending.count}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        self._sync()

    def read(self) -> Pending | None:
        """What was begun and not finished, or None.

        Raises:
            LedgerError: the file is not one that was written here.
        """
        try:
            text = self._path.read_bytes().decode("ascii", "replace")
        except FileNotFoundError:
            return None
        line = _LINE.fullmatch(text)
        if line is None:
            raise LedgerError(f"{FILE} is not as the ledger writes it: look who changed it, then remove it")
        return Pending(int(line[1]), int(line[2]))

    def end(self) -> None:
        """Nothing is left to do, or nothing was recorded."""
        self._path.unlink(missing_ok=True)
        self._sync()
        self.is_waiting = False

    def empty(self, commitments: Collection[str]) -> None:
        """Empty the rows of ``commitments``, whose Record is durable and signed, and leave no copy of any behind.

        Raises:
            sqlite3.Error: it cannot be done now; the next start does it.
        """
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for commitment in commitments:
                connection.execute(_EMPTY, (commitment,))
            connection.execute("COMMIT")
            # From here on no reader finds them; older pages of the file and of its write-ahead log still hold them.
            self._cut(connection)

    def retry(self) -> None:
        """Cut the write-ahead log, if a reader was in the way before."""
        if self.is_waiting:
            with closing(self._open()) as connection:
                self._cut(connection)

    def _open(self) -> sqlite3.Connection:
        return schema.open_emptying(self._payload, self._connection_class, busy_ms=BUSY_MS)

    def _cut(self, connection: sqlite3.Connection) -> None:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            self.is_waiting = True
            _LOG.warning("a reader of %s keeps copies of erased payloads alive; tried again", self._payload.name)
            return
        # From here on neither the file nor its log holds a byte of them: secure_delete has written zeros over them.
        self.end()

    def _sync(self) -> None:
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
