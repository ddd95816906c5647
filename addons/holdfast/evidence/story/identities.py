"""Who used the gateway, and how often which way."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Final

from holdfast.evidence.story.codec import decode
from holdfast.evidence.story.facts import CallFact, Party, RefusedFact
from holdfast.evidence.story.notebook import Notebook

NOBODY: Final = Party("", "", "", "", "", ())


@dataclasses.dataclass(frozen=True, slots=True)
class IdentityLine:
    """One identity and its counts; ``NOBODY`` for requests without one.

    ``calls`` went through, ``approved`` of them after an Approval.
    """

    party: Party
    first_index: int
    last_index: int
    first_at: dt.datetime
    last_at: dt.datetime
    calls: int
    approved: int
    pending: int
    denied: int
    refused: int


_REQUESTS: Final = """
    SELECT iss, sub, idx, at, way FROM calls WHERE is_ours
    UNION ALL SELECT iss, sub, idx, at, way FROM refused WHERE is_ours
"""
_LINES: Final = f"""
    SELECT iss, sub, min(idx), max(idx), min(at), max(at), sum(way IN ('allowed', 'approved')), sum(way = 'approved'),
    sum(way = 'pending'), sum(way = 'denied'), sum(way = 'refused')
    FROM ({_REQUESTS}) GROUP BY iss, sub ORDER BY iss, sub
"""  # noqa: S608 -- fixed text


def identities(book: Notebook) -> Iterator[IdentityLine]:
    """The identities in the order of ``(iss, sub)``."""
    for _, _, first, last, first_at, last_at, *counts in book.each(_LINES):
        times = dt.datetime.fromisoformat(first_at), dt.datetime.fromisoformat(last_at)
        yield IdentityLine(_party(book, first), first, last, *times, *counts)


def _party(book: Notebook, index: int) -> Party:
    row = book.one("SELECT body FROM calls WHERE idx = ?", index)
    kind: type[CallFact | RefusedFact] = CallFact
    if row is None:
        row, kind = book.one("SELECT body FROM refused WHERE idx = ?", index), RefusedFact
    party: Party | None = decode(kind, row[0]).party if row else None
    return party or NOBODY
