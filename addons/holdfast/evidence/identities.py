"""Who used the gateway, and how often which way."""

import dataclasses
import datetime as dt

from holdfast.evidence.facts import CallFact, Party, RefusedFact
from holdfast.evidence.story import Story


@dataclasses.dataclass(slots=True)
class IdentityLine:
    """One identity and its counts. ``calls`` went through, ``approved`` of them after an Approval."""

    party: Party
    first_at: dt.datetime
    last_at: dt.datetime
    calls: int = 0
    approved: int = 0
    denied: int = 0
    refused: int = 0
    pending: int = 0

    def count(self, fact: CallFact | RefusedFact) -> None:
        """One more request of this identity."""
        self.first_at, self.last_at = min(self.first_at, fact.at), max(self.last_at, fact.at)
        match fact.way:
            case "allowed":
                self.calls += 1
            case "approved":
                self.calls += 1
                self.approved += 1
            case "denied":
                self.denied += 1
            case "refused":
                self.refused += 1
            case "pending":
                self.pending += 1


def identities(story: Story) -> list[IdentityLine]:
    """The identities of ``story`` in the order of ``(iss, sub)``."""
    lines: dict[tuple[str, str], IdentityLine] = {}
    for fact in story.requests():
        if fact.party is None:
            continue
        key = (fact.party.iss, fact.party.sub)
        line = lines.setdefault(key, IdentityLine(fact.party, fact.at, fact.at))
        line.count(fact)
    return [lines[key] for key in sorted(lines)]
