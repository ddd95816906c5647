"""What the derived files of a package follow from: the same for `build`, which writes them, and `verify`."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.files.payloads import Opened
from holdfast.evidence.files.scope import Mark, Scope
from holdfast.evidence.story.story import Story


class Entries(Protocol):
    """Gives the Records from ``first`` to before ``end`` that are shown; all of the range where neither is given."""

    def __call__(self, first: int | None = None, end: int | None = None) -> Iterator[Entry]:
        """See the class."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stamped:
    """A time stamp of RFC 3161 over the checkpoint of ``size``: by whom, and when it says it was made."""

    size: int
    name: str
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Outside:
    """What outsiders say: every checkpoint of the package as it is signed and cosigned, and the time stamps.

    ``notes`` gives the checkpoints in order, both ends included; ``stamps`` are in order of size.
    """

    notes: Callable[[], Iterator[bytes]]
    stamps: tuple[Stamped, ...] = ()


@dataclasses.dataclass(slots=True)
class Tally:
    """How many rows a report has, and the first and last Record that they are about; None where they name none."""

    rows: int = 0
    first_index: int | None = None
    last_index: int | None = None

    def count(self, index: object) -> None:
        """One more row, about the Record ``index``."""
        self.rows += 1
        if isinstance(index, int):
            self.first_index = index if self.first_index is None else min(self.first_index, index)
            self.last_index = index if self.last_index is None else max(self.last_index, index)


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """All that a derived file may use.

    ``entries`` reads and parses Records again, so it is for few of them: rows come from ``story``. ``marks`` are the
    checkpoints without signatures. ``controls`` are the frameworks (see controls.py) that were asked for. ``tallies``
    holds the counts of each report, by id, once its rows have been walked, which happens before any page is made.
    """

    scope: Scope
    story: Story
    entries: Entries
    marks: Sequence[Mark]
    outside: Outside
    controls: tuple[Any, ...] = ()
    tallies: dict[str, Tally] = dataclasses.field(default_factory=dict)

    def payload(self, commitment: str) -> Opened | None:
        """What an approver was shown, or signed; None where it was erased, and for every other payload."""
        return self.story.payload(commitment)

    def text(self, commitment: str) -> str | None:
        """:meth:`payload` as text, where it is text."""
        opened = self.payload(commitment)
        return None if opened is None else opened.text()
