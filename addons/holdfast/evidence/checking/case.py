"""A package under verification: what the steps look at, read on demand."""

import functools
from collections.abc import Iterator
from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking.tokens import stated_time
from holdfast.evidence.checking.trusting import Trust
from holdfast.evidence.files import enrolment, layout
from holdfast.evidence.files.container import Package
from holdfast.evidence.files.entry import Entry, parse_entry
from holdfast.evidence.files.marks import Marks
from holdfast.evidence.files.scope import Mark, Scope
from holdfast.evidence.files.shelf import Shelf
from holdfast.evidence.files.signed import Signed
from holdfast.evidence.making.meter import Meter
from holdfast.evidence.tables.material import Stamped
from holdfast.ledger import note
from holdfast.ledger.checkpoints import split
from holdfast.ledger.keyring import KeyRing

TIMESTAMPS: Final = "ledger/timestamps/"


class NotCheckedError(Exception):
    """A step cannot be done here, and says why. Not a fault of the package."""


class UnmetError(NotCheckedError):
    """What the verifier's own trust file asks for is not there, or it takes another version: it cannot be verified."""


class Case:
    """The package, the keys that are trusted, and everything derived from the two.

    Every method raises :class:`~holdfast.errors.EvidenceError` where the package is not what it should be. ``trust`` is
    None where the only key is the package's own.
    """

    def __init__(
        self, package: Package, scope: Scope, ring: KeyRing, trust: Trust | None, verify: note.Verify, meter: Meter
    ) -> None:
        self.package: Final = package
        self.scope: Final = scope
        self.ring: Final = ring
        self.trust: Final = trust
        self.verify: Final = verify
        self.meter: Final = meter
        self.proofs_read: Final[set[str]] = set()  # of `ledger/consistency/`
        self.shelf: Final = Shelf(package, scope.start.size, scope.end.size)

    def entries(self, first: int | None = None, end: int | None = None) -> Iterator[Entry]:
        """Some Records, parsed again; see :class:`holdfast.evidence.tables.material.Entries`."""
        low = self.scope.start.size if first is None else first
        high = self.scope.end.size if end is None else end
        return (parse_entry(index, line) for index, line in self.shelf.lines(low, high))

    def signed(self, name: str) -> Signed:
        """The Checkpoint in the file ``name``, signed by the key that its size asks for."""
        data = self.package.read(name)
        try:
            checkpoint = self.ring.open_checkpoint(data, self.verify)
        except LedgerError as error:
            raise EvidenceError(f"{name}: {error}") from None
        return Signed(data, Mark(checkpoint.size, checkpoint.root))

    def notes(self) -> Iterator[bytes]:
        """Every checkpoint of the package, both ends included, as bytes; no signature is checked here."""
        if self.scope.start.size:
            yield self.package.read("ledger/checkpoint.start")
        yield from self.inner_notes()
        yield self.package.read("ledger/checkpoint.end")

    def inner_notes(self) -> Iterator[bytes]:
        """The checkpoints between the two ends, as they stand in `ledger/checkpoints.txt`."""
        rest = b""
        for chunk in self.package.chunks("ledger/checkpoints.txt"):
            notes, rest = split(rest + chunk)
            yield from notes
        if rest:
            raise EvidenceError("ledger/checkpoints.txt: does not end with a checkpoint")

    @functools.cached_property
    def marks(self) -> Marks:
        """Every Checkpoint of the package, both ends included; signatures are not checked here."""
        marks = Marks()
        if self.scope.start.size:
            marks.append(self.scope.start)
        for data in self.inner_notes():
            mark = _mark(data)
            if marks and mark.size <= marks[-1].size:
                raise EvidenceError("ledger/checkpoints.txt: sizes do not grow")
            marks.append(mark)
        if marks and self.scope.end.size <= marks[-1].size:
            raise EvidenceError("ledger/checkpoints.txt: sizes do not grow")
        marks.append(self.scope.end)
        return marks

    @functools.cached_property
    def stamps(self) -> dict[str, Stamped]:
        """The time stamps by file, with the time that each states."""
        found: dict[str, Stamped] = {}
        for name in self.package.names():
            if name.startswith(TIMESTAMPS) and layout.is_known(name):
                size_text, _, rest = name.removeprefix(TIMESTAMPS).partition("-")
                try:
                    at = stated_time(self.package.read(name))
                except EvidenceError as error:
                    raise EvidenceError(f"{name}: {error}") from None
                found[name] = Stamped(int(size_text), rest.removesuffix(".tsr"), at)
        return found

    @functools.cached_property
    def enrolments(self) -> dict[str, enrolment.Enrolment]:
        """Who may approve, by rule set."""
        return enrolment.parse(self.package.read(enrolment.FILE))


def _mark(data: bytes) -> Mark:
    try:
        checkpoint = note.parse_checkpoint(note.parse_note(data).text)
    except LedgerError as error:
        raise EvidenceError(f"ledger/checkpoints.txt: {error}") from None
    return Mark(checkpoint.size, checkpoint.root)
