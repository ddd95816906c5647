"""Which Records a package holds: the period that was asked for, widened to whole Checkpoints."""

import base64
import dataclasses
import datetime as dt
from collections.abc import Iterable

from holdfast.errors import EvidenceError
from holdfast.evidence.entry import Entry, parse_entry
from holdfast.evidence.signed import Signed, open_signed
from holdfast.ledger import note
from holdfast.ledger.reader import Reader
from holdfast.ledger.tree import Frontier, leaf_hash

CHUNK_COUNT = 1000  # leaves hashed at once


@dataclasses.dataclass(frozen=True, slots=True)
class Survey:
    """A ledger walked once: the whole tree checked, and what the range needs from before it."""

    start: Signed | None
    end: Signed
    frontier: Frontier
    inner: tuple[Signed, ...]
    rules: dict[str, dict[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """From when to when, as asked; None is open. ``to_at`` itself is outside."""

    from_at: dt.datetime | None = None
    to_at: dt.datetime | None = None


def parse_time(text: str) -> dt.datetime:
    """A day (`2026-11-22`) or an instant (`2026-11-22T18:00:00Z`), UTC where it says nothing else.

    Raises:
        EvidenceError: neither.
    """
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise EvidenceError(f"{text!r:.40} is no time: write 2026-11-22 or 2026-11-22T18:00:00Z") from None
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


def signed_checkpoints(reader: Reader, key: note.VerifierKey, verify: note.Verify) -> list[Signed]:
    """Every Checkpoint of the ledger, signatures checked, smallest first.

    Raises:
        EvidenceError: one is not signed by the ledger's key.
    """
    found: list[Signed] = []
    for data in reader.checkpoints():
        found.append(open_signed(data, key, verify))
        if len(found) > 1 and found[-1].mark.size <= found[-2].mark.size:
            raise EvidenceError(f"checkpoints.log: size {found[-1].mark.size} after size {found[-2].mark.size}")
    return found


def bounds(entries: Iterable[Entry], signed: list[Signed], period: Period, size: int) -> tuple[int, int]:
    """First Record of the range and the size at its end.

    The start is the last Checkpoint before the first Record asked for, or the beginning. The end is the first
    Checkpoint after the last Record asked for, or everything.

    Raises:
        EvidenceError: no Record lies in the period.
    """
    first, last = size, -1
    for entry in entries:
        if period.from_at is not None and entry.at < period.from_at:
            continue
        if period.to_at is not None and entry.at >= period.to_at:
            continue
        first, last = min(first, entry.index), max(last, entry.index)
    if last < 0:
        raise EvidenceError("no Record lies in the period that was asked for")
    sizes = [item.mark.size for item in signed if 0 < item.mark.size < size]
    low = max((item for item in sizes if item <= first), default=0) if period.from_at is not None else 0
    high = min((item for item in sizes if item > last), default=size) if period.to_at is not None else size
    return low, high


def survey(reader: Reader, signed: list[Signed], low: int, high: int, end: Signed | None) -> Survey:
    """Walk the ledger from its first Record to ``high``, and check every Checkpoint on the way.

    Raises:
        EvidenceError: the Records do not lead to a Checkpoint, or one is malformed.
    """
    walk = _Walk(low)
    stops = [item for item in signed if item.mark.size <= high]
    for item in stops:
        walk.go(reader, item.mark.size)
        if walk.tree.root() != item.mark.root:
            raise EvidenceError(f"the ledger's Records do not lead to its checkpoint of size {item.mark.size}")
    walk.go(reader, high)
    by_size = {item.mark.size: item for item in stops}
    last = by_size.get(high) or end
    if last is None or last.mark.root != walk.tree.root():
        raise EvidenceError(f"there is no checkpoint of size {high}")
    inner = tuple(item for item in stops if low < item.mark.size < high)
    return Survey(by_size.get(low) if low else None, last, walk.frontier, inner, walk.rules())


class _Walk:
    def __init__(self, low: int) -> None:
        self.tree = Frontier()
        self.frontier = Frontier()
        self._low = low
        self._files: dict[str, dict[str, str]] = {}
        self._named: dict[str, None] = {}
        self._in_force = ""

    def go(self, reader: Reader, size: int) -> None:
        """Grow the tree to ``size``; chunks end where the range begins."""
        while self.tree.size < size:
            start = self.tree.size
            stop = min(size, start + CHUNK_COUNT)
            stop = min(stop, self._low) if start < self._low else stop
            lines = list(reader.records(start, stop))
            if len(lines) != stop - start:
                raise EvidenceError(f"record {start + len(lines)} is missing from the ledger")
            for index, data in lines:
                self._note(parse_entry(index, data))
            self.tree = self.tree.grown(leaf_hash(data) for _, data in lines)
            if self.tree.size == self._low:
                self.frontier = self.tree

    def _note(self, entry: Entry) -> None:
        digest_hex = entry.text("rules")
        if entry.typ == "rules.loaded":
            files = entry.member("files")
            members = files if isinstance(files, dict) else {}
            self._files[digest_hex] = {name: str(item) for name, item in members.items()}
            self._in_force = digest_hex
        if entry.index < self._low:
            self._named = {self._in_force: None} if self._in_force else {}
        elif digest_hex:
            self._named[digest_hex] = None

    def rules(self) -> dict[str, dict[str, str]]:
        """The files of every rule set that the range names or that was in force at its start."""
        return {digest: self._files[digest] for digest in self._named if digest in self._files}


def hashes_text(hashes: Iterable[bytes]) -> bytes:
    """Hashes as base64, one per line."""
    return "".join(f"{base64.b64encode(item).decode('ascii')}\n" for item in hashes).encode("ascii")
