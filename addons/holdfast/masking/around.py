"""What the structure around a value says about it: the columns of a table, or the name of a collection."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.jsontext import Json, JsonObject
from holdfast.masking.force import Force
from holdfast.masking.labels import Role, role_of, says_something
from holdfast.masking.persons import told
from holdfast.masking.words import name_words

COLUMNS_MAX: Final = 1024  # wider tables are matrices
_NAME_CHARS_MAX: Final = 64
# Members that list the columns of a table, by the last word of their name.
_HEAD_TEXT: Final = """columns column cols fields field headers header heads headings heading names name keys labels
titles attributes attrs meta metadata schema info type types variables"""
_HEADS: Final = frozenset(_HEAD_TEXT.split())
# Members that hold one row.
_ROWS: Final = frozenset({"row", "record", "tuple", "cells", "values", "data", "result"})

type Columns = tuple[tuple[str, ...], ...]  # what each column may be called


@dataclasses.dataclass(frozen=True, slots=True)
class Around:
    """``columns`` are those of rows below, or of the very array, where ``is_row``.

    ``collection`` is the rule for what an object holds that is called by a plural: ``{"passwords": {"root": …}}``.
    ``bound`` is what a query beside it calls the members of an object, by their own names.
    """

    columns: Columns | None = None
    is_row: bool = False
    collection: Force | None = None
    bound: tuple[tuple[str, str], ...] = ()


def columns_in(value: JsonObject) -> Columns | None:
    """The columns that a member of ``value``, or of an object right in it, lists; None where none does."""
    if all(item.__class__ is str for item in value.values()):
        return None  # most objects
    for name, item in _arrays_in(value):
        columns = _columns(name, item)
        if columns is not None:
            return columns
    return None


def _arrays_in(value: JsonObject) -> Iterator[tuple[str, list[Json]]]:
    for name, item in value.items():
        if isinstance(item, list):
            yield name, item
        elif isinstance(item, dict):
            yield from ((inner_name, inner) for inner_name, inner in item.items() if isinstance(inner, list))


def is_row_name(name: str) -> bool:
    """Whether a member of this name may hold one row."""
    words = name_words(name)
    return bool(words) and words[-1] in _ROWS


def cells_of(item: Json) -> list[Json] | None:
    """The cells of a row: an array, or an object that holds little else (``{"cells": […]}``, ``{"f": […]}``)."""
    if isinstance(item, list):
        return item
    if not isinstance(item, dict) or not 0 < len(item) <= 2:  # noqa: PLR2004 -- its cells, and a number or style
        return None
    found = [inner for name, inner in item.items() if isinstance(inner, list) and name_words(name)[-1:] != ("meta",)]
    return found[0] if len(found) == 1 else None


def texts_of_header(cells: Sequence[Json]) -> list[str] | None:
    """The texts of a row that may be a header; None where a cell is none."""
    if not 0 < len(cells) <= COLUMNS_MAX:
        return None
    texts: list[str] = []
    for cell in cells:
        text = next(iter(cell.values())) if isinstance(cell, dict) and len(cell) == 1 else cell
        if not isinstance(text, str) or len(text) > _NAME_CHARS_MAX:
            return None
        texts.append(text)
    return texts


def is_by_column(rows: Sequence[Json], columns: Columns) -> bool:
    """Whether ``rows`` are columns: as many arrays as there are names, and not of that length."""
    if len(rows) != len(columns):
        return False
    return all(isinstance(row, list) for row in rows) and any(len(row) != len(columns) for row in _lists(rows))


def _lists(rows: Sequence[Json]) -> Iterator[list[Json]]:
    return (row for row in rows if isinstance(row, list))


def _columns(name: str, items: list[Json]) -> Columns | None:
    words = name_words(name)
    if not words or words[-1] not in _HEADS or not 0 < len(items) <= COLUMNS_MAX:
        return None
    columns: list[tuple[str, ...]] = []
    for item in items:
        names = (item,) if isinstance(item, str) else _names_in(item) if isinstance(item, dict) else ()
        if not names:
            return None
        columns.append(tuple(one for one in names if says_something(one)))
    firsts = [names[0] if names else "" for names in columns]
    persons = [(name,) if name != first else () for name, first in zip(told(firsts), firsts, strict=True)]
    return tuple((*person, *names) for person, names in zip(persons, columns, strict=True))


def _names_in(item: JsonObject) -> tuple[str, ...]:
    return tuple(
        said for name, said in item.items() if isinstance(said, str) and role_of(name) in (Role.LABEL, Role.KIND)
    )
