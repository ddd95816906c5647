"""Records that are withheld: which ones, and their leaf hashes in `ledger/withheld.txt`, one line for each.

A line is the index, a space, and the leaf hash as base64, in the order of the ledger. The tree over all leaves still
leads to the signed root, so a reader knows how many Records are withheld and that they are these, and nothing else.
"""

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast.errors import EvidenceError
from holdfast.evidence.files.container import Package
from holdfast.evidence.files.entry import Entry
from holdfast.ledger.tree import HASH_BYTES

FILE: Final = "ledger/withheld.txt"
# What the ledger says about itself is never withheld: without it no gap, change or erasure could be judged.
ALWAYS_SHOWN: Final = ("ledger.", "rules.", "witness.", "payload.", "evidence.", "tool.")
_RANGE: Final = re.compile(r"(0|[1-9][0-9]{0,14})(?:-(0|[1-9][0-9]{0,14}))?")
_LINE: Final = re.compile(rb"(0|[1-9][0-9]{0,14}) ([A-Za-z0-9+/]{43}=)")


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """What is asked to be withheld: ranges of indices, both ends included, and everything but some Records.

    ``servers`` and ``subjects``: where either is given, only Records about one of them are shown.
    """

    ranges: tuple[tuple[int, int], ...] = ()
    servers: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The selection as it was typed, in one spelling."""
        ranges = [f"withhold {first}-{last}" for first, last in self.ranges]
        return (
            *ranges,
            *(f"only server={name}" for name in self.servers),
            *(f"only caller={name}" for name in self.subjects),
        )

    def permits(self, index: int) -> bool:
        """Whether Record ``index`` may be withheld, as far as its index alone tells."""
        return bool(self.servers or self.subjects) or any(first <= index <= last for first, last in self.ranges)


def parse_words(words: Iterable[str]) -> Selection:
    """The inverse of :attr:`Selection.words`.

    Raises:
        EvidenceError: another spelling.
    """
    given = tuple(words)
    options: dict[str, list[str]] = {"withhold": [], "only": []}
    for item in given:
        kind, _, text = item.partition(" ")
        options.setdefault(kind, []).append(text)
    selection = parse_selection(options["withhold"], options["only"])
    if selection.words != given:
        raise EvidenceError("AuditInfo.json: says what is withheld in other words than there are")
    return selection


def parse_selection(withhold: Iterable[str], only: Iterable[str]) -> Selection:
    """The selection that the options `--withhold` and `--only` spell.

    Raises:
        EvidenceError: one is no range of indices, or neither a server nor a caller.
    """
    ranges = tuple(sorted({_range(text) for text in withhold}))
    servers: set[str] = set()
    subjects: set[str] = set()
    for text in only:
        kind, _, name = text.partition("=")
        if kind not in {"server", "caller"} or not name:
            raise EvidenceError(f"--only {text!r:.60}: write server=NAME or caller=SUB")
        (servers if kind == "server" else subjects).add(name)
    return Selection(ranges, tuple(sorted(servers)), tuple(sorted(subjects)))


def _range(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
    if last < first:
        raise EvidenceError(f"--withhold {text!r:.60}: write 100-199, or one index")
    return first, last


class Chooser:
    """Fed with the Records of a range in order, says which are shown.

    A Record that names neither server nor caller goes with the Records that it refers to.
    """

    def __init__(self, selection: Selection, start: int) -> None:
        self._selection: Final = selection
        self._start: Final = start
        self._shown: Final = bytearray()

    def shows(self, entry: Entry) -> bool:
        """Whether ``entry`` is shown."""
        is_shown = entry.typ.startswith(ALWAYS_SHOWN) or (self._is_wanted(entry) and not self._is_hidden(entry.index))
        self._shown.append(is_shown)
        return is_shown

    def _is_hidden(self, index: int) -> bool:
        return any(first <= index <= last for first, last in self._selection.ranges)

    def _is_wanted(self, entry: Entry) -> bool:
        servers, subjects = self._selection.servers, self._selection.subjects
        if not servers and not subjects:
            return True
        server, subject = entry.text("dst", "server"), entry.text("who", "sub")
        if server or subject:
            return (not servers or server in servers) and (not subjects or subject in subjects)
        places = [index - self._start for index in entry.refs()]
        return any(0 <= place < len(self._shown) and self._shown[place] for place in places)


def line_of(index: int, leaf: bytes) -> bytes:
    """One line of the file."""
    return b"%d %s\n" % (index, base64.b64encode(leaf))


def read(package: Package) -> Iterator[tuple[int, bytes]]:
    """Index and leaf hash of every withheld Record, in order.

    Raises:
        EvidenceError: a line is none, or out of order.
    """
    last = -1
    for number, line in enumerate(_lines(package), 1):
        match = _LINE.fullmatch(line)
        leaf = _leaf(match[2]) if match else b""
        index = int(match[1]) if match else -1
        if len(leaf) != HASH_BYTES or index <= last:
            raise EvidenceError(f"{FILE}, line {number}: not an index after the last one and a leaf hash")
        last = index
        yield index, leaf


def _leaf(text: bytes) -> bytes:
    try:
        leaf = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return leaf if base64.b64encode(leaf) == text else b""


def _lines(package: Package) -> Iterator[bytes]:
    rest = b""
    for chunk in package.chunks(FILE):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        raise EvidenceError(f"{FILE}: its last line does not end")
