"""How long ago each witness and time stamp vouched, who of them is down, and what follows for Calls. No I/O."""

import dataclasses
import datetime as dt
from typing import Final, Literal

from holdfast.clock import Clock
from holdfast.witness.rules import WitnessRules
from holdfast.witness.store import Last
from holdfast.witness.submit import Cause, Vouched

_NS: Final = 1_000_000_000

type Turn = Literal["down", "up"]


@dataclasses.dataclass
class Member:
    """One witness or authority. ``due_s``: how often it should vouch. ``vouched_ns``: when it did, monotonic clock."""

    name: str
    kind: str
    due_s: int
    vouched_ns: int | None = None
    tried_ns: int | None = None
    head: tuple[int, str] | None = None
    cause: Cause | None = None
    reason: str = ""
    is_down: bool = False
    since: dt.datetime | None = None


class Standing:
    """What is known of everybody in the rules. For one thread, but for reading :meth:`refusal` and :meth:`window_s`.

    Ages are of the monotonic clock, so that a wall clock that is set back makes nobody younger.
    """

    def __init__(self, rules: WitnessRules, clock: Clock) -> None:
        self.rules: Final = rules
        self._clock: Final = clock
        self._began_ns: Final = clock.monotonic_ns()
        self.witnesses: Final = tuple(Member(rule.name, "witness", rules.every_s) for rule in rules.witnesses)
        self.stamps: Final = tuple(Member(rule.name, "timestamp", rule.every_s) for rule in rules.timestamps)

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody, in the order of the rules."""
        return (*self.witnesses, *self.stamps)

    def restore(self, member: Member, last: Last) -> None:
        """Take over what an earlier run of the gateway was told."""
        age_s = max(0.0, (self._clock.now_at() - last.received_at).total_seconds())
        member.vouched_ns = self._clock.monotonic_ns() - int(age_s * _NS)
        member.head, member.since = (last.size, last.root_hex), last.received_at

    def is_due(self, member: Member) -> bool:
        """Whether to ask now. Whoever failed is asked again every round; a time stamp that came waits for its turn."""
        age_s = self._age_s(member)
        return age_s is None or member.cause is not None or age_s >= member.due_s or member.kind == "witness"

    def vouched(self, member: Member, said: Vouched) -> Turn | None:
        """Take in that ``member`` vouched; `up` where that ends an outage."""
        member.vouched_ns = self._clock.monotonic_ns()
        member.head, member.since = (said.size, said.root_hex), self._clock.now_at()
        member.cause, member.reason = None, ""
        was_down, member.is_down = member.is_down, False
        return "up" if was_down else None

    def failed(self, member: Member, cause: Cause, reason: str) -> Turn | None:
        """Take in that ``member`` did not vouch; `down` where an outage begins, or turns out to be a conflict.

        Somebody who does not answer once is not down: overdue is who missed a turn and the round after it. A refusal
        and a conflict need no second look.
        """
        if member.cause == "conflict" and cause != "conflict":
            return None  # whoever makes the witness silent must not end the conflict by that
        is_worse = cause == "conflict" and member.cause != "conflict"
        member.cause, member.reason = cause, reason
        age_s = self._age_s(member)
        late_s = self._running_s() if age_s is None else age_s
        if cause in {"unreachable", "invalid"} and late_s < member.due_s + self.rules.every_s:
            return None
        was_down, member.is_down = member.is_down, True
        return "down" if is_worse or not was_down else None

    def window_s(self) -> int | None:
        """Seconds since anybody outside vouched: what is newer could be rewritten unnoticed. None: nobody ever did."""
        ages = [age for age in (self._quorum_age_s(), *map(self._age_s, self.stamps)) if age is not None]
        return int(min(ages)) if ages else None

    def refusal(self) -> str | None:
        """Why Calls are refused now, by the rule ``refuse_after``; None where they may go on."""
        limit_s = self.rules.refuse_after_s
        if limit_s is None:
            return None
        for member in self.witnesses:
            if member.cause == "conflict":
                return (
                    f"the witness {member.name} saw another history of this ledger; no call goes out until it vouches"
                )
        if self.witnesses:
            age_s = self._quorum_age_s()
            if age_s is None:
                return "no quorum of witnesses has vouched for this ledger yet; calls are refused until one does"
            if age_s > limit_s:
                return (
                    f"no quorum of witnesses has vouched for {int(age_s)} s, longer than the rules allow ({limit_s} s)"
                )
        for member in self.stamps:
            age_s = self._age_s(member)
            if age_s is None:
                return f"the time stamp {member.name} has not come yet; calls are refused until it does"
            if age_s > member.due_s + limit_s:
                return f"the time stamp {member.name} is {int(age_s)} s old, longer than the rules allow"
        return None

    def _age_s(self, member: Member) -> float | None:
        if member.vouched_ns is None:
            return None
        return (self._clock.monotonic_ns() - member.vouched_ns) / _NS

    def _quorum_age_s(self) -> float | None:
        # As old as the last of those that make up the quorum, the quickest first.
        ages = sorted(age for age in map(self._age_s, self.witnesses) if age is not None)
        return ages[self.rules.quorum - 1] if 0 < self.rules.quorum <= len(ages) else None

    def _running_s(self) -> float:
        return (self._clock.monotonic_ns() - self._began_ns) / _NS
