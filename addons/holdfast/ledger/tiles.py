"""The tree as the writer keeps it: 256-wide tiles (C2SP tlog-tiles), of which only the unfinished ones are in memory.

Level 0 holds leaf hashes; a full tile's root is one hash of the level above. Growing a tree makes a new value, so the
old one stands until the database has committed.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

from holdfast.ledger import tree

TILE_WIDTH: Final = 256  # tlog-tiles: full tiles are 256 hashes wide
TILE_BITS: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: 256 hashes of 32 bytes, one after the other."""

    level: int
    index: int
    hashes: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class TileTree:
    """A tree of ``size`` leaves as its unfinished tiles, level 0 first, each with fewer than 256 hashes."""

    size: int = 0
    levels: tuple[tuple[bytes, ...], ...] = ((),)

    @classmethod
    def restore(cls, size: int, nodes: tree.Nodes) -> "TileTree":
        """The tree at ``size``, looked up in what is stored."""
        levels = []
        for level in range(0, max(size.bit_length(), 1), TILE_BITS):
            end = size >> level
            start = end - end % TILE_WIDTH
            levels.append(tuple(nodes(level, index) for index in range(start, end)))
        return cls(size, tuple(levels))

    def grown(self, leaves: Sequence[bytes]) -> "tuple[TileTree, tuple[Tile, ...]]":
        """The tree after ``leaves``, and the tiles that became full on the way, lower levels first."""
        size = self.size + len(leaves)
        levels: list[tuple[bytes, ...]] = []
        full: list[Tile] = []
        added, level = tuple(leaves), 0
        while added or level < len(self.levels):
            have = (self.levels[level] if level < len(self.levels) else ()) + added
            first = (size >> TILE_BITS * level) // TILE_WIDTH - len(have) // TILE_WIDTH
            added = ()
            while len(have) >= TILE_WIDTH:
                tile, have = have[:TILE_WIDTH], have[TILE_WIDTH:]
                full.append(Tile(level, first + len(added), b"".join(tile)))
                added += (tree.root_of(tile),)
            levels.append(have)
            level += 1
        return TileTree(size, tuple(levels)), tuple(full)

    def root(self) -> bytes:
        """The root hash, 32 bytes."""
        return tree.root_of_peaks(
            [peak for level in reversed(self.levels) for peak in tree.Frontier().grown(level).peaks]
        )
