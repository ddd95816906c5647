"""What masking says about a message: findings, and the two texts that come of them."""

import dataclasses

from holdfast.call import Message


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """A place where a masking rule matched: rule and path, never the text.

    ``path`` is an RFC 6901 JSON pointer into the message, masked itself where a member's name was a finding.
    ``length`` counts the characters of the span, ``score`` is the recognizer's confidence from 0 to 1.
    """

    rule: str
    entity: str
    path: str
    length: int
    score: float
    recognizer: str


@dataclasses.dataclass(frozen=True, slots=True)
class Masked:
    """A message after masking: ``forward`` travels on, ``keep`` is what Records, views and logs may show."""

    forward: Message
    keep: Message
    findings: tuple[Finding, ...]

    def counts(self) -> dict[str, int]:
        """How many findings there are of each entity, by entity name."""
        totals: dict[str, int] = {}
        for finding in self.findings:
            totals[finding.entity] = totals.get(finding.entity, 0) + 1
        return dict(sorted(totals.items()))
