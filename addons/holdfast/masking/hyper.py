"""The prefilter by Hyperscan: all texts in one scan, which says where in which text an approximation ends."""

import functools
import hashlib
import importlib.metadata
import json
import operator
import platform
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import hyperscan

from holdfast.masking.approx import NEVER, Approximation
from holdfast.masking.automata import Automata
from holdfast.masking.compiling import database_of, dumped_apart
from holdfast.masking.prefilter import Hits
from holdfast.masking.trial import is_sound
from holdfast.masking.unscanned import LeafError
from holdfast.masking.view import Show, shown

HITS_FREE: Final = 2048  # hits of one scan that are taken in any case, some 0.5 us each
HITS_TOGETHER: Final = 12_288  # the same of several texts: some thousand numbers, each of them all a text
CHARS_PER_HIT: Final = 2  # more hits than that in several texts: each is scanned by itself
HITS_FREE_EACH: Final = 64  # of one pattern in one text; where there are more, it is searched all over the text
CHARS_PER_HIT_EACH: Final = 32
HITS_PER_CHAR: Final = 16  # where more patterns are all over a text, it is quicker to search it pattern by pattern
_TOO_MANY: Final = "there are more places to look at than there is time for"
APART_COUNT_MIN: Final = 32  # patterns, some 10 ms each; for fewer, a process of its own is not worth its start
_BUILT_COUNT_MAX: Final = 8  # sets of rules in one process: those in force, and some that are tried
_FORMAT: Final = 1  # of what is kept on disk
_SEPARATOR: Final = b"\n"


class HyperscanPrefilter:
    """Two databases: one for ASCII texts, one for the others."""

    name = "hyperscan"

    def __init__(self, narrow: Any, wide: Any) -> None:
        self._databases = (narrow, wide)
        self._local = threading.local()  # a scratch serves one scan at a time

    def scan(self, texts: Sequence[str], hits_max: int | None = None, show: Show = shown) -> list[Hits | None]:
        """For each text, where approximations end in it; None for one that is full of them.

        Raises:
            LeafError: they end in more than ``hits_max`` places.
        """
        found: list[Hits | None] = [None] * len(texts)
        for wide in (False, True):
            places = [at for at, text in enumerate(texts) if text.isascii() != wide]
            if places:
                parts = [show(texts[at]) for at in places]
                for at, hits in zip(places, self._scan(parts, int(wide), hits_max), strict=True):
                    found[at] = hits
        return found

    def _scan(self, parts: list[bytes], which: int, hits_max: int | None) -> Sequence[Hits | None]:
        if len(parts) == 1:
            return [self._alone(parts[0], which, hits_max)]
        data = _SEPARATOR.join(parts)
        raw: list[tuple[int, int]] = []
        take = raw.append
        count_max = _least(HITS_TOGETHER + len(data) // CHARS_PER_HIT, hits_max)

        def hit(number: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            take((number, end))
            return len(raw) > count_max or None

        if not self._is_scanned(data, which, hit):
            if hits_max is not None and len(raw) > hits_max:
                raise LeafError(_TOO_MANY)
            return [self._alone(part, which, hits_max) for part in parts]  # some of them are full of hits
        found: list[Hits] = [{} for _ in parts]
        raw.sort(key=operator.itemgetter(1))  # mostly they come so
        at, start, stop = 0, 0, len(parts[0])
        each_max = _each_max(parts[0])
        for number, end in raw:
            while end > stop + 1:
                at += 1
                start = stop + 1
                stop = start + len(parts[at])
                each_max = _each_max(parts[at])
            # What ends with the separator may ask for an end of the text.
            ends = found[at].get(number)
            if ends is None:
                found[at][number] = [min(end, stop) - start]
            elif ends and len(ends) < each_max:
                ends.append(min(end, stop) - start)
            else:
                ends.clear()
        return found

    def _alone(self, part: bytes, which: int, hits_max: int | None) -> Hits | None:
        found: Hits = {}
        known = found.get
        each_max = _each_max(part)
        full_left = HITS_PER_CHAR + HITS_FREE // max(1, len(part))
        left = hits_max or 0

        def hit(number: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            nonlocal full_left
            ends = known(number)
            if ends is None:
                found[number] = [end]
            elif ends:  # else it was all over the text already: most hits are such, and nothing more is done about them
                if len(ends) < each_max:
                    ends.append(end)
                    return None
                ends.clear()
                full_left -= 1
                return full_left < 0 or None
            return None

        def counted_hit(*place: Any) -> bool | None:
            nonlocal left
            left -= 1
            return left < 0 or hit(*place)

        if self._is_scanned(part, which, hit if hits_max is None else counted_hit):
            return found
        if left < 0:
            raise LeafError(_TOO_MANY)
        return None

    def _is_scanned(self, data: bytes, which: int, hit: Callable[..., bool | None]) -> bool:
        try:
            self._databases[which].scan(data, match_event_handler=hit, scratch=self._scratch(which))
        except hyperscan.ScanTerminated:
            return False
        return True

    def _scratch(self, which: int) -> Any:
        known: dict[int, Any] = self._local.__dict__.setdefault("scratches", {})
        if which not in known:
            known[which] = hyperscan.Scratch(self._databases[which])
        return known[which]


def _each_max(part: bytes) -> int:
    return HITS_FREE_EACH + len(part) // CHARS_PER_HIT_EACH


def _least(most: int, hits_max: int | None) -> int:
    return most if hits_max is None else min(most, hits_max)


@functools.lru_cache(maxsize=_BUILT_COUNT_MAX)
def build(
    patterns: tuple[Approximation, ...], automata: Automata | None = None
) -> tuple[HyperscanPrefilter, frozenset[int]]:
    """The prefilter of ``patterns``, and the numbers of those that it knows; from ``automata``, where it is there.

    Raises:
        ImportError: the library that is installed loses matches.
    """
    if not is_sound():
        version = importlib.metadata.version("hyperscan")
        raise ImportError(f"hyperscan {version} loses matches; install the version that requirements.lock names")
    name = _name(patterns)
    kept = automata.read(name) if automata is not None else None
    built = _loaded(kept) if kept is not None else None
    if built is None:
        built = _compiled(patterns)
        if automata is not None:
            automata.write(name, _dumped(*built))
    numbers, databases = built
    return HyperscanPrefilter(*databases), frozenset(numbers)


def _name(patterns: tuple[Approximation, ...]) -> str:
    stated = (_FORMAT, importlib.metadata.version("hyperscan"), platform.machine(), sys.platform, patterns)
    return hashlib.sha256(repr(stated).encode()).hexdigest()


def _dumped(numbers: Sequence[int], databases: tuple[Any, Any]) -> bytes:
    parts = [json.dumps(list(numbers)).encode(), *(hyperscan.dumpb(database) for database in databases)]
    return b"".join(struct.pack(">Q", len(part)) + part for part in parts)


def _loaded(data: bytes) -> tuple[Sequence[int], tuple[Any, Any]] | None:
    """What :func:`_dumped` made, which the caller vouches for; None where it is of another kind of processor."""
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">Q", data, at)
        parts.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    numbers, *dumped = parts
    databases = _databases_of(dumped)
    return None if databases is None else (json.loads(numbers), databases)


def _databases_of(dumped: list[bytes]) -> tuple[Any, Any] | None:
    try:
        narrow, wide = (hyperscan.loadb(part, hyperscan.HS_MODE_BLOCK) for part in dumped)
    except hyperscan.HyperscanError:
        return None
    return narrow, wide


def _compiled(patterns: tuple[Approximation, ...]) -> tuple[Sequence[int], tuple[Any, Any]]:
    numbers = tuple(range(len(patterns)))
    apart = dumped_apart(_expressions(patterns, numbers)) if len(patterns) >= APART_COUNT_MIN else None
    databases = _databases_of(apart) if apart is not None else None
    if databases is not None:
        return numbers, databases
    try:
        return numbers, _databases(patterns, numbers)
    except hyperscan.HyperscanError:
        numbers = tuple(number for number in numbers if _compiles(patterns[number]))
        return numbers, _databases(patterns, numbers)


def _compiles(pattern: Approximation) -> bool:
    try:
        _databases((pattern,), (0,))
    except hyperscan.HyperscanError:
        return False
    return True


def _databases(patterns: Sequence[Approximation], numbers: tuple[int, ...]) -> tuple[Any, Any]:
    narrow, wide = _expressions(patterns, numbers)
    return database_of(narrow), database_of(wide)


def _expressions(patterns: Sequence[Approximation], numbers: tuple[int, ...]) -> tuple[dict[int, str], dict[int, str]]:
    """For ASCII texts and for others; one that never matches where Hyperscan can read none of the patterns."""
    none = {0: NEVER}
    narrow, wide = ({number: getattr(patterns[number], kind) for number in numbers} for kind in ("ascii", "wide"))
    return narrow or none, wide or none
