"""The one walk over a package's Records: the tree grows, and every step that looks at Records is told of each.

No Record is unpacked, hashed or parsed twice. A watcher that finds a fault is told no more; the others go on, so that
each step says what it found.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol, overload

from holdfast.errors import EvidenceError
from holdfast.evidence.checking.case import Case
from holdfast.evidence.files.entry import Entry, parse_entry, payload_refs
from holdfast.evidence.files.payloads import Bundles, Erased, Opened, file_name
from holdfast.evidence.files.shelf import ENTRIES_PER_FILE
from holdfast.ledger import tree

CHUNK_COUNT: Final = 1024  # leaves hashed into the tree at once

type Payloads = Mapping[str, Opened | Erased]


class Watcher(Protocol):
    """A step that looks at Records, one after another."""

    def see(self, entry: Entry, payloads: Payloads) -> None:
        """The next Record that is shown, with its payloads by member.

        Raises:
            EvidenceError: it is not as it should be.
        """

    def hide(self, index: int) -> None:
        """The next Record is withheld."""

    def conclude(self) -> str:
        """After the last Record: what was found, in a sentence.

        Raises:
            EvidenceError: something is not as it should be.
        """


class Leaves(Sequence[bytes]):
    """Leaf hashes, 32 bytes for each."""

    def __init__(self) -> None:
        self._data: Final = bytearray()

    def append(self, leaf: bytes) -> None:
        """One more."""
        self._data.extend(leaf)

    def __len__(self) -> int:
        return len(self._data) // tree.HASH_BYTES

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        at = place * tree.HASH_BYTES
        return bytes(self._data[at : at + tree.HASH_BYTES])


class Walk:
    """See the module's docstring. ``faults`` holds what each watcher found wrong, by its name."""

    def __init__(self, case: Case, watchers: Mapping[str, Watcher]) -> None:
        self.faults: Final[dict[str, EvidenceError]] = {}
        self.leaves: Final = Leaves()
        self.missing: EvidenceError | None = None  # why not all Records could be read
        self.mark_fault: EvidenceError | None = None  # the first checkpoint that is not on the tree
        self.grown = tree.Frontier()
        self.good_size = case.scope.start.size  # up to here a checkpoint covers what was read
        self._case: Final = case
        self._watchers: Final = dict(watchers)
        self._bundles: Final = Bundles(case.package)
        self._bundle_at = -1
        self._mark_place = 0
        self._payload_fault: EvidenceError | None = None
        self.bundle_names: Final[set[str]] = set()

    def run(self, start: tree.Frontier) -> None:
        """Walk. ``start`` is the tree before the first Record."""
        self.grown = start
        end = self._case.scope.end.size
        self._case.meter.begin("verifying", end - start.size)
        try:
            self._run(self._case.shelf.leaves(), end)
        except EvidenceError as error:
            self.missing = error
        for name in list(self._watchers):
            self._stop(name, self.missing)
        if self._payload_fault is None and self.missing is None:
            self._take_fault(self._bundles.finish)

    def give_up(self, error: EvidenceError) -> None:
        """The walk cannot even begin."""
        self.missing = error
        for name in list(self._watchers):
            self._stop(name, error)

    def conclude(self, name: str, watcher: Watcher) -> str:
        """The sentence of a watcher.

        Raises:
            EvidenceError: what it found wrong.
        """
        if name in self.faults:
            raise self.faults[name]
        return watcher.conclude()

    def check_payloads(self) -> None:
        """Return if every payload was the one that its Record committed to.

        Raises:
            EvidenceError: the first one that was not.
        """
        if self._payload_fault is not None:
            raise self._payload_fault

    def _run(self, leaves: Iterator[tuple[int, bytes | None, bytes]], end: int) -> None:
        for stop in self._stops(end):
            while self.grown.size < stop:
                chunk = list(itertools.islice(leaves, min(CHUNK_COUNT, stop - self.grown.size)))
                self.grown = self.grown.grown(leaf for _, _, leaf in chunk)
                for index, line, leaf in chunk:
                    self.leaves.append(leaf)
                    self._tell(index, line)
                self._case.meter.at(len(self.leaves))
            self._compare(stop)
        for _ in leaves:  # withheld.txt may name more
            pass

    def _stops(self, end: int) -> Iterator[int]:
        low = self.grown.size
        try:
            sizes = self._case.marks.sizes()
        except EvidenceError as error:
            self.mark_fault = error
            return iter([end])
        return (size for size in sizes if low < size <= end)

    def _compare(self, size: int) -> None:
        if self.mark_fault is not None or size == self._case.scope.end.size:
            return
        marks = self._case.marks
        while marks[self._mark_place].size < size:
            self._mark_place += 1
        if marks[self._mark_place].root == self.grown.root():
            self.good_size = size
            return
        self.mark_fault = EvidenceError(
            f"ledger/checkpoints.txt: the checkpoint of size {size} is not on the tree of Records"
        )

    def _tell(self, index: int, line: bytes | None) -> None:
        if line is None:
            for watcher in self._watchers.values():
                watcher.hide(index)
            return
        if not self._watchers:
            return
        try:
            entry = parse_entry(index, line)
        except EvidenceError as error:
            for name in list(self._watchers):
                self._stop(name, error)
            return
        payloads = self._payloads(entry)
        for name, watcher in list(self._watchers.items()):
            try:
                watcher.see(entry, payloads)
            except EvidenceError as error:
                self._stop(name, error)

    def _stop(self, name: str, error: EvidenceError | None) -> None:
        if error is not None:
            self.faults.setdefault(name, error)
            self._watchers.pop(name, None)

    def _payloads(self, entry: Entry) -> Payloads:
        found: dict[str, Opened | Erased] = {}
        start = entry.index - (entry.index - self._case.scope.start.size) % ENTRIES_PER_FILE
        if start != self._bundle_at and self._payload_fault is None:
            self._bundle_at = start
            self.bundle_names.add(file_name(start))
            self._take_fault(lambda: self._bundles.open(start))
        for member, (commitment, size, content_type) in payload_refs(entry).items():
            if self._payload_fault is not None:
                return {}
            try:
                found[member] = payload = self._bundles.take(entry.index, commitment, size)
            except EvidenceError as error:
                self._payload_fault = error
                return found
            if isinstance(payload, Opened) and payload.content_type != content_type:
                said = f"record {entry.index}: {member} has another content type than was committed to"
                self._payload_fault = EvidenceError(said)
        return found

    def _take_fault(self, do: Callable[[], None]) -> None:
        try:
            do()
        except EvidenceError as error:
            self._payload_fault = self._payload_fault or error
