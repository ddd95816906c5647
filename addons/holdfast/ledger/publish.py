"""Checkpoints: signed after the commit they cover, kept in `checkpoints.log` first and in the table after it."""

import os
import sqlite3
from pathlib import Path
from typing import Final

from holdfast.clock import Clock, utc_text
from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints, note
from holdfast.ledger.keys import Keys
from holdfast.ledger.opening import Head, Opened
from holdfast.ledger.tiles import TileTree


class Publisher:
    """Signs and keeps checkpoints. Runs on the writer's thread only, once the ledger is open."""

    def __init__(self, directory: Path, keys: Keys, ledger: sqlite3.Connection, clock: Clock) -> None:
        self._descriptor: Final = checkpoints.open_for_append(directory / checkpoints.FILE)
        self._keys: Final = keys
        self._verifier: Final = keys.verifier
        self._ledger: Final = ledger
        self._clock: Final = clock

    def resume(self, opened: Opened) -> Head:
        """Complete what a crash left half done; in a new ledger, sign the empty tree. Returns the last checkpoint.

        Raises:
            LedgerError: the file ends in something that no crash can have left.
        """
        if opened.head is not None and opened.unlisted:
            self._list(opened.head)
        head = opened.head
        if opened.rest or head is None:
            now = self._sign(opened.tree)
            line = checkpoints.line_of(now.note)
            if not line.startswith(opened.rest):
                raise LedgerError(f"{checkpoints.FILE} ends in bytes that are no checkpoint of this ledger")
            # The same size twice cannot come of this: a whole note of this size would not have been begun again.
            if head is not None and now.size <= head.size:
                raise LedgerError(f"{checkpoints.FILE} repeats its last checkpoint")
            checkpoints.append(self._descriptor, line[len(opened.rest) :])
            self._list(now)
            head = now
        return head

    def publish(self, tree: TileTree) -> Head:
        """Sign the tree, which is committed, and keep the checkpoint.

        Raises:
            OSError, sqlite3.Error: it could not be kept.
        """
        head = self._sign(tree)
        checkpoints.append(self._descriptor, checkpoints.line_of(head.note))
        self._list(head)
        return head

    def _sign(self, tree: TileTree) -> Head:
        root = tree.root()
        text = note.Checkpoint(self._keys.origin, tree.size, root).to_text()
        return Head(tree.size, root, note.sign_note(text, self._verifier, self._keys.ledger.sign).to_text())

    def _list(self, head: Head) -> None:
        signed_at = utc_text(self._clock.now_at())
        self._ledger.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (head.size, head.note, signed_at))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
