"""Rows of `11-integrity`: checkpoints, who outside vouched for them when, and the windows in between."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.clock import utc_text
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.tables.material import Material, Stamped
from holdfast.ledger import note

INTEGRITY_COLUMNS: Final = ("index", "size", "root", "kind", "by", "at", "open_since", "seconds")
OPEN: Final = "nobody outside vouches"
VOUCHINGS: Final = ("cosignature", "time stamp")
_COSIGNATURE_BYTES: Final = 72  # tlog-cosignature: a 64-bit time and an Ed25519 signature
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECONDS_MAX: Final = 253_402_300_799  # the end of the year 9999, the last that a datetime holds

type Row = Sequence[object]


def cosignatures_in(data: bytes) -> list[tuple[str, dt.datetime]]:
    """Name and time of every cosignature on a signed checkpoint; none of them is verified here.

    Raises:
        EvidenceError: no note.
    """
    try:
        signatures = note.parse_note(data).signatures
    except LedgerError as error:
        raise EvidenceError(f"a checkpoint: {error}") from None
    found = [(item.name, int.from_bytes(item.data[:8], "big")) for item in signatures if is_cosignature(item)]
    return [(name, _EPOCH + dt.timedelta(seconds=seconds)) for name, seconds in found if seconds <= _SECONDS_MAX]


def is_cosignature(signature: note.Signature) -> bool:
    """Whether a line of a note is one of a witness rather than of the log."""
    return len(signature.data) == _COSIGNATURE_BYTES


def integrity_rows(material: Material) -> Iterator[Row]:
    """See :data:`INTEGRITY_COLUMNS`; ``open_since`` and ``seconds`` are the window that a vouching closes."""
    covered = material.scope.start.size
    stamps: dict[int, list[Stamped]] = {}
    for stamp in material.outside.stamps:
        stamps.setdefault(stamp.size, []).append(stamp)
    for data in material.outside.notes():
        parsed = note.parse_note(data)
        checkpoint = note.parse_checkpoint(parsed.text)
        head = (max(checkpoint.size - 1, 0), checkpoint.size, root_text(checkpoint))
        signers = " ".join(item.key_id.hex() for item in parsed.signatures if not is_cosignature(item))
        yield (*head, "checkpoint", signers, "", "", "")
        vouchings = [(VOUCHINGS[0], name, at) for name, at in cosignatures_in(data)]
        vouchings += [(VOUCHINGS[1], stamp.name, stamp.at) for stamp in stamps.get(checkpoint.size, [])]
        for place, (kind, by, at) in enumerate(sorted(vouchings, key=lambda item: item[2])):
            is_first = place == 0 and checkpoint.size > covered
            yield (*head, kind, by, utc_text(at), *(_window(material, covered, at) if is_first else ("", "")))
        covered = checkpoint.size if vouchings else covered
    if covered < material.scope.end.size:
        yield _open_row(material, covered)


def root_text(checkpoint: note.Checkpoint) -> str:
    """The root as base64, the spelling of checkpoints."""
    return checkpoint.to_text().split("\n")[2]


def _window(material: Material, covered: int, at: dt.datetime) -> tuple[str, str]:
    since = material.story.time_of(covered)
    return ("", "") if since is None else (utc_text(since), f"{(at - since).total_seconds():.3f}")


def _open_row(material: Material, covered: int) -> Row:
    end, last_at = material.scope.end, material.story.last_at
    window = _window(material, covered, last_at) if last_at else ("", "")
    return (end.size - 1, end.size, end.root_text, OPEN, "", "", *window)
