"""The tree as files that any web server can serve: C2SP tlog-tiles. FORMAT.md section 9; standard library only.

`checkpoint`, `tile/L/N` with 256 hashes each, the unfinished ones at the right edge as `tile/L/N.p/W`, and
`tile/entries/N` with the Records themselves. A tile that is full never changes. Source: https://c2sp.org/tlog-tiles.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import tree
from holdfast.ledger.tiles import TILE_BITS, TILE_WIDTH, TileTree

CHECKPOINT_PATH: Final = "checkpoint"
ENTRY_BYTES_MAX: Final = 65_535  # tlog-tiles: a length has 16 bits
_LENGTH_BYTES: Final = 2
_PARTIAL: Final = re.compile(r"\.p/[0-9]+\Z")

type TileFile = tuple[str, bytes]


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile, or of a bundle where ``level`` is `entries`: `tile/0/x001/x234/067`, `tile/1/000.p/17`."""
    digits = f"{index:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    number = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{number}" + ("" if width == TILE_WIDTH else f".p/{width}")


def whole_path(path: str) -> str:
    """The path that the tile at ``path`` has once it is full."""
    return _PARTIAL.sub("", path)


def aligned(index: int) -> int:
    """The first index in the level-0 tile that holds ``index``: where :func:`tile_files` takes up an older tree."""
    return index - index % TILE_WIDTH


def tile_files(leaves: Iterable[bytes], before: TileTree | None = None) -> Iterator[TileFile]:
    """Path and bytes of every hash tile that holds one of ``leaves``, or stands above one.

    Args:
        leaves: leaf hashes in order, from index ``before.size`` on.
        before: the tree that is tiled already, at an :func:`aligned` size; the empty one if None. Of a log whose
            Records before some index are left out, these are the tiles that are still to be there (Pruning).

    Raises:
        LedgerError: ``before`` ends within a tile.
    """
    grown = before or TileTree()
    if grown.size % TILE_WIDTH:
        raise LedgerError(f"tiles cannot be taken up at size {grown.size}, in the middle of one")
    for batch in _batches(leaves):
        grown, full = grown.grown(batch)
        for tile in full:
            yield tile_path(tile.level, tile.index), tile.hashes
    for level, hashes in enumerate(grown.levels):
        if hashes:
            index = (grown.size >> TILE_BITS * level) // TILE_WIDTH
            yield tile_path(level, index, len(hashes)), b"".join(hashes)


def _batches(items: Iterable[bytes]) -> Iterator[list[bytes]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, TILE_WIDTH)):
        yield batch


def bundle_files(entries: Iterable[bytes], start: int = 0) -> Iterator[TileFile]:
    """Path and bytes of the entry bundles for Records from index ``start`` on, which is :func:`aligned`.

    Raises:
        LedgerError: an entry is too long for its 16-bit length.
    """
    for number, batch in enumerate(_batches(entries), start // TILE_WIDTH):
        yield tile_path("entries", number, len(batch)), b"".join(_prefixed(entry) for entry in batch)


def _prefixed(entry: bytes) -> bytes:
    if len(entry) > ENTRY_BYTES_MAX:
        raise LedgerError(f"an entry of {len(entry)} bytes fits no bundle")
    return len(entry).to_bytes(_LENGTH_BYTES, "big") + entry


def parse_bundle(data: bytes) -> list[bytes]:
    """The entries in a bundle.

    Raises:
        LedgerError: cut short, or more than 256.
    """
    entries, at = [], 0
    while at < len(data):
        end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "big")
        if at + _LENGTH_BYTES > len(data) or end > len(data):
            raise LedgerError("an entry bundle is cut short")
        entries.append(data[at + _LENGTH_BYTES : end])
        at = end
    if not 0 < len(entries) <= TILE_WIDTH:
        raise LedgerError(f"an entry bundle has {len(entries)} entries, not 1 to {TILE_WIDTH}")
    return entries


def paths_of(size: int, minimum: int = 0) -> dict[str, tuple[int, int, int]]:
    """Level, index and width by path, of every hash tile of a tree from which what ends at ``minimum`` is left out."""
    found, level = {}, 0
    while size >> TILE_BITS * level:
        count = size >> TILE_BITS * level
        for index in range((minimum >> TILE_BITS * level) // TILE_WIDTH, -(-count // TILE_WIDTH)):
            width = min(TILE_WIDTH, count - index * TILE_WIDTH)
            found[tile_path(level, index, width)] = (level, index, width)
        level += 1
    return found


def check_tiles(read: Callable[[str], bytes], size: int, leaves: Sequence[bytes], root: bytes) -> int:
    """Check that tiles are those of the tree of ``size`` Records with ``root``, whose last leaves are ``leaves``.

    Args:
        read: the bytes of the tile at a path of :func:`paths_of`.
        size: of the tree.
        leaves: hashes of the Records that are known, up to the last one.
        root: at ``size``.

    Returns:
        How many tiles there are.

    Raises:
        LedgerError: names the first tile that is not what it should be.
    """
    minimum = size - len(leaves)
    tiles: dict[tuple[int, int], list[bytes]] = {}
    paths = paths_of(size, minimum)
    for path, (level, index, width) in paths.items():
        data = read(path)
        if len(data) != width * tree.HASH_BYTES:
            raise LedgerError(f"{path}: {len(data)} bytes, not {width} hashes")
        tiles[level, index] = [data[at : at + tree.HASH_BYTES] for at in range(0, len(data), tree.HASH_BYTES)]
    for path, (level, index, width) in paths.items():
        for place in range(width):
            known = _known(level, index * TILE_WIDTH + place, tiles, leaves, minimum)
            if known is not None and known != tiles[level, index][place]:
                raise LedgerError(f"{path}: hash {place} is not the one of what lies below it")

    def node(level: int, index: int) -> bytes:
        return tiles[level // TILE_BITS, index // TILE_WIDTH][index % TILE_WIDTH]

    if TileTree.restore(size, node).root() != root:
        raise LedgerError(f"the tiles do not lead to the root at size {size}")
    return len(paths)


def _known(
    level: int, number: int, tiles: dict[tuple[int, int], list[bytes]], leaves: Sequence[bytes], minimum: int
) -> bytes | None:
    """What hash ``number`` of a level must be, as far as the level below says; None where it is left out."""
    if level == 0:
        return leaves[number - minimum] if number >= minimum else None
    below = tiles.get((level - 1, number))
    return None if below is None else tree.root_of(below)
