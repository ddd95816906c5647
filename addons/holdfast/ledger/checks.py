"""What `verify` checks Record by Record and tile by tile; each check remembers what the next one needs."""

from collections.abc import Iterator
from typing import Final

from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import record, schema, tree
from holdfast.ledger.draft import Use, use_in
from holdfast.ledger.reader import Reader
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
        self.payloads = 0
        self.clock_steps = 0

    def leaves(self, size: int) -> Iterator[bytes]:
        """The leaves of the first ``size`` Records, each after its Record was checked.

        Raises:
            LedgerError: names the Record and what is wrong with it.
        """
        expected = 0
        for index, entry, leaf in self._reader.rows(0, size):
            if index != expected:
                raise LedgerError(f"record {expected} is missing")
            if tree.leaf_hash(entry) != leaf:
                raise LedgerError(f"record {index}: leaf hash does not match")
            try:
                self._check(index, record.decode(entry))
            except LedgerError as error:
                raise LedgerError(f"record {index}: {error}") from None
            yield leaf
            expected += 1
        if expected != size:
            raise LedgerError(f"record {expected} is missing")

    def _check(self, index: int, value: JsonObject) -> None:
        if value["n"] != index:
            raise LedgerError("says another index; Records were moved")
        if value["log"] != self._origin:
            raise LedgerError("is of another ledger")
        if (value["typ"] == "ledger.genesis") != (index == 0):
            raise LedgerError("a ledger begins with its ledger.genesis and has only one")
        self._check_clock(value)
        for name, member in record.commitments_in(value):
            self._check_payload(name, member)
        use = use_in(value["typ"], value)
        if use is not None and self._uses.setdefault(use, index) != index:
            raise LedgerError(f"uses an approval that record {self._uses[use]} has used")

    def _check_clock(self, value: JsonObject) -> None:
        boot, mono, at = value["boot"], value["mono"], value["ts"]
        assert isinstance(boot, str)
        assert isinstance(mono, int)
        assert isinstance(at, str)
        if self._last is not None and self._last[0] == boot and mono < self._last[1]:
            raise LedgerError("its monotonic clock is before that of the record before")
        if (self._last is None or self._last[0] != boot) and boot in self.boots:
            raise LedgerError("its boot had ended before")
        # The wall clock may be set back; a report says so, the ledger is still whole.
        self.clock_steps += self._last is not None and at < self._last[2]
        self.boots.add(boot)
        self._last = (boot, mono, at)

    def _check_payload(self, name: str, member: JsonObject) -> None:
        commitment = member["c"]
        assert isinstance(commitment, str)
        found = self._reader.payload(commitment)
        if found is None:
            raise LedgerError(f"the payload of {name} is missing from {schema.PAYLOAD_FILE}")
        content_type, key, data = found
        is_stated = content_type == member["ct"] and len(data) == member["bytes"]
        if not is_stated or record.commit(key, content_type, data) != commitment:
            raise LedgerError(f"the payload of {name} is not the one it commits to")
        self.payloads += 1

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
