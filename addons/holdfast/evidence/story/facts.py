"""What Records tell, as frozen facts: who asked what, what was decided, who approved, how it ended."""

import dataclasses
import datetime as dt
from typing import Literal

from holdfast.evidence.files.entry import Entry

# What became of a request: it went, it went after an Approval, it was told to come back, it met a no by rule or by a
# person, or it was no request that could be judged.
type Way = Literal["allowed", "approved", "pending", "denied", "refused"]
type GapKind = Literal[
    "stopped", "crashed", "silence", "clock went back", "clock jumped", "unannounced start", "not vouched for"
]


@dataclasses.dataclass(frozen=True, slots=True)
class Party:
    """Who asked: the identity ``(iss, sub)`` and what describes it."""

    iss: str
    sub: str
    name: str
    client: str
    auth: str
    groups: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name a reader knows, else the subject."""
        return self.name or self.sub or "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class ReplyFact:
    """How a Call ended: answered, or recorded as lost. ``ms`` is the time it took, None where nobody measured."""

    index: int
    at: dt.datetime
    outcome: Literal["ok", "error", "lost"]
    code: str
    ms: int | None
    findings: dict[str, int]
    payload: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class CallFact:
    """A Call that the gateway judged: a `call` Record and the Record that ended it.

    ``is_cut``: Records after it are withheld, so that its end may be among them.
    """

    index: int
    at: dt.datetime
    call_id: str
    party: Party | None
    peer: str
    server: str
    direction: str
    kind: str
    method: str
    name: str
    way: Way
    rule: str
    reason: str
    findings: dict[str, int]
    payload: str
    hold_id: str
    definition: str = ""
    rules: str = ""
    reply: ReplyFact | None = None
    is_cut: bool = False

    @property
    def what(self) -> str:
        """Method and name, as a reader says it."""
        return f"{self.method} {self.name}".strip()

    @property
    def ending(self) -> str:
        """One word for how it ended; "not shown" where a later Record that could tell is withheld."""
        if self.way in {"denied", "refused"}:
            return self.way
        if self.reply is not None:
            return self.reply.outcome
        if self.kind in {"notification", "reply"}:
            return "sent"
        return "not shown" if self.is_cut else "open"


@dataclasses.dataclass(frozen=True, slots=True)
class RefusedFact:
    """Something that was refused: a `refused` Record."""

    index: int
    at: dt.datetime
    call_id: str
    party: Party | None
    peer: str
    server: str
    what: str
    cause: str
    rule: str
    reason: str
    size_bytes: int | None
    hold_id: str

    @property
    def is_decision(self) -> bool:
        """Whether it was a decision about a Hold, which came through the desk's socket, and no client's request."""
        return self.peer.startswith("unix:")

    @property
    def way(self) -> Way:
        """A no by rule or by a person is denied; every other no is refused."""
        if self.cause == "hold_pending":
            return "pending"
        by_decision = {"denied_by_rule", "denied_by_approver", "hold_expired"}
        return "denied" if self.cause in by_decision else "refused"


@dataclasses.dataclass(frozen=True, slots=True)
class ApprovalFact:
    """A person's yes or no: an `approval` Record."""

    index: int
    at: dt.datetime
    decision: str
    reason: str
    by: str
    approver: Party
    assurance: str
    request: str
    statement: str


@dataclasses.dataclass(frozen=True, slots=True)
class HoldFact:
    """A Call that waited for a person, from `hold.opened` to `hold.closed`."""

    hold_id: str
    index: int
    at: dt.datetime
    party: Party | None
    server: str
    what: str
    rule: str
    request: str
    expires: str
    view: str
    rules: str
    approvals: tuple[ApprovalFact, ...] = ()
    outcome: str = "waiting"
    closed_index: int | None = None
    closed_at: dt.datetime | None = None
    call_index: int | None = None
    is_cut: bool = False

    @property
    def ending(self) -> str:
        """The outcome; "not shown" where it waits and a later Record that could tell is withheld."""
        return "not shown" if self.is_cut and self.outcome == "waiting" else self.outcome

    @property
    def waited_s(self) -> float | None:
        """Seconds from opening to the last decision, else to the closing; None while it waits."""
        end_at = self.approvals[-1].at if self.approvals else self.closed_at
        return None if end_at is None else (end_at - self.at).total_seconds()


@dataclasses.dataclass(frozen=True, slots=True)
class RulesFact:
    """Rules that came into force: a `rules.loaded` Record."""

    index: int
    at: dt.datetime
    digest_hex: str
    files: dict[str, str]
    previous: str


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """A time in which the gateway was not watching, or a clock that cannot be trusted."""

    kind: GapKind
    from_index: int
    to_index: int
    from_at: dt.datetime
    to_at: dt.datetime
    note: str

    @property
    def seconds(self) -> float:
        """How long it lasted by the wall clock; negative where the clock went back."""
        return (self.to_at - self.from_at).total_seconds()


@dataclasses.dataclass(frozen=True, slots=True)
class Exceptional:
    """Something a reviewer should look at: a no, a failure, an expiry, a loss."""

    index: int
    at: dt.datetime
    kind: str
    party: Party | None
    what: str
    note: str


@dataclasses.dataclass(frozen=True, slots=True)
class MaskFact:
    """What masking found in one message: a Record with Findings."""

    index: int
    at: dt.datetime
    typ: str
    party: Party | None
    server: str
    direction: str
    what: str
    engine: str
    version: str
    config: str
    findings: dict[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class ChangeFact:
    """Something that decides how Calls are judged came into force: a rule file, a tool's definition, a key, options.

    ``change`` is "new", "changed", "removed", "same" or "in force"; digests are hex, keys are vkeys.
    """

    index: int
    at: dt.datetime
    kind: str
    what: str
    change: str
    digest: str
    previous: str
    ruleset: str
    by: str
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class AccessFact:
    """Somebody reached for the log itself: an export, an erasure, a rotation, a recovery, a start or a stop.

    ``by`` is the operator as the operating system says; ``concerns`` the Records that an erasure is about.
    """

    index: int
    at: dt.datetime
    kind: str
    what: str
    by: str
    basis: str
    reason: str
    concerns: tuple[int, ...] = ()


def party_of(entry: Entry, member: str = "who") -> Party | None:
    """The identity under ``member``; None where the Record names nobody."""
    if not isinstance(entry.member(member), dict):
        return None
    text = entry.text
    return Party(
        text(member, "iss"),
        text(member, "sub"),
        text(member, "name"),
        text(member, "client"),
        text(member, "auth"),
        entry.texts(member, "groups"),
    )
