"""The files of a package that follow from its other files: `build` writes them, `verify` makes them again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from holdfast.approval.statement import HOLD_ID
from holdfast.evidence.control import controls
from holdfast.evidence.tables import reports
from holdfast.evidence.tables.material import Material
from holdfast.evidence.tables.plain import csv_chunks

CONTROLS_FILE: Final = "CONTROLS.csv"

type Derived = tuple[str, Iterable[bytes]]


class PackedFile(Protocol):
    """A file of the package: its name, its length and its digest."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    @property
    def sha256_hex(self) -> str:
        """Its digest."""


def derive_tables(material: Material) -> Iterator[Derived]:
    """Name and pieces of every derived file but pages. To be taken in order: some count rows of earlier ones."""
    for item in reports.REPORTS:
        yield item.file, reports.csv_of(item, material)
    yield reports.INDEX_FILE, reports.index_csv(material)
    yield CONTROLS_FILE, csv_chunks(controls.CSV_COLUMNS, controls.csv_rows(material.controls, material))
    yield from _approvals(material)


def derive_pages(material: Material, files: Callable[[], Iterable[PackedFile]]) -> Iterator[Derived]:
    """Every page, after the tables.

    Args:
        material: what they follow from.
        files: the files of the package so far.

    Raises:
        ImportError: Jinja2 is not installed.
    """
    # Late, because a verifier has the standard library only.
    from holdfast.evidence.pages import render_all  # noqa: PLC0415

    for name, data in render_all(material, files):
        yield name, [data]


def readable(material: Material, control_ids: Sequence[str]) -> bytes:
    """One page that stands alone: about the controls that ``control_ids`` name, or the front page."""
    # Late, because a verifier has the standard library only.
    from holdfast.evidence.pages import control_page, front_page  # noqa: PLC0415

    return control_page(material, material.controls, control_ids) if control_ids else front_page(material)


def _approvals(material: Material) -> Iterator[Derived]:
    for hold in material.story.holds():
        # A name from a Record becomes a path only if it is one of ours.
        if HOLD_ID.fullmatch(hold.hold_id) is None:
            continue
        folder = f"approvals/{hold.hold_id}"
        view = material.payload(hold.view) if hold.view else None
        if view is not None:
            yield f"{folder}/view.txt", [view.data]
        for number, approval in enumerate(hold.approvals, 1):
            statement = material.payload(approval.statement) if approval.statement else None
            if statement is not None:
                yield f"{folder}/decision-{number}.dsse.json", [statement.data]
