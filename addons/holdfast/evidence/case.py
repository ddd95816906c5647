"""A package under verification: what the steps look at, read on demand."""

import functools
from collections.abc import Iterator
from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence import enrolment, payloads
from holdfast.evidence.container import Package
from holdfast.evidence.entry import Entry, payload_refs
from holdfast.evidence.payloads import Opened
from holdfast.evidence.scope import Mark, Scope
from holdfast.evidence.shelf import Shelf
from holdfast.evidence.signed import Signed, open_signed
from holdfast.evidence.story import Story, tell
from holdfast.ledger import note
from holdfast.ledger.checkpoints import split


class NotCheckedError(Exception):
    """A step cannot be done here, and says why. Not a fault of the package."""


class Case:
    """The package, the key that is trusted, and everything derived from the two.

    Every method raises :class:`~holdfast.errors.EvidenceError` where the package is not what it should be.
    """

    def __init__(self, package: Package, scope: Scope, key: note.VerifierKey, verify: note.Verify) -> None:
        self.package: Final = package
        self.scope: Final = scope
        self.key: Final = key
        self.verify: Final = verify
        self.shelf: Final = Shelf(package, scope.start.size, scope.end.size)

    def entries(self) -> Iterator[Entry]:
        """Every Record of the range."""
        return self.shelf.entries()

    @functools.cached_property
    def story(self) -> Story:
        """The story that the Records tell."""
        return tell(self.entries())

    @functools.cached_property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """For every commitment: the first Record that makes it, and the size of the payload."""
        found: dict[str, tuple[int, int]] = {}
        for entry in self.entries():
            for commitment, size, _ in payload_refs(entry).values():
                found.setdefault(commitment, (entry.index, size))
        return found

    def payload(self, commitment: str) -> Opened | None:
        """The payload behind ``commitment``, checked against it; None where it was erased."""
        index, size = self.sizes[commitment]
        name = payloads.file_name(commitment)
        try:
            return payloads.parse(name, self.package.read(name), commitment, size)
        except EvidenceError as error:
            raise EvidenceError(f"record {index}: {error}") from None

    def signed(self, name: str) -> Signed:
        """The Checkpoint in the file ``name``, signed by the trusted key."""
        try:
            return open_signed(self.package.read(name), self.key, self.verify)
        except EvidenceError as error:
            raise EvidenceError(f"{name}: {error}") from None

    @functools.cached_property
    def inner_notes(self) -> list[bytes]:
        """The Checkpoints between the two ends, as they stand in `ledger/checkpoints.txt`."""
        notes, rest = split(self.package.read("ledger/checkpoints.txt"))
        if rest:
            raise EvidenceError("ledger/checkpoints.txt: does not end with a checkpoint")
        return notes

    @functools.cached_property
    def marks(self) -> tuple[Mark, ...]:
        """Every Checkpoint of the package, both ends included; signatures are not checked here."""
        inner = [_mark(data) for data in self.inner_notes]
        start = [self.scope.start] if self.scope.start.size else []
        return (*start, *inner, self.scope.end)

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
