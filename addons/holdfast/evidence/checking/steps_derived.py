"""Step V12: everything that follows from the Records, made again and compared byte by byte."""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast import __version__
from holdfast.errors import EvidenceError
from holdfast.evidence.checking.case import Case, NotCheckedError, UnmetError
from holdfast.evidence.checking.walk import Payloads
from holdfast.evidence.control import controls
from holdfast.evidence.files.entry import Entry
from holdfast.evidence.files.gz import unpacked
from holdfast.evidence.files.naming import OCSF_FILE
from holdfast.evidence.files.payloads import Opened
from holdfast.evidence.siem import apart, ocsf
from holdfast.evidence.story.notebook import Notebook
from holdfast.evidence.story.story import Story
from holdfast.evidence.story.teller import Teller
from holdfast.evidence.tables.derived import derive_pages, derive_tables
from holdfast.evidence.tables.material import Material, Outside

_SAME_EVENTS: Final = "the events for a SIEM are the same"
_FOLDERS: Final = ("reports/", "approvals/", "controls/", "siem/")


class Comparing:
    """A file of the package beside the pieces that it should be made of."""

    def __init__(self, name: str, chunks: Iterator[bytes]) -> None:
        self._name: Final = name
        self._chunks: Final = chunks
        self._rest = b""
        self._place = 0  # in the rest; what stands before it is compared
        self._at = 0  # in the file

    def take(self, data: bytes) -> None:
        """The next piece.

        Raises:
            EvidenceError: the file has something else there.
        """
        while len(self._rest) - self._place < len(data):
            chunk = next(self._chunks, None)
            if chunk is None:
                raise self._fault()
            self._rest, self._place = self._rest[self._place :] + chunk, 0
        if not self._rest.startswith(data, self._place):
            here = self._rest[self._place : self._place + len(data)]
            self._at += next(at for at, (one, other) in enumerate(zip(here, data, strict=True)) if one != other)
            raise self._fault()
        self._place += len(data)
        self._at += len(data)

    def finish(self) -> None:
        """After the last piece.

        Raises:
            EvidenceError: the file goes on.
        """
        if self._place < len(self._rest) or any(self._chunks):
            raise self._fault()

    def _fault(self) -> EvidenceError:
        return EvidenceError(f"{self._name}: not what follows from the Records, from byte {self._at} on")


class Telling:
    """Watches every Record for the Story, and compares the events for a SIEM on the way."""

    def __init__(self, case: Case, book: Notebook, other: apart.Apart | None = None) -> None:
        self.teller: Final = Teller(book, case.scope.start.size, case.scope.rules)
        self._case: Final = case
        self._other: Final = other
        self._events: Final = Comparing(OCSF_FILE, unpacked(OCSF_FILE, case.package.chunks(OCSF_FILE)))
        self._event_fault: EvidenceError | None = None
        self._is_same_version: Final = case.scope.built_with == __version__

    def see(self, entry: Entry, payloads: Payloads) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        opened = {member: item if isinstance(item, Opened) else None for member, item in payloads.items()}
        self.teller.add(entry, opened)
        if self._other is not None:
            self._other.add(entry.data)
        elif self._is_same_version:
            self._compare(entry)

    def hide(self, index: int) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self.teller.withhold(index)

    def conclude(self) -> str:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        if self._other is not None:
            if self._is_made_alike(self._other):
                return _SAME_EVENTS
            # Where they differ, or what the second process could not do, comes out here.
            for entry in self._case.entries():
                self._compare(entry)
        if self._event_fault is not None:
            raise self._event_fault
        self._events.finish()
        return _SAME_EVENTS

    def _is_made_alike(self, other: apart.Apart) -> bool:
        if not other.finish():
            return False
        digest = hashlib.sha256()
        try:
            for piece in unpacked(OCSF_FILE, self._case.package.chunks(OCSF_FILE)):
                digest.update(piece)
        except EvidenceError:
            return False
        return digest.hexdigest() == other.digest_hex

    def _compare(self, entry: Entry) -> None:
        # The Story goes on for the other steps, whatever is wrong with the events.
        if self._event_fault is not None:
            return
        try:
            self._events.take(ocsf.line(entry))
        except EvidenceError as error:
            self._event_fault = error


def derived(case: Case, story: Story, telling: Telling) -> str:
    """V12: see the module's docstring."""
    if case.scope.built_with != __version__:
        # Not 0: whoever has the key could write any version, and then any report.
        raise UnmetError(f"made with Holdfast {case.scope.built_with}, and this is {__version__}: use that version")
    telling.conclude()
    material = _material(case, story)
    made = {OCSF_FILE}
    for name, pieces in derive_tables(material):
        _compare(case, name, pieces)
        made.add(name)
    made |= {f"controls/{framework.id}.json" for framework in material.controls}
    pages = _pages(case, material)
    for name in case.package.names():
        if name.startswith(_FOLDERS) and name not in made and not (name.endswith(".html") and name in pages):
            raise EvidenceError(f"{name}: does not follow from the Records")
    if not all(pages.values()):
        without = sum(not is_same for is_same in pages.values())
        raise NotCheckedError(
            f"{len(made)} tables, approvals and events are the same; {without} pages (HTML) were not made again: "
            "Jinja2 is not installed"
        )
    return f"{len(pages)} pages, and {len(made)} tables, approvals and events follow from the Records"


def _material(case: Case, story: Story) -> Material:
    names = [name for name in case.package.names() if name.startswith("controls/")]
    frameworks = tuple(controls.parse_json(case.package.read(name)) for name in names)
    for name, framework in zip(names, frameworks, strict=True):
        if name != f"controls/{framework.id}.json":
            raise EvidenceError(f"{name}: is the framework {framework.id}")
    stamps = tuple(sorted(case.stamps.values(), key=lambda item: (item.size, item.name)))
    return Material(case.scope, story, case.entries, case.marks, Outside(case.notes, stamps), frameworks)


def _pages(case: Case, material: Material) -> dict[str, bool]:
    """The pages of the package, and whether each was made again and is the same."""
    found = {name: False for name in case.package.names() if name.endswith(".html")}
    members = [case.package.member(name) for name in case.package.names()]
    with contextlib.suppress(ImportError):
        for name, pieces in derive_pages(material, lambda: members):
            _compare(case, name, pieces)
            found[name] = True
        if not all(found.values()):
            name = next(name for name, is_same in found.items() if not is_same)
            raise EvidenceError(f"{name}: does not follow from the Records")
    return found


def _compare(case: Case, name: str, pieces: Iterable[bytes]) -> None:
    comparing = Comparing(name, case.package.chunks(name))
    for piece in pieces:
        comparing.take(piece)
    comparing.finish()
