"""The columns of a table of HTML."""

from holdfast.masking.named.cell import NAME_CHARS_MAX
from holdfast.masking.persons import told


class Grid:
    """What the cells of the last row of headers said, as far as the tags of a text have been read."""

    def __init__(self) -> None:
        self._heads: list[str] = []
        self._columns: list[str] | None = None  # what the heads call them, once they are all known
        self._first: list[str] = []  # what the cells of the first row say, which may be heads too
        self._rows = 0
        self._index = -1
        self._is_head = False

    def enter(self, name: str) -> tuple[str, ...]:
        """Be told of the next element, in lower case; what its column is called, if that is known."""
        if name in ("table", "tr"):
            if name == "table":
                self._heads, self._columns, self._first, self._rows = [], None, [], 0
            self._rows += name == "tr"
            self._index, self._is_head = -1, name == "tr"
        elif name in ("th", "td"):
            self._index += 1
            if name == "td" or not self._is_head:
                self._is_head = False
                self._columns = told(self._heads) if self._columns is None else self._columns
                return tuple(self._columns[self._index : self._index + 1])
            self._heads, self._columns = self._heads[: self._index], None
        return ()

    def first(self) -> str:
        """What the cell of the first row says that stands over this one, where no row of headers is known."""
        is_known = bool(self._heads) or self._rows <= 1 or not 0 <= self._index < len(self._first)
        return "" if is_known else self._first[self._index]

    def say(self, content: str) -> None:
        """Be told what an element ``th``, or ``td`` of a first row, holds."""
        if self._rows == 1 and not self._heads and self._index >= 0:
            self._first = [*self._first[: self._index], content[:NAME_CHARS_MAX]]
        if self._is_head and self._index >= 0:
            self._heads, self._columns = [*self._heads[: self._index], content[:NAME_CHARS_MAX]], None
