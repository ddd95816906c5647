"""Checkpoints: signed after the commit they cover, kept in `checkpoints.log` first and in the table after it."""

import os
import sqlite3
from pathlib import Path
from typing import Final

from holdfast.clock import Clock, utc_text
from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints, note
from holdfast.ledger.keeping import signing
from holdfast.ledger.keys import Keys
from holdfast.ledger.opening import Head, Opened
from holdfast.ledger.schema import KEYS_DIR
from holdfast.ledger.tiles import TileTree


class Publisher:
    """Signs and keeps checkpoints. Runs on the writer's thread only, once the ledger is open.

    ``keys`` are those in force; a rotation replaces them, in this order: its Record, this, the next checkpoint.
    """

    def __init__(self, directory: Path, keys: Keys, ledger: sqlite3.Connection, clock: Clock) -> None:
        self.keys = keys
        self.keys_folder: Final = directory / KEYS_DIR
        self._descriptor: Final = checkpoints.open_for_append(directory / checkpoints.FILE)
        self._ledger: Final = ledger
        self._clock: Final = clock
        self._size = 0  # of the last checkpoint

    def resume(self, opened: Opened) -> Head:
        """Complete what a crash left half done; in a new ledger, sign the empty tree. Returns the last checkpoint.

        Raises:
            LedgerError: the file ends in something that no crash can have left.
        """
        head = opened.head
        if head is not None:
            self._size = head.size
            if opened.unlisted:
                self._list(head)
        now = owed(self.keys, opened, self._clock)
        if now is not None:
            checkpoints.append(self._descriptor, checkpoints.line_of(now.note)[len(opened.rest) :])
            self._keep(now)
            head = now
        assert head is not None  # in a new ledger one is owed
        self.retire()
        return head

    def publish(self, tree: TileTree) -> Head:
        """Sign the tree, which is committed, and keep the checkpoint.

        Raises:
            OSError, sqlite3.Error: it could not be kept.
        """
        root = tree.root()
        text = note.Checkpoint(self.keys.origin, tree.size, root).to_text()
        signed = next(signing.notes(self.keys, text, self._size, self._clock.now_at()))
        head = Head(tree.size, root, signed.to_text())
        checkpoints.append(self._descriptor, checkpoints.line_of(head.note))
        self._keep(head)
        self.retire()
        return head

    def _keep(self, head: Head) -> None:
        self._list(head)
        self._size = head.size

    def _list(self, head: Head) -> None:
        signed_at = utc_text(self._clock.now_at())
        self._ledger.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (head.size, head.note, signed_at))

    def retire(self) -> None:
        """Remove the private keys that sign no more, now that the last checkpoint is durable."""
        if self.keys.old:
            self.keys = signing.retire(self.keys_folder, self.keys, self._size, self._clock.now_at())

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def owed(keys: Keys, opened: Opened, clock: Clock) -> Head | None:
    """The checkpoint that must be signed before anything is appended, or None.

    There is one where a crash cut the last one short, where a rotation waits for its handover (so that there is always
    a checkpoint between two rotations), and in a new ledger.

    Raises:
        LedgerError: the file ends in something that no crash can have left.
    """
    head, size = opened.head, opened.tree.size
    before = head.size if head is not None else 0
    if head is not None and not opened.rest and not any(rotation.index >= before for rotation in keys.rotations):
        return None
    signing.check_handover(keys, before)
    text = note.Checkpoint(keys.origin, size, opened.tree.root()).to_text()
    for signed in signing.notes(keys, text, before, clock.now_at()):
        if not checkpoints.line_of(signed.to_text()).startswith(opened.rest):
            continue
        # The same size twice cannot come of this: a whole note of this size would not have been begun again.
        if head is not None and size <= before:
            raise LedgerError(f"{checkpoints.FILE} repeats its last checkpoint")
        return Head(size, opened.tree.root(), signed.to_text())
    raise LedgerError(f"{checkpoints.FILE} ends in bytes that are no checkpoint of this ledger")
