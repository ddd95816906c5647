"""Erasing payloads, in steps that a crash may end anywhere. FORMAT.md section 2.

1. Each commitment is one that a Record makes, its payload is there, and no legal hold is on it (:func:`located`).
2. `erase.pending` is made durable. A crash leaves a file that names Records which are not there; the next start drops
   it.
3. The Records `payload.erased` are committed, and a checkpoint over them is signed. From here on they are erased: a
   start that finds the file and the Records does the rest.
4. The rows are emptied, and `payload.db-wal` is cut to nothing (:mod:`holdfast.ledger.keeping.pending`).

Steps 2 to 4 run on the writer's thread, so no append comes between, and of two wishes for one payload the second is
refused.
"""

import dataclasses
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import record
from holdfast.ledger.draft import Draft, Receipt, prepare
from holdfast.ledger.fields import ERASED_MAX
from holdfast.ledger.keeping.pending import Pending
from holdfast.ledger.opening import Head
from holdfast.ledger.publish import Publisher
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.shape import COMMITMENT
from holdfast.ledger.store import Append, Outcome, Store
from holdfast.retention.in_force import refuse_held

TYP: Final = "payload.erased"
COMMITMENTS_MAX: Final = 16_384  # of one request; over a socket it is a frame of 1.3 MiB
ROUND_COUNT: Final = 8 * ERASED_MAX  # emptied at one go; every append waits for that long
REASON_CHARS_MAX: Final = 500  # leaves room for 128 commitments in a Record
# Members are sorted and quotes in a text are escaped, so nothing but a payload's member can look like this.
_COMMITMENT: Final = re.compile(
    rb'"(req|res|view|statement)":\{"bytes":[0-9]+,"c":"(hmac-sha256:[0-9a-f]{64})"'  # FORMAT.md section 1
)


@dataclasses.dataclass(frozen=True, slots=True)
class Located:
    """A payload that a Record commits to: the Record, and the member that holds the commitment."""

    commitment: str
    member: str
    record: JsonObject = dataclasses.field(repr=False)

    @property
    def index(self) -> int:
        """The index of the Record."""
        index = self.record["n"]
        assert isinstance(index, int)
        return index


@dataclasses.dataclass(frozen=True, slots=True)
class Erase:
    """Payloads to erase, at most ROUND_COUNT of them, and what their Records say besides."""

    commitments: tuple[str, ...]
    body: JsonObject
    bytes: int = 0

    def drafts(self) -> list[Draft]:
        """The Records, each with as many commitments as fit."""
        starts = range(0, len(self.commitments), ERASED_MAX)
        parts: list[list[Json]] = [list(self.commitments[start : start + ERASED_MAX]) for start in starts]
        return [Draft(TYP, {**self.body, "erased": part}) for part in parts]


def rounds(commitments: Sequence[str], body: JsonObject) -> list[Erase]:
    """The wish to erase ``commitments``, in parts that the writer does at one go each.

    Raises:
        LedgerError: too many, one twice, one that is none, or a text that has not the form of a Record's.
    """
    if not 0 < len(commitments) <= COMMITMENTS_MAX:
        raise LedgerError(f"1 to {COMMITMENTS_MAX} payloads are erased at a time")
    if len(set(commitments)) != len(commitments):
        raise LedgerError("a commitment is named twice")
    for place, commitment in enumerate(commitments, 1):
        COMMITMENT.check(commitment, f"commitment {place}")
    reason = body.get("reason")
    if not isinstance(reason, str) or not 0 < len(reason) <= REASON_CHARS_MAX:
        raise LedgerError(f"the reason of an erasure has 1 to {REASON_CHARS_MAX} characters")
    starts = range(0, len(commitments), ROUND_COUNT)
    parts = [Erase(tuple(commitments[start : start + ROUND_COUNT]), body) for start in starts]
    prepare(parts[0].drafts()[0])
    return parts


def erase_all(
    directory: Path, commitments: Sequence[str], body: JsonObject, do: Callable[[Erase], Outcome]
) -> tuple[Receipt, ...]:
    """Erase ``commitments`` of the ledger in ``directory``, round by round; ``do`` has the writer's thread do one.

    Where a later round fails, the earlier ones are done, and their Records say which they were.

    Raises:
        LedgerError: see :func:`rounds` and :func:`located`; or a legal hold is on one; or ``do`` cannot do it.
    """
    parts = rounds(commitments, body)
    with open_reader(directory) as reader:
        refuse_held(reader, [(one.commitment, one.record) for one in located(reader, commitments)])
    return tuple(receipt for part in parts for receipt in _receipts(do(part)))


def commitments_of(entry: bytes) -> Iterator[tuple[str, str]]:
    """Member and commitment of every payload of a Record, without reading the rest of it."""
    for match in _COMMITMENT.finditer(entry):
        yield match[1].decode(), match[2].decode()


def located(reader: Reader, commitments: Iterable[str]) -> list[Located]:
    """The Records that commit to ``commitments``, in the order of the ledger, if all of them can be erased.

    Raises:
        LedgerError: no Record commits to one, or it was erased before; names it.
    """
    wanted = set(commitments)
    for commitment in sorted(wanted):
        if not reader.holds_payload(commitment):
            _refuse_missing(reader, commitment)
    found: list[Located] = []
    for _, entry in reader.records():
        for member, commitment in commitments_of(entry):
            if commitment in wanted:
                wanted.remove(commitment)
                found.append(Located(commitment, member, json.loads(entry)))
        if not wanted:
            return found
    raise LedgerError(f"no Record commits to {min(wanted)}; nothing was erased")


def _refuse_missing(reader: Reader, commitment: str) -> None:
    state = "was erased before" if reader.was_emptied(commitment) else "is of no payload in this ledger"
    raise LedgerError(f"{commitment} {state}; nothing was erased")


def erase(work: Erase, store: Store, publish: Callable[[], None]) -> tuple[Receipt, ...] | LedgerError:
    """Record that payloads are erased, then empty them. Runs on the writer's thread.

    A LedgerError as outcome says that nothing was changed.

    Raises:
        Exception: a step after the first failed; the next start finishes it, or finds nothing changed.
    """
    for commitment in work.commitments:
        if not store.holds_payload(commitment):
            return LedgerError(f"{commitment} was erased meanwhile, or is of no payload in this ledger")
    drafts = work.drafts()
    bodies = tuple(prepare(draft) for draft in drafts)
    try:
        store.emptying.begin(Pending(store.tree.size, len(drafts)))
    except OSError as error:
        return LedgerError(f"nothing was erased: {error.strerror}")
    # From here on a start that finds the Records finishes what follows.
    receipts = store.write([Append(tuple(drafts), bodies, 0)])[0]
    if isinstance(receipts, LedgerError):
        store.emptying.empty(())
        return receipts
    publish()
    # From here on a signature covers the Records, so a verifier takes them for what they say.
    store.emptying.empty(work.commitments)
    return _receipts(receipts)


def _receipts(outcome: Outcome) -> tuple[Receipt, ...]:
    assert isinstance(outcome, tuple)
    return outcome


def settle(store: Store, publisher: Publisher, head: Head) -> Head:
    """Finish what a crash has left half erased; returns the last checkpoint. Before the writer's thread begins.

    Raises:
        LedgerError: `erase.pending` or `payload.db` is not as it should be.
        OSError, sqlite3.Error: it cannot be written.
    """
    pending = store.emptying.read()
    if pending is None:
        return head
    commitments = list(_recorded(store.ledger, pending))
    if commitments and head.size < store.tree.size:
        head = publisher.publish(store.tree)
    store.emptying.empty(commitments)
    return head


def _recorded(ledger: sqlite3.Connection, pending: Pending) -> Iterator[str]:
    # After a file that was dropped but came back with the power, other Records may stand in this place.
    rows = ledger.execute(
        "SELECT entry FROM entries WHERE seq >= ? AND seq < ?", (pending.first, pending.first + pending.count)
    ).fetchall()
    for (entry,) in rows:
        yield from record.erased_by(record.decode(entry))
