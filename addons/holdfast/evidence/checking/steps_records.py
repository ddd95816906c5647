"""Steps V7 and V8, watching every Record: its form and clocks, and that every Call has its end."""

from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking.case import Case
from holdfast.evidence.checking.walk import Payloads
from holdfast.evidence.files import withheld
from holdfast.evidence.files.entry import Entry
from holdfast.evidence.story.gaps import HEARTBEAT_S
from holdfast.evidence.story.reading import awaits_reply
from holdfast.evidence.story.story import Story
from holdfast.ledger import keyring

_HIDDEN, _CALL, _OTHER = 0, 1, 2  # a mark for each Record, a byte each


class Forms:
    """V7: every Record has the form of its schema, says its own index and ledger, and fits the one before."""

    def __init__(self, case: Case) -> None:
        self._case: Final = case
        self._monos: Final[dict[str, int]] = {}
        self._boot = ""
        self._is_said: Final = withheld.parse_words(case.scope.selection).permits
        self._rotations = 0
        self._hidden = 0

    def see(self, entry: Entry, _payloads: Payloads) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        if entry.text("log") != self._case.scope.origin:
            raise EvidenceError(f"record {entry.index}: it is of another ledger")
        if (entry.typ == "ledger.genesis") != (entry.index == 0):
            raise EvidenceError(f"record {entry.index}: a ledger begins once, with record 0")
        if entry.typ == keyring.TYP:
            self._rotate(entry)
        boot, mono = entry.text("boot"), entry.number("mono") or 0
        if boot != self._boot and boot in self._monos:
            raise EvidenceError(f"record {entry.index}: the process that wrote it had ended before")
        self._boot = boot
        if mono < self._monos.get(boot, 0):
            raise EvidenceError(f"record {entry.index}: the monotonic clock of its process went back")
        self._monos[boot] = mono

    def hide(self, index: int) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._hidden += 1
        if not self._is_said(index):
            raise EvidenceError(f"{withheld.FILE}: record {index} is withheld, and AuditInfo.json does not say so")

    def conclude(self) -> str:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        start, end = self._case.scope.start.size, self._case.scope.end.size
        if self._rotations != sum(start <= rotation.index < end for rotation in self._case.ring.rotations):
            raise EvidenceError("ledger/rotations/: one of them is no Record of the range that it lies in")
        if self._hidden != self._case.scope.withheld_count:
            stated = self._case.scope.withheld_count
            raise EvidenceError(f"ledger/withheld.txt: {self._hidden} Records, where AuditInfo.json says {stated}")
        return f"every Record has its form{not_seen(self._hidden)}"

    def _rotate(self, entry: Entry) -> None:
        # FORMAT.md 4.8: from here on only the new key counts, whoever has the old one.
        try:
            is_known = keyring.rotation_of(entry.body) in self._case.ring.rotations
        except LedgerError as error:
            raise EvidenceError(str(error)) from None
        if not is_known:
            raise EvidenceError(
                f"record {entry.index}: changes the ledger's key, and ledger/rotations/ does not say so"
            )
        self._rotations += 1


def gaps_text(story: Story) -> str:
    """The gaps by kind, for V7."""
    found = ", ".join(f"{count} {kind}" for kind, count in story.gap_kinds().items())
    return f"gaps (heartbeat every {HEARTBEAT_S} s): {found or 'none'}"


def not_seen(count: int) -> str:
    """A clause about Records that a step could not look at; empty where it saw all."""
    return f"; {count} Records are withheld and could not be looked at" if count else ""


class Endings:
    """V8: every Call that went out has a Reply or a recorded reason why not."""

    def __init__(self, case: Case) -> None:
        self._start: Final = case.scope.start.size
        self._marks: Final = bytearray()
        self._open: Final[dict[int, tuple[str, str]]] = {}  # index of a Call: its process and its id
        self._served: Final[dict[str, int]] = {}  # process: its last Call
        self._calls = self._before = self._hidden = 0
        self._last_hidden = -1

    def see(self, entry: Entry, _payloads: Payloads) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._marks.append(_CALL if entry.typ == "call" else _OTHER)
        if entry.typ == "call":
            self._calls += 1
            self._served[entry.text("boot")] = entry.index
            if awaits_reply(entry):
                self._open[entry.index] = entry.text("boot"), entry.text("call")
        elif entry.typ in {"reply", "call.lost"}:
            self._end(entry)

    def hide(self, index: int) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._marks.append(_HIDDEN)
        self._hidden += 1
        self._last_hidden = index

    def conclude(self) -> str:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        unsure = [index for index in self._open if index < self._last_hidden]
        still = [index for index in self._open if index > self._last_hidden]
        for index in still:
            if self._has_moved_on(index):
                raise EvidenceError(f"record {index}: this call has no reply and no recorded reason why not")
        self._check_room([index for index in unsure if self._has_moved_on(index)])
        said = f"{self._calls} calls are accounted for"
        if still:
            said += f"; still unanswered at the end: records {_few(still)}"
        if self._before:
            said += f"; {self._before} replies belong to calls that are before the range or withheld"
        if unsure:
            said += f"; the replies of {len(unsure)} calls may be among the withheld Records"
        return said + not_seen(self._hidden)

    def _has_moved_on(self, index: int) -> bool:
        # A process that starts again accounts for what the last one left, before it serves the next Call.
        boot = self._open[index][0]
        return any(other != boot and last > index for other, last in self._served.items())

    def _check_room(self, unsure: list[int]) -> None:
        """A withheld Record is the end of one Call at most: there are as many of them after each as it takes."""
        room, to = 0, len(self._marks)
        for count, index in enumerate(reversed(unsure), 1):
            room, to = room + self._marks.count(_HIDDEN, index - self._start, to), index - self._start
            if count > room:
                raise EvidenceError(
                    f"record {index}: this call and {count - 1} after it lack more ends than are withheld"
                )

    def _end(self, entry: Entry) -> None:
        for index in entry.refs():
            place = index - self._start
            mark = self._marks[place] if 0 <= place < len(self._marks) else _HIDDEN
            if mark == _CALL:
                _, call_id = self._open.pop(index, ("", ""))
                if call_id and entry.text("call") and call_id != entry.text("call"):
                    raise EvidenceError(f"record {entry.index}: refers to record {index}, which is another call")
                return
            if mark == _OTHER:
                raise EvidenceError(f"record {entry.index}: refers to record {index}, which is no call")
        if not self._start and not self._hidden:
            raise EvidenceError(f"record {entry.index}: ends a call that is not in the ledger")
        self._before += 1


def _few(indices: list[int]) -> str:
    shown = ", ".join(str(index) for index in indices[:5])
    return shown if len(indices) <= 5 else f"{shown} and {len(indices) - 5} more"  # noqa: PLR2004 -- a line's worth
