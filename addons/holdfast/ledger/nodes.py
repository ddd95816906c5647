"""The nodes of a tree that is in `ledger.db`: looked up in full tiles where there are any, else in the leaf column."""

import sqlite3
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import tree
from holdfast.ledger.tiles import TILE_BITS, TILE_WIDTH


class StoredNodes:
    """A :data:`holdfast.ledger.tree.Nodes` over a connection. Nodes never change: those of level 8 are remembered."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: Final = connection
        self._known: Final[dict[int, bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of the perfect subtree over the leaves from ``index << level`` on.

        Raises:
            LedgerError: a leaf is missing.
        """
        if level < TILE_BITS:
            return tree.root_of(self.leaves(index << level, (index + 1) << level))
        tiled = self._from_tile(level, index)
        if tiled is not None:
            return tiled
        if level > TILE_BITS:
            return tree.node_hash(self(level - 1, 2 * index), self(level - 1, 2 * index + 1))
        if index not in self._known:
            self._known[index] = tree.root_of(self.leaves(index * TILE_WIDTH, (index + 1) * TILE_WIDTH))
        return self._known[index]

    def _from_tile(self, level: int, index: int) -> bytes | None:
        tile_level, height = divmod(level, TILE_BITS)
        tile_index, offset = divmod(index << height, TILE_WIDTH)
        row = self._connection.execute(
            "SELECT hashes FROM tiles WHERE level = ? AND idx = ?", (tile_level, tile_index)
        ).fetchone()
        if row is None:
            return None
        width = tree.HASH_BYTES
        hashes = row[0][offset * width : (offset + (1 << height)) * width]
        return tree.root_of(hashes[at : at + width] for at in range(0, len(hashes), width))

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The leaf hashes from ``start`` to before ``end``.

        Raises:
            LedgerError: one is missing.
        """
        rows = self._connection.execute(
            "SELECT leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq", (start, end)
        ).fetchall()
        if len(rows) != end - start:
            raise LedgerError(f"a Record between {start} and {end - 1} is missing")
        return [row[0] for row in rows]
