"""Which Records a package holds: the period that was asked for, widened to whole Checkpoints, found in one walk."""

import base64
import dataclasses
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files.scope import Mark
from holdfast.evidence.files.signed import Signed
from holdfast.evidence.files.times import parse_time as parse_utc
from holdfast.evidence.making.meter import Meter
from holdfast.ledger import keyring, note
from holdfast.ledger.keyring import KeyRing
from holdfast.ledger.reader import Reader
from holdfast.ledger.tree import Frontier, leaf_hash

CHUNK_COUNT: Final = 1000  # leaves hashed at once
SIGNATURES_MAX: Final = 10_000  # of checkpoints are checked one by one; of more, one in n
_NOTE_BYTES: Final = 200  # the shortest that a checkpoint takes in its file


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """From when to when, as asked; None is open. ``to_at`` itself is outside."""

    from_at: dt.datetime | None = None
    to_at: dt.datetime | None = None

    def holds(self, at: dt.datetime) -> bool:
        """Whether ``at`` lies in it."""
        return (self.from_at is None or at >= self.from_at) and (self.to_at is None or at < self.to_at)


@dataclasses.dataclass(frozen=True, slots=True)
class Survey:
    """A ledger walked once: the whole tree checked, and what the range needs from outside of it.

    ``size`` Records were walked. ``end`` is None where no checkpoint covers exactly the range: then ``end_mark`` says
    what one has to say. ``erasing`` gives for each commitment the `payload.erased` Record that names it first.
    """

    size: int
    start: Signed | None
    end: Signed | None
    end_mark: Mark
    frontier: Frontier
    rules: dict[str, dict[str, str]]
    ring: KeyRing
    erasing: dict[str, int]

    @property
    def low(self) -> int:
        """The first Record of the range."""
        return self.frontier.size

    @property
    def high(self) -> int:
        """The first Record after the range."""
        return self.end_mark.size


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


def survey(reader: Reader, key: note.VerifierKey, verify: note.Verify, period: Period, meter: Meter) -> Survey:
    """Walk the ledger from its first Record to its last, checking every Checkpoint on the way.

    The range starts at the last Checkpoint before the first Record asked for, or at the beginning; it ends at the first
    Checkpoint after the last Record asked for, or with the newest Record.

    Args:
        reader: the ledger.
        key: one of the keys that have signed it.
        verify: how a signature is checked.
        period: what was asked for.
        meter: told what goes on.

    Raises:
        EvidenceError: the Records do not lead to a Checkpoint, one is malformed, or no Record lies in the period.
    """
    size = reader.size()
    if not size:
        raise EvidenceError("the ledger holds no Record yet")
    meter.begin("checking the ledger", size)
    walk = _Walk(period)
    for data in reader.checkpoints():
        checkpoint = _parse(data)
        if checkpoint.size > size:
            # The gateway may have gone on meanwhile. A ledger that was cut has not.
            if checkpoint.size > (now := reader.size()):
                raise EvidenceError(
                    f"the ledger holds {now} Records, fewer than its checkpoint of size {checkpoint.size}"
                )
            break
        walk.go(reader, checkpoint.size, meter)
        walk.stop(Signed(data, Mark(checkpoint.size, checkpoint.root)))
    walk.go(reader, size, meter)
    ring = _ring(walk, key)
    _check_signatures(reader, ring, verify, size)
    return walk.result(size, ring)


def _parse(data: bytes) -> note.Checkpoint:
    try:
        return note.parse_checkpoint(note.parse_note(data).text)
    except LedgerError as error:
        raise EvidenceError(f"checkpoints.log: {error}") from None


def _ring(walk: "_Walk", key: note.VerifierKey) -> KeyRing:
    try:
        return KeyRing.of(walk.rotations, key)
    except LedgerError as error:
        raise EvidenceError(f"the ledger's keys: {error}") from None


def _check_signatures(reader: Reader, ring: KeyRing, verify: note.Verify, size: int) -> None:
    every = 1 + (reader.directory / "checkpoints.log").stat().st_size // (SIGNATURES_MAX * _NOTE_BYTES)
    for place, data in enumerate(reader.checkpoints()):
        if place % every:
            continue
        try:
            checkpoint = ring.open_checkpoint(data, verify)
        except LedgerError as error:
            raise EvidenceError(f"checkpoints.log: {error}") from None
        if checkpoint.size > size:
            return


class _Walk:
    """Grows the tree, and remembers what the range will need."""

    def __init__(self, period: Period) -> None:
        self.rotations: Final[list[keyring.Rotation]] = []
        self._period: Final = period
        self._tree = Frontier()
        self._frontier = Frontier()  # at the start of the range, as far as it is known
        self._start: Signed | None = None
        self._end: Signed | None = None
        self._last: Signed | None = None
        self._has_begun = period.from_at is None
        self._has_any = False
        self._files: Final[dict[str, dict[str, str]]] = {}
        self._named: dict[str, int] = {}  # digest of a rule set: the first Record of the range that names it
        self._in_force = ""
        self._loads: Final[list[tuple[int, str]]] = []
        self._erasing: Final[dict[str, int]] = {}

    def go(self, reader: Reader, size: int, meter: Meter) -> None:
        """Grow the tree to ``size``."""
        while self._tree.size < size:
            start = self._tree.size
            lines = list(reader.records(start, min(size, start + CHUNK_COUNT)))
            if len(lines) != min(size, start + CHUNK_COUNT) - start:
                raise EvidenceError(f"record {start + len(lines)} is missing from the ledger")
            for index, data in lines:
                self._look(index, data)
            self._tree = self._tree.grown(leaf_hash(data) for _, data in lines)
            meter.at(self._tree.size)

    def stop(self, signed: Signed) -> None:
        """Here is a Checkpoint.

        Raises:
            EvidenceError: the Records do not lead to it.
        """
        size = signed.mark.size
        if self._last is not None and size <= self._last.mark.size:
            raise EvidenceError(f"checkpoints.log: size {size} after size {self._last.mark.size}")
        if self._tree.root() != signed.mark.root:
            raise EvidenceError(f"the ledger's Records do not lead to its checkpoint of size {size}")
        self._last = signed
        if not self._has_begun and size:
            self._start, self._frontier = signed, self._tree
            self._named = {self._in_force: 0} if self._in_force else {}
        elif self._has_any and self._end is None:
            self._end = signed

    def result(self, size: int, ring: KeyRing) -> Survey:
        """After the last Record."""
        if not self._has_any:
            raise EvidenceError("no Record lies in the period that was asked for")
        end = self._end if self._period.to_at is not None else self._last
        if end is not None and self._period.to_at is None and end.mark.size != size:
            end = None
        end_mark = end.mark if end is not None else Mark(size, self._tree.root())
        named = (digest for digest, index in self._named.items() if index < end_mark.size)
        rules = {digest: self._files[digest] for digest in named if digest in self._files}
        # The rules in force at the end come last: they say who vouches.
        last = next((digest for index, digest in reversed(self._loads) if index < end_mark.size), "")
        if last in rules:
            rules[last] = rules.pop(last)
        return Survey(size, self._start, end, end_mark, self._frontier, rules, ring, self._erasing)

    def _look(self, index: int, data: bytes) -> None:
        try:
            body = json.loads(data)
            at, typ = parse_utc(body["ts"]), body["typ"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise EvidenceError(f"record {index}: is no Record") from None
        if self._period.holds(at):
            self._has_begun = self._has_any = True
            self._end = None
        if typ == "rules.loaded":
            self._rules_loaded(index, body)
        elif typ == "payload.erased":
            for commitment in body.get("erased", []):
                self._erasing.setdefault(commitment, index)
        elif typ == keyring.TYP and (rotation := _rotation(index, data)) is not None:
            self.rotations.append(rotation)
        digest_hex = body.get("rules")
        if isinstance(digest_hex, str):
            self._named.setdefault(digest_hex, index)

    def _rules_loaded(self, index: int, body: dict[str, Any]) -> None:
        files = body.get("files")
        if isinstance(files, dict):
            self._in_force = str(body.get("rules"))
            self._loads.append((index, self._in_force))
            self._files[self._in_force] = {name: str(item) for name, item in files.items()}


def _rotation(index: int, data: bytes) -> keyring.Rotation | None:
    try:
        return keyring.rotation_at(index, data)
    except LedgerError as error:
        raise EvidenceError(str(error)) from None


def hashes_text(hashes: Iterable[bytes]) -> bytes:
    """Hashes as base64, one per line."""
    return "".join(f"{base64.b64encode(item).decode('ascii')}\n" for item in hashes).encode("ascii")


def inner_notes(reader: Reader, low: int, high: int) -> Iterator[tuple[int, bytes]]:
    """Size and bytes of the Checkpoints between two sizes, both excluded, in order."""
    for data in reader.checkpoints():
        size = _parse(data).size
        if size >= high:
            return
        if size > low:
            yield size, data
