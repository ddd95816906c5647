"""The checkpoints of a package, sizes and roots only: 40 bytes for each, since there may be one for every Record."""

import array
from collections.abc import Iterator, Sequence
from typing import Final, overload

from holdfast.evidence.files.scope import Mark

_ROOT_BYTES: Final = 32


class Marks(Sequence[Mark]):
    """Marks in the order of their sizes."""

    def __init__(self) -> None:
        self._sizes: Final = array.array("Q")
        self._roots: Final = bytearray()

    def append(self, mark: Mark) -> None:
        """One more."""
        self._sizes.append(mark.size)
        self._roots.extend(mark.root)

    def sizes(self) -> Iterator[int]:
        """The sizes alone."""
        return iter(self._sizes)

    def __len__(self) -> int:
        return len(self._sizes)

    @overload
    def __getitem__(self, place: int) -> Mark: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Mark]: ...
    def __getitem__(self, place: int | slice) -> Mark | Sequence[Mark]:
        if isinstance(place, slice):
            return tuple(self[index] for index in range(*place.indices(len(self))))
        size = self._sizes[place]
        at = (place % len(self._sizes)) * _ROOT_BYTES
        return Mark(size, bytes(self._roots[at : at + _ROOT_BYTES]))
