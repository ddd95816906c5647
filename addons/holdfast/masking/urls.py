r"""Presidio's URL patterns in linear time.

Upstream's expression tries up to 253 characters of host from every place, and every ending of over a thousand for each:
4 kB of ``a.a.a.…`` take seconds. All that it can match is a stretch of host characters up to a dot that a top-level
domain follows (a *stop* here), and a path. So the stops are looked up first, and each search begins near one.

The endings are read from upstream's own expression; one that is written in another way is searched as any pattern is.
"""

import bisect
import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.approx import Approximation, approximation_of
from holdfast.masking.budget import Budget
from holdfast.masking.literals import with_ascii_letters
from holdfast.masking.prefilter import Hits
from holdfast.masking.search import Spans
from holdfast.masking.view import View

HOST_CHARS_MAX: Final = 253
_PATTERN: Final = re.compile(
    r"\(\?i\)(?P<quote>\[\"\\'\]\()?(?P<scheme>\(\?:https\?://\)|https\?://)?"
    r"\(\(www\\d\{0,3\}\[\.\]\)\?\[a-z0-9\.\\-\]\{1,253\}\[\.\]\(\?:(?P<domains>\(\?:[a-z0-9-]+\)(?:\|\(\?:[a-z0-9-]+\))*)\)"
    r"\(\?:/\[\^\\s\(\)<>\\?\"'\]\*\)\?\)(?P<unquote>\)\[\"\\'\])?"
)
_HOST_CHARS: Final = r"a-z0-9.\-"
_HOST: Final = re.compile(rf"[{_HOST_CHARS}]+", re.IGNORECASE | re.ASCII)
_HOST_BEFORE: Final[Any] = regex.compile(rf"(?r)[{_HOST_CHARS}]*", regex.IGNORECASE | regex.ASCII)
_DOMAIN: Final = re.compile(r"\.(?=([a-zA-Z0-9][a-zA-Z0-9-]{0,63}))")
_WWW_BEFORE: Final = regex.compile(r"(?r)www\d{0,3}", regex.IGNORECASE)
_WWW_DIGITS: Final[Any] = regex.compile("[0-9]{0,2}")
_WWW: Final = regex.compile(r"www\d{0,3}[.]", regex.IGNORECASE)
_WWW_CHARS_MAX: Final = 7
_SCHEME: Final = re.compile("https?://", re.IGNORECASE | re.ASCII)
_QUOTED: Final = re.compile("[\"'](?=[a-zA-Z0-9.\\-])")
_QUOTED_SCHEME: Final = re.compile("[\"']https?://", re.IGNORECASE | re.ASCII)
_PATH: Final = regex.compile(r"/[^\s()<>\"']*")


def url_search(pattern: str, flags: int) -> Spans | None:
    """The quick way to search for one of upstream's URL patterns; None where ``pattern`` is not known as one."""
    known = _PATTERN.fullmatch(pattern)
    if known is None or bool(known["quote"]) != bool(known["unquote"]) or not flags & regex.IGNORECASE:
        return None
    hosts = _reader(tuple(known["domains"][3:-1].split(")|(?:")))
    scheme = "https?://" if known["scheme"] else ""
    if known["quote"]:
        # All domains take a large automaton, so only the most general of the patterns has them.
        host = rf"(?:www\d{{0,3}}[.])?[{_HOST_CHARS}]+[.][a-z0-9-]+"
        seen = approximation_of(rf"[\"']{scheme}{host}[/\"']", flags)
        return _UrlSearch(seen, hosts, _quoted_with_scheme if scheme else _quoted)
    if scheme:
        return _UrlSearch(approximation_of(rf"{scheme}[{_HOST_CHARS}]", flags), hosts, _with_scheme)
    return _UrlSearch(approximation_of(pattern, flags), hosts, _without_scheme)


class _Hosts:
    """The hosts of one text."""

    def __init__(self, text: str, domains: dict[str, int], longest: int) -> None:
        """``domains`` with the rank of each, and how many characters the longest of them has."""
        self.text = text
        self.plain = with_ascii_letters(text)
        self._run = (0, 0)  # the one that was asked for last: most often the next is asked for the same
        self._domains = domains
        self.stops: list[int] = []  # dots
        self.ends: list[int] = []  # for each: where the domain behind it ends
        for match in _DOMAIN.finditer(self.plain):
            label = match.group(1)[:longest].lower()
            fitting = [label[:size] for size in range(2, len(label) + 1) if label[:size] in domains]
            if fitting:
                self.stops.append(match.start())
                self.ends.append(match.end() + len(min(fitting, key=domains.__getitem__)))

    def run_at(self, at: int) -> tuple[int, int] | None:
        """The run of host characters that holds ``at``."""
        if not self._run[0] <= at < self._run[1]:
            behind = _HOST.match(self.plain, at)
            if behind is None:
                return None
            self._run = (_HOST_BEFORE.match(self.plain, 0, at).start(), behind.end())
        return self._run

    def last_stop(self, start: int) -> int | None:
        """The index of the furthest stop that a host from ``start`` on can reach, if any."""
        run = self.run_at(start)
        if run is None:
            return None
        index = bisect.bisect_right(self.stops, min(start + HOST_CHARS_MAX, run[1] - 1)) - 1
        return index if index >= 0 and self.stops[index] > start else None

    def open_end(self, start: int) -> int | None:
        """Where an address that begins at ``start`` ends; None where none does."""
        www = _WWW.match(self.text, start)
        index = self.last_stop(www.end()) if www else None
        if index is None:
            index = self.last_stop(start)
        if index is None:
            return None
        path = _PATH.match(self.text, self.ends[index])
        return path.end() if path else self.ends[index]

    def closed_end(self, start: int) -> int | None:
        """Where an address that begins at ``start`` and a quote that follows end; None where there are none such."""
        www = _WWW.match(self.text, start)
        for first in (www.end(), start) if www else (start,):
            run = self.run_at(first)
            if run is None:
                continue
            # Neither quote nor path can stand in a host, so the domain is what the run ends with.
            dot = self.plain.rfind(".", first + 1, run[1])
            if dot < 0 or dot > first + HOST_CHARS_MAX or self.plain[dot + 1 : run[1]].lower() not in self._domains:
                continue
            path = _PATH.match(self.text, run[1])
            end = path.end() if path else run[1]
            if self.text[end : end + 1] in ("'", '"'):
                return end + 1
        return None


class _UrlSearch:
    """One of the four patterns."""

    def __init__(
        self,
        approximation: Approximation | None,
        read: Callable[[str], _Hosts],
        find: Callable[[_Hosts], list[tuple[int, int]]],
    ) -> None:
        self.approximation = approximation
        self.filter: int | None = None
        self.needs_digit = False
        self.is_foreign = False
        self._read = read
        self._find = find

    def spans(self, view: View, hits: Hits | None, budget: Budget) -> Sequence[tuple[int, int]]:
        """Where the matches stand, in order."""
        if hits is not None and self.filter is not None:
            if self.filter not in hits:
                return ()
        elif "." not in view.text:
            return ()
        budget.spend(view.length)
        hosts = view.kept(self._read)
        return self._find(hosts) if hosts.stops else ()


def _with_scheme(hosts: _Hosts) -> list[tuple[int, int]]:
    return _in_turn(hosts, _SCHEME, hosts.open_end)


def _quoted(hosts: _Hosts) -> list[tuple[int, int]]:
    return _in_turn(hosts, _QUOTED, hosts.closed_end)


def _quoted_with_scheme(hosts: _Hosts) -> list[tuple[int, int]]:
    return _in_turn(hosts, _QUOTED_SCHEME, hosts.closed_end)


def _in_turn(hosts: _Hosts, beginning: re.Pattern[str], end_of: Callable[[int], int | None]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for match in beginning.finditer(hosts.plain):
        if found and match.start() < found[-1][1]:
            continue
        end = end_of(match.end())
        if end is not None:
            found.append((match.start(), end))
    return found


def _without_scheme(hosts: _Hosts) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = index = 0
    while index < len(hosts.stops):
        start = _first_start(hosts, index, at) if hosts.stops[index] > at else None
        end = hosts.open_end(start) if start is not None else None
        if start is None or end is None:
            index += 1
            continue
        found.append((start, end))
        at = end
        index = bisect.bisect_right(hosts.stops, at, index)
    return found


def _first_start(hosts: _Hosts, index: int, at: int) -> int | None:
    """Where the first address from ``at`` on begins whose host reaches the stop of that index; None where none does."""
    stop = hosts.stops[index]
    run = hosts.run_at(stop) or (stop, stop)
    first = max(at, run[0])
    if first == run[0]:
        # The digits of "www2." may be of any script, and then the run begins behind them, or with the last of them.
        dot = _WWW_DIGITS.match(hosts.text, first).end()
        www = _WWW_BEFORE.match(hosts.text, at, dot) if hosts.text[dot : dot + 1] == "." else None
        if www and www.start() < first and hosts.last_stop(dot + 1) is not None:
            return int(www.start())
    # Before the 253 characters of a host there may be a "www.", "www2.".
    for start in range(max(first, stop - HOST_CHARS_MAX - _WWW_CHARS_MAX), max(first, stop - HOST_CHARS_MAX)):
        if _reaches(hosts, start, stop):
            return start
    start = max(first, stop - HOST_CHARS_MAX)
    return start if start < stop else None


def _reaches(hosts: _Hosts, start: int, stop: int) -> bool:
    www = _WWW.match(hosts.text, start)
    return www is not None and www.end() < stop <= www.end() + HOST_CHARS_MAX


@functools.cache
def _reader(domains: tuple[str, ...]) -> Callable[[str], _Hosts]:
    """What looks up the hosts of a text; upstream takes the first domain that fits."""
    ranks = {domain: rank for rank, domain in reversed(list(enumerate(domains)))}
    longest = max(map(len, domains))
    return lambda text: _Hosts(text, ranks, longest)
