"""Where each character of a text came from: kept in pieces, and looked up when something was found there.

Most spellings of a text hold nothing, so nobody asks where their characters came from. What is kept of one is where its
pieces begin, and where those began in the text that it was made of; that text may have been made of another.
"""

import bisect
from collections.abc import Iterable, Sequence

type Layer = tuple[Sequence[int], Sequence[int]]  # where pieces begin, and what each is from


class Origins:
    """For each index in a text, its end included, the index in the original. Never descends.

    Within a piece both go on one by one. So what stands for one thing of the original is a piece for each character.
    """

    __slots__ = ("_firsts", "_froms", "_layers")

    def __init__(self, firsts: Sequence[int], froms: Sequence[int], before: Sequence[Layer] = ()) -> None:
        """``firsts`` are the indices at which pieces begin, in order, the first of them 0; ``froms`` what each is from.

        Where several begin at one index, all but the last are empty. ``before`` says where ``froms`` themselves are
        from, the last made first; nothing where they are indices in the original.
        """
        self._firsts = firsts
        self._froms = froms
        self._layers: tuple[Layer, ...] = ((firsts, froms), *before)

    def __getitem__(self, index: int) -> int:
        for firsts, froms in self._layers:
            piece = bisect.bisect_right(firsts, index) - 1
            index += froms[piece] - firsts[piece]
        return index

    def beyond(self, base: "Origins") -> "Origins":
        """These, of a text that was made of one whose origins are ``base``."""
        return Origins(self._firsts, self._froms, (*self._layers[1:], *base._layers))  # noqa: SLF001 -- its own kind

    def index_of(self, place: int) -> int:
        """The first index that is from ``place`` or behind it, in the text that this one was made of."""
        piece = bisect.bisect_left(self._froms, place) - 1
        if piece < 0:
            return 0
        index = self._firsts[piece] + place - self._froms[piece]
        return min(index, self._firsts[piece + 1]) if piece + 1 < len(self._firsts) else index


def from_place(place: int) -> Origins:
    """Those of a part that begins at ``place`` of the original and is as it stands there."""
    return Origins((0,), (place,))


class Pieces:
    """Collects the pieces of a text that is being written."""

    __slots__ = ("_firsts", "_froms", "length")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._froms: list[int] = []
        self.length = 0

    def copy(self, start: int, end: int) -> None:
        """What is written next is ``start:end`` as it stands."""
        self._firsts.append(self.length)
        self._froms.append(start)
        self.length += end - start

    def stand(self, place: int, count: int) -> None:
        """The next ``count`` characters stand for what begins at ``place``."""
        first = self.length
        self.length += count
        self._firsts.extend(range(first, self.length))
        self._froms.extend([place] * count)

    def stand_all(self, place: int, units: Iterable[tuple[str, int]], parts: list[str]) -> int:
        """What is written next are ``units``: texts, each for so many characters from ``place`` on; put into ``parts``.

        Returns the place behind them.
        """
        firsts, froms, length = self._firsts, self._froms, self.length
        for shown, width in units:
            parts.append(shown)
            for _ in shown:
                firsts.append(length)
                froms.append(place)
                length += 1
            place += width
        self.length = length
        return place

    def done(self, end: int) -> Origins:
        """The origins, ``end`` being where what was written anew ends."""
        self.copy(end, end)
        return Origins(self._firsts, self._froms)
