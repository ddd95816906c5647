"""Step V6: what outsiders vouch for, when, and for how long the ledger could have been rewritten."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking.case import Case, NotCheckedError
from holdfast.evidence.story.gaps import duration_text
from holdfast.evidence.story.integrity import cosignatures_in, is_cosignature
from holdfast.evidence.story.story import Story
from holdfast.ledger import note
from holdfast.witness import timestamp

SKEW_S_MAX: Final = 300.0  # clocks of gateway and outsiders may differ by so much
CHECKED_MAX: Final = 1000  # cosigned checkpoints; each takes 3 ms without OpenSSL
_ALL: Final = "in which the holder of the ledger's key could have rewritten it"


@dataclasses.dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody outside vouched for the first ``size`` Records at ``at``."""

    size: int
    at: dt.datetime
    by: str


def time(case: Case, story: Story) -> str:
    """V6: see the module's docstring."""
    cosigned = list(_cosigned(case))
    stamped, roots = _stamped(case)
    vouched = sorted([*cosigned, *stamped], key=lambda item: (item.size, item.at))
    _check_order(vouched, story)
    if not vouched:
        raise NotCheckedError(f"{_nobody(case)}. Tamper window, {_ALL}: all of it, {duration_text(story.seconds)} "
                              "(unless you hold an earlier checkpoint yourself)")  # fmt: skip
    names = ", ".join(sorted({item.by for item in vouched}))
    said = f"{len(cosigned)} cosignatures and {len(stamped)} time stamps hold ({names}){roots}"
    return f"{said}. Tamper window, {_ALL}: {_open_window(case, story, vouched[-1])}{_longest(case, story, vouched)}"


def _nobody(case: Case) -> str:
    count = sum(len(cosignatures_in(data)) for data in case.notes())
    if not count:
        return "no witness and no time stamp that you trust is in the package: nobody outside vouches for its times"
    return (
        f"{count} cosignatures are in the package, but your trust file names no witness: give a tlog-policy with "
        "--trust that has the witnesses you know"
    )


def _cosigned(case: Case) -> Iterator[Vouched]:
    rules = case.trust.policy if case.trust is not None else None
    if rules is None or not rules.witnesses:
        return
    cosigned = [data for data in case.notes() if cosignatures_in(data)]
    every = max(1, -(-len(cosigned) // CHECKED_MAX))
    # From the end, so that the newest one is among them.
    for data in cosigned[::-1][::every]:
        try:
            found = rules.cosigners(data, case.verify)
            size = note.parse_checkpoint(note.parse_note(data).text).size
        except LedgerError as error:
            raise EvidenceError(f"a cosigned checkpoint: {error}") from None
        yield from (Vouched(size, one.at, one.name) for one in found)


def _stamped(case: Case) -> tuple[list[Vouched], str]:
    if not case.stamps:
        return [], ""
    signed = {
        note.parse_checkpoint(note.parse_note(data).text).size: without_cosignatures(data) for data in case.notes()
    }
    roots = case.trust.roots_pem if case.trust is not None else b""
    found: list[Vouched] = []
    for name, stamp in case.stamps.items():
        if stamp.size not in signed:
            raise EvidenceError(f"{name}: no checkpoint of size {stamp.size} is in the package")
        if not roots:
            continue
        try:
            at = timestamp.check(case.package.read(name), signed[stamp.size], roots)
        except timestamp.NotCheckedError as error:
            return [], f"; {len(case.stamps)} time stamps were not checked: {error}"
        except LedgerError as error:
            raise EvidenceError(f"{name}: {error}") from None
        found.append(Vouched(stamp.size, at, stamp.name))
    without = f"; {len(case.stamps)} time stamps were not checked: give the authority's certificates with --tsa-roots"
    return found, "" if roots else without


def without_cosignatures(data: bytes) -> bytes:
    """The checkpoint as the log signed it: what a time stamp is over."""
    parsed = note.parse_note(data)
    own = tuple(item for item in parsed.signatures if not is_cosignature(item))
    return note.Note(parsed.text, own).to_text().encode()


def _check_order(vouched: list[Vouched], story: Story) -> None:
    last: dict[str, Vouched] = {}
    for item in vouched:
        before = last.get(item.by)
        if before is not None and item.at < before.at and item.size > before.size:
            raise EvidenceError(f"{item.by} vouched for size {item.size} before it vouched for size {before.size}")
        last[item.by] = item
        written_at = story.last_before(item.size)
        late_s = (written_at - item.at).total_seconds() if written_at is not None else 0.0
        if late_s > SKEW_S_MAX:
            late = duration_text(late_s)
            raise EvidenceError(
                f"a Record before size {item.size} says it was written {late} after {item.by} vouched for it"
            )


def _open_window(case: Case, story: Story, last: Vouched) -> str:
    end = case.scope.end.size
    since = story.time_of(last.size) if last.size < end else None
    if since is None or story.last_at is None:
        return f"none at the end; the last Record is vouched for at {_text(last.at)}"
    seconds = (story.last_at - since).total_seconds()
    return f"Records {last.size} to {end - 1}, {duration_text(seconds)} at the end, not vouched for yet"


def _longest(case: Case, story: Story, vouched: list[Vouched]) -> str:
    covered, longest = case.scope.start.size, 0.0
    for item in vouched:
        since = story.time_of(covered) if item.size > covered else None
        if since is not None:
            longest = max(longest, (item.at - since).total_seconds())
        covered = max(covered, item.size)
    return f"; before that the longest was {duration_text(longest)}, until somebody vouched"


def _text(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
