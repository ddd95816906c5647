"""What masking says about a message: findings, and the two texts that come of them."""

import dataclasses
from collections.abc import Iterable, Sequence

from holdfast.call import Message
from holdfast.errors import Cause, Refused


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A place where a masking rule matched: rule and path, never the text.

    ``path`` is an RFC 6901 JSON pointer into the message, masked itself where a member's name was a finding.
    ``length`` counts the characters of the span, ``score`` is the recognizer's confidence from 0 to 1. ``version`` is
    Presidio's for its recognizers, and a digest of the rule as it is stated for own ones.
    """

    rule: str
    entity: str
    path: str
    length: int
    score: float
    recognizer: str
    version: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Issued:
    """A mask that travels to a Caller who may send it back (`restore: caller`), and the value that it stands for.

    An empty ``value`` says that it stands for none, whatever was said of it before.
    """

    token: str
    entity: str
    rule: str
    value: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Masked:
    """A message after masking: ``forward`` travels on, ``keep`` is what Records, views and logs may show.

    ``issued`` are masks in ``forward`` whose value may come back for them; it is data, so that masking may run in
    another process, and it is kept in memory alone. ``restored`` says where ``forward`` has values in place of masks;
    ``late_count`` is of how many values the beginning had gone with an earlier message before they were known.
    ``refused`` is what makes that ``forward`` must not travel at all (`operator: refuse`), or nothing.
    """

    forward: Message
    keep: Message
    findings: tuple[Finding, ...]
    issued: tuple[Issued, ...] = dataclasses.field(default=(), repr=False)
    restored: tuple[Finding, ...] = ()
    late_count: int = 0
    refused: tuple[Finding, ...] = ()

    def refusal(self) -> Refused | None:
        """Why the message must not travel, where a rule refuses what was found in it."""
        return refusal_of(self.refused)

    def counts(self) -> dict[str, int]:
        """How many findings there are of each entity, by entity name."""
        return counts_of(self.findings)


def counts_of(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of ``findings`` there are of each entity, by entity name."""
    totals: dict[str, int] = {}
    for finding in findings:
        totals[finding.entity] = totals.get(finding.entity, 0) + 1
    return dict(sorted(totals.items()))


def refusal_of(refused: Sequence[Finding]) -> Refused | None:
    """The refusal that ``refused`` come to; None of nothing."""
    if not refused:
        return None
    found = refused[0]
    return Refused(
        Cause.DENIED_BY_RULE,
        f"{found.entity} was found at {found.path or '/'} and must not travel",
        rule=found.rule,
        next_step="Do without it, or ask whoever keeps the masking rules.",
    )
