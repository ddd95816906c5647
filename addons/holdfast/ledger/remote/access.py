"""What the ledger's users see of it, in this process or over a socket, and how a command gets hold of one."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Protocol

from holdfast.build import VERSION, code_digest_hex
from holdfast.clock import Clock
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import note, schema
from holdfast.ledger.draft import Draft, Receipt
from holdfast.ledger.keeping import folder
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.opening import Head, Previous
from holdfast.ledger.remote.link import NobodyServesError
from holdfast.ledger.remote.remote import RemoteLedger

SOCKET_FILE: Final = "ledger.sock"


class Writable(Protocol):
    """A ledger that takes Records. ``Ledger`` is one in this process, ``RemoteLedger`` one over a socket.

    Every method raises LedgerError, with the same words on either side of the socket.
    """

    @property
    def previous(self) -> Previous:
        """How the ledger was found: what a `ledger.start` Record reports."""

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """Make ``drafts`` Records, all in one transaction; durable when this returns."""

    def append_blocking(self, *drafts: Draft) -> tuple[Receipt, ...]:
        """Like :meth:`append`, for code without an event loop."""

    async def put_object(self, media: str, data: bytes) -> str:
        """Keep ``data`` under its SHA-256, which is returned in hex."""

    def put_object_blocking(self, media: str, data: bytes) -> str:
        """Like :meth:`put_object`, for code without an event loop."""

    def erase_blocking(
        self,
        commitments: Sequence[str],
        *,
        basis: Literal["request", "retention"],
        reason: str,
        operator: JsonObject | None,
        before: str | None = None,
        retention: str | None = None,
    ) -> tuple[Receipt, ...]:
        """Record that payloads are erased, then erase them."""

    def rotate_blocking(self, *, overlap_s: int, reason: str, operator: JsonObject | None) -> note.VerifierKey:
        """Have a new key sign from here on; returns its public half."""

    async def publish(self) -> Head:
        """Sign a checkpoint over everything appended so far, now, and return it."""

    def publish_blocking(self) -> Head:
        """Like :meth:`publish`, for code without an event loop."""

    def sign_statement(self, payload_type: str, pae: bytes) -> bytes:
        """The ledger key's signature over ``pae``: the gateway vouches for an approver who is known by a token."""

    def verifier(self) -> note.VerifierKey:
        """The public half of the key that signs now."""

    def head(self) -> Head:
        """The last signed checkpoint: at most a second or two behind the last Record."""

    def healthy(self) -> bool:
        """Whether the next append can succeed."""

    def close(self) -> None:
        """Write what waits, then let go of the ledger."""


@contextmanager
def open_for_command(data: Path, clock: Clock) -> Iterator[Writable]:
    """The ledger in ``data`` for a command that writes: of the process that has it open, else opened here.

    Raises:
        LedgerError: there is no ledger, or it cannot be opened; says who holds it.
        SettingsError: the keys cannot be used.
    """
    if not (data / schema.LEDGER_FILE).exists():
        raise LedgerError(f"there is no ledger in {data}")
    ledger = _open(data, clock)
    try:
        yield ledger
    finally:
        ledger.close()


def _open(data: Path, clock: Clock) -> Writable:
    try:
        return RemoteLedger.connect_once(data / SOCKET_FILE)
    except NobodyServesError:
        pass
    keys = open_keys(data, origin=None)
    try:
        return Ledger.open(data, keys, clock, build={"version": VERSION, "build": code_digest_hex()})
    except LedgerError as error:
        holder = _holder(data / folder.LOCK_FILE)
        if holder is None:
            raise
        raise LedgerError(f"{error} (process {holder} has it, and does not answer at {SOCKET_FILE})") from None


def _holder(lock_path: Path) -> int | None:
    """The process that holds the lock, where the system tells: proc(5), /proc/locks."""
    try:
        inode = lock_path.stat().st_ino
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        # 1: FLOCK  ADVISORY  WRITE 4711 fe:01:131090 0 EOF
        words = line.split()
        if words[1:2] == ["FLOCK"] and words[5:] and words[5].endswith(f":{inode}") and int(words[4]) != os.getpid():
            return int(words[4])
    return None
