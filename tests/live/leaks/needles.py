"""Thousands of values looked for at once: by their first eight bytes, then whole."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from tests.live.leaks.planted import Planted, spellings

_HEAD_BYTES: Final = 8
_BEGINNING: Final = 0xFFFFFF  # the first three bytes of a head, which most places do not have
_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")


class Needles:
    """Every spelling of every planted value."""

    def __init__(self, planted: Iterable[Planted]) -> None:
        self._by_head: dict[bytes, list[tuple[bytes, Planted]]] = {}
        for value in planted:
            for form in set(spellings(value)):
                if len(form) >= _HEAD_BYTES:
                    self._by_head.setdefault(form[:_HEAD_BYTES], []).append((form, value))
        self._heads: Any = np.unique(np.frombuffer(b"".join(self._by_head), dtype="<u8"))
        self._may_begin: Any = np.zeros(_BEGINNING + 1, dtype=bool)
        self._may_begin[self._heads & _BEGINNING] = True

    def found_in(self, data: bytes) -> Iterator[Planted]:
        """The values that stand in ``data``."""
        for at in self._places(data):
            for form, value in self._by_head.get(data[at : at + _HEAD_BYTES], ()):
                if data.startswith(form, at) and not (form.isdigit() and _is_inside_number(data, at, len(form))):
                    yield value

    def _places(self, data: bytes) -> Iterator[int]:
        for shift in range(_HEAD_BYTES):
            count = (len(data) - shift) // _HEAD_BYTES
            if count <= 0:
                return
            words: Any = np.frombuffer(data, dtype="<u8", count=count, offset=shift)
            likely = np.flatnonzero(self._may_begin[words & _BEGINNING])
            nearest = np.searchsorted(self._heads, words[likely])
            nearest[nearest == len(self._heads)] = 0
            for index in likely[self._heads[nearest] == words[likely]]:
                yield int(index) * _HEAD_BYTES + shift


def _is_inside_number(data: bytes, at: int, length: int) -> bool:
    """Nine digits stand in many a longer number, and in many a digest, by chance."""
    around = data[max(0, at - 1) : at] + data[at + length : at + length + 1]
    return not _DIGITS.isdisjoint(around)
