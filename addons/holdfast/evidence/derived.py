"""The files of a package that follow from its other files: `build` writes them, `verify` makes them again."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from holdfast.approval.statement import HOLD_ID
from holdfast.evidence import tables
from holdfast.evidence.entry import Entry
from holdfast.evidence.payloads import Opened
from holdfast.evidence.scope import Mark, Scope
from holdfast.evidence.story import Story, tell

PAGE_FILE = "README.html"
POPULATION_FILE = "population.csv"


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """What the files follow from. ``entries`` may be called more than once; ``payload`` is None for an erased one."""

    scope: Scope
    entries: Callable[[], Iterable[Entry]]
    payload: Callable[[str], Opened | None]
    marks: tuple[Mark, ...]

    def text(self, commitment: str) -> str | None:
        """The payload as text, where there is one."""
        opened = self.payload(commitment)
        return None if opened is None else opened.text()


def derive(material: Material) -> Iterator[tuple[str, bytes]]:
    """Every derived file: tables and approvals, then the page.

    Raises:
        ImportError: Jinja2, which makes the page, is not installed; every other file has been given by then.
    """
    story = tell(material.entries())
    yield from derive_tables(material, story)
    yield PAGE_FILE, derive_page(material, story)


def derive_tables(material: Material, story: Story) -> Iterator[tuple[str, bytes]]:
    """The CSV files, and the approvals in folders of their own."""
    yield POPULATION_FILE, tables.population(material.entries())
    for name, make in tables.REPORTS.items():
        yield name, make(story)
    yield from _approvals(material, story)


def derive_page(material: Material, story: Story) -> bytes:
    """`README.html`.

    Raises:
        ImportError: Jinja2 is not installed.
    """
    # Late, because a verifier has the standard library only.
    from holdfast.evidence.page import Report, render  # noqa: PLC0415

    return render(Report(material.scope, story, material.entries, material.text, material.marks))


def _approvals(material: Material, story: Story) -> Iterator[tuple[str, bytes]]:
    for hold in story.holds:
        # A name from a Record becomes a path only if it is one of ours.
        if HOLD_ID.fullmatch(hold.hold_id) is None:
            continue
        folder = f"approvals/{hold.hold_id}"
        view = material.payload(hold.view) if hold.view else None
        if view is not None:
            yield f"{folder}/view.txt", view.data
        for number, approval in enumerate(hold.approvals, 1):
            statement = material.payload(approval.statement) if approval.statement else None
            if statement is not None:
                yield f"{folder}/decision-{number}.dsse.json", statement.data
