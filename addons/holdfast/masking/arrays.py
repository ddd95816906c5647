"""Arrays in which the place of an item says what it is: rows of tables, pairs, command lines, values in groups."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Final

from holdfast.jsontext import Json
from holdfast.masking.around import Around, Columns, cells_of, is_by_column, texts_of_header
from holdfast.masking.budget import Budget
from holdfast.masking.force import Force
from holdfast.masking.keys import KeyForces
from holdfast.masking.labels import is_no_prose
from holdfast.masking.named.cell import has_digit, is_kind, is_mostly_digits
from holdfast.masking.persons import told
from holdfast.masking.place import Place
from holdfast.masking.unscanned import LeafError
from holdfast.masking.words import name_context

_HEADER_ROWS_MAX: Final = 8  # titles and empty rows above the header of a sheet
_PAIR: Final = 2
_COUPLES_MAX: Final = 256  # names with their values in one flat array
_GROUPS_MAX: Final = 12  # one value in groups: a card in four, an IBAN in nine
_GROUP_CHARS_MAX: Final = 9  # two of a card's groups, with a hyphen
_FLAG: Final = re.compile(r"--?([A-Za-z][\w.-]{1,63})")
_NAME: Final = re.compile(r"[^\W\d_][\w .:#/()'-]{0,63}")


@dataclasses.dataclass(frozen=True, slots=True)
class _Group:
    """A force over one part of a value, which says nothing by itself."""

    id: str
    entity: str

    def wants(self, text: str, timeout_s: float) -> bool:  # noqa: ARG002 -- a Force
        """Any text but an empty one."""
        return bool(text)


class Arrays:
    """Says for each item of an array what its place in the array says."""

    def __init__(self, forces: KeyForces, budget: Budget) -> None:
        self._forces = forces
        self._budget = budget

    def places(self, value: list[Json], place: Place) -> list[Place]:
        """The places of the items of ``value``, which stands at ``place``.

        Raises:
            LeafError: a rule takes too long over a value.
        """
        around = place.around
        columns = None if around is None else around.columns
        places = [place.item(index) for index in range(len(value))]
        if not value:
            return places
        if around is not None and columns is not None and (around.is_row or is_by_column(value, columns)):
            return [self._under(one, columns, index) for index, one in enumerate(places)]
        if isinstance(value[0], list | dict):
            return self._rows(value, places, columns)
        if place.force is None:
            if "header" in place.context or self._is_alternating(value):
                return self._named_before(value, places)
            return self._flagged(value, places)
        return self._grouped(value, places, place.force) if _is_grouped(value) else places

    def _rows(self, value: list[Json], places: list[Place], columns: Columns | None) -> list[Place]:
        for index, item in enumerate(value):
            cells = cells_of(item)
            if cells is None or self._is_said(item, cells):
                continue
            if columns is None and index < _HEADER_ROWS_MAX and len(value) > 1:
                columns = self._header(cells)
                row = self._pair(cells)
            else:
                row = self._pair(cells) or columns
            if row is not None:
                places[index] = dataclasses.replace(places[index], around=Around(row, is_row=True))
        return places

    def _is_said(self, item: Json, cells: list[Json]) -> bool:
        """Whether a rule is about the name under which ``item`` has its ``cells``: then none of them is a name."""
        return isinstance(item, dict) and any(
            inner is cells and self._forces.of(name) is not None for name, inner in item.items()
        )

    def _header(self, cells: Sequence[Json]) -> Columns | None:
        """The columns that a row names, where all of it reads as names and a rule is about one of them."""
        texts = texts_of_header(cells)
        if texts is None or not all(_NAME.fullmatch(text) for text in texts if text):
            return None
        texts = told(texts)
        named = [self._forces.of(text) is not None for text in texts]
        # Data has digits; a name has some only where a rule knows the name, or behind what it says.
        unknown = [text for known, text in zip(named, texts, strict=True) if text and not known]
        is_data = is_mostly_digits if len(texts) > _PAIR else has_digit
        if not any(named) or any(map(is_data, unknown)) or (unknown and all(map(is_kind, unknown))):
            return None
        return tuple((text,) for text in texts)

    def _pair(self, cells: Sequence[Json]) -> Columns | None:
        """The columns of a row of two that is a name and its value."""
        if len(cells) != _PAIR or not isinstance(cells[0], str) or not _NAME.fullmatch(cells[0]):
            return None
        if isinstance(cells[1], str) and is_kind(cells[1]):
            return None  # a column and its type
        return ((), (cells[0],)) if self._forces.of(cells[0]) is not None else None

    def _under(self, place: Place, columns: Columns, index: int) -> Place:
        names = columns[index] if index < len(columns) else ()
        if not names:
            return place
        name = next((name for name in names if self._forces.of(name) is not None), names[0])
        return dataclasses.replace(place, context=name_context(name), force=self._forces.of(name) or place.force)

    def _flagged(self, value: list[Json], places: list[Place]) -> list[Place]:
        """A command line as its arguments: what follows ``--password``."""
        for index, item in enumerate(value[:-1]):
            match = _FLAG.fullmatch(item) if isinstance(item, str) and item.startswith("-") else None
            following = value[index + 1]
            if match is not None and isinstance(following, str) and not following.startswith("-"):
                force = self._forces.of(match[1])
                if force is not None:
                    places[index + 1] = dataclasses.replace(places[index + 1], force=force)
        return places

    def _is_alternating(self, value: list[Json]) -> bool:
        """Whether ``value`` is names, each before its value, as Redis answers: one that matters before no word."""
        if len(value) < 2 * _PAIR or len(value) % _PAIR or len(value) > 2 * _COUPLES_MAX:
            return False
        names = value[::2]
        if not all(isinstance(name, str) and _NAME.fullmatch(name) and not is_mostly_digits(name) for name in names):
            return False
        return any(
            is_no_prose(item) and self._forces.of(str(name)) is not None and self._forces.of(str(item)) is None
            for name, item in zip(names, value[1::2], strict=True)
        )

    def _named_before(self, value: list[Json], places: list[Place]) -> list[Place]:
        """Headers of HTTP one after the other, as servers keep them raw, and hashes: a name, its value, a name."""
        for index in range(0, len(value) - 1, 2):
            name = value[index]
            force = self._forces.of(name) if isinstance(name, str) and _NAME.fullmatch(name) else None
            if force is not None:
                places[index + 1] = dataclasses.replace(places[index + 1], force=force)
        return places

    def _grouped(self, value: list[Json], places: list[Place], force: Force) -> list[Place]:
        """One value, written as the array of its groups: none of them is what the rule is about, all together are."""
        groups = [str(item) for item in value]
        try:
            if any(force.wants(group, self._budget.search_s) for group in groups):
                return places
            if not force.wants("".join(groups), self._budget.search_s):
                return places
        except TimeoutError:
            raise LeafError(f"rule {force.id} takes too long over a value") from None
        group = _Group(force.id, force.entity)
        return [dataclasses.replace(place, force=group) for place in places]


def _is_grouped(value: list[Json]) -> bool:
    return 1 < len(value) <= _GROUPS_MAX and all(
        isinstance(item, str | int) and not isinstance(item, bool) and 0 < len(str(item)) <= _GROUP_CHARS_MAX
        for item in value
    )
