"""The columns of a table of HTML."""

from holdfast.masking.named.cell import NAME_CHARS_MAX


class Grid:
    """What the cells of the last row of headers said, as far as the tags of a text have been read."""

    def __init__(self) -> None:
        self._heads: list[str] = []
        self._index = -1
        self._is_head = False

    def enter(self, name: str) -> tuple[str, ...]:
        """Be told of the next element, in lower case; what its column is called, if that is known."""
        if name in ("table", "tr"):
            self._heads = [] if name == "table" else self._heads
            self._index, self._is_head = -1, name == "tr"
        elif name in ("th", "td"):
            self._index += 1
            if name == "td" or not self._is_head:
                self._is_head = False
                return tuple(self._heads[self._index : self._index + 1])
            self._heads = self._heads[: self._index]
        return ()

    def say(self, content: str) -> None:
        """Be told what an element ``th`` holds."""
        if self._is_head and self._index >= 0:
            self._heads = [*self._heads[: self._index], content[:NAME_CHARS_MAX]]
