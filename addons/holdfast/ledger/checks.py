"""What `verify` checks Record by Record and tile by tile; each check remembers what the next one needs."""

from collections.abc import Iterator
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import record, spelling, tree
from holdfast.ledger.draft import Use, use_in
from holdfast.ledger.payloads import PayloadCheck
from holdfast.ledger.reader import Reader
from holdfast.ledger.spelling import Spelled
from holdfast.ledger.tiles import TILE_BITS, TILE_WIDTH, Tile, TileTree

_LEVEL_MAX: Final = 7  # 256^8 leaves are more than SQLite's integers count


class TileCheck:
    """Compares the stored tiles with the tree's, as it grows."""

    def __init__(self, reader: Reader) -> None:
        self._reader: Final = reader
        self._tree = TileTree()
        self._leaves: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take the next leaf.

        Raises:
            LedgerError: a tile that is full now is not stored, or differs.
        """
        self._leaves.append(leaf)
        if len(self._leaves) == TILE_WIDTH:
            self._tree, full = self._tree.grown(self._leaves)
            self._leaves = []
            for tile in full:
                if tile.level:
                    self._check(tile)

    def _check(self, tile: Tile) -> None:
        row = self._reader.ledger.execute(
            "SELECT hashes FROM tiles WHERE level = ? AND idx = ?", (tile.level, tile.index)
        ).fetchone()
        if row is None or row[0] != tile.hashes:
            raise LedgerError(f"tile {tile.level}/{tile.index} is not that of the Records in ledger.db")

    def finish(self) -> None:
        """Refuse stored tiles over more Records than there are.

        Raises:
            LedgerError: names the tile.
        """
        # A running gateway may have added Records and tiles since; those lie beyond what was looked at.
        size = self._reader.size()
        for level, index in self._reader.ledger.execute("SELECT level, idx FROM tiles"):
            if level > _LEVEL_MAX or (index + 1) << TILE_BITS * (level + 1) > size:
                raise LedgerError(f"tile {level}/{index} covers Records that ledger.db does not hold")


class RecordCheck:
    """Checks every Record for itself and against the one before."""

    def __init__(self, reader: Reader, origin: str) -> None:
        self._reader: Final = reader
        self._origin: Final = origin
        self._uses: Final[dict[Use, int]] = {}
        self._last: tuple[str, int, str] | None = None
        self.boots: Final[set[str]] = set()
        self.payloads: Final = PayloadCheck(reader)
        self.clock_steps = 0

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        """The leaves of the Records from ``start``, where the last call ended, each after its Record was checked.

        Raises:
            LedgerError: names the Record and what is wrong with it.
        """
        expected = start
        for index, entry, leaf in self._reader.rows(start, end):
            if index != expected:
                raise LedgerError(f"record {expected} is missing")
            if tree.leaf_hash(entry) != leaf:
                raise LedgerError(f"record {index}: leaf hash does not match")
            try:
                spelled = spelling.read(entry) or self._decoded(index, entry)
                self._check(index, spelled)
            except LedgerError as error:
                raise LedgerError(f"record {index}: {error}") from None
            if spelled.erased:
                self.payloads.add_erased(index, spelled.erased)
            for stated in spelled.payloads:
                self.payloads.add(index, stated)
            yield leaf
            expected += 1
        if expected != end:
            raise LedgerError(f"record {expected} is missing")

    def _decoded(self, index: int, entry: bytes) -> Spelled:
        value = record.decode(entry)
        use = use_in(value["typ"], value)
        if use is not None and self._uses.setdefault(use, index) != index:
            raise LedgerError(f"uses an approval that record {self._uses[use]} has used")
        return spelling.of_decoded(value)

    def _check(self, index: int, spelled: Spelled) -> None:
        if spelled.n != index:
            raise LedgerError("says another index; Records were moved")
        if spelled.log != self._origin:
            raise LedgerError("is of another ledger")
        if (spelled.typ == "ledger.genesis") != (index == 0):
            raise LedgerError("a ledger begins with its ledger.genesis and has only one")
        boot, mono_ns, at = spelled.boot, spelled.mono_ns, spelled.at
        if self._last is not None and self._last[0] == boot and mono_ns < self._last[1]:
            raise LedgerError("its monotonic clock is before that of the record before")
        if (self._last is None or self._last[0] != boot) and boot in self.boots:
            raise LedgerError("its boot had ended before")
        # The wall clock may be set back; a report says so, the ledger is still whole.
        self.clock_steps += self._last is not None and at < self._last[2]
        self.boots.add(boot)
        self._last = (boot, mono_ns, at)

    def check_uses(self, size: int) -> None:
        """Compare the table of used Approvals with what the Records say.

        Raises:
            LedgerError: one lists a use that the other does not.
        """
        rows = self._reader.ledger.execute(
            "SELECT approval_id, use_no, seq FROM approvals_used WHERE seq < ? ORDER BY seq", (size,)
        )
        listed = {Use(approval_id, use_no): seq for approval_id, use_no, seq in rows}
        for use, index in self._uses.items():
            if listed.pop(use, None) != index:
                raise LedgerError(f"record {index}: approvals_used does not list its use of an approval")
        for index in listed.values():
            raise LedgerError(f"record {index}: approvals_used lists a use that it does not make")
