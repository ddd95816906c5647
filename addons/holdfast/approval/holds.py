"""The Hold: a Call that waits for its Approval, as frozen facts, and the states it passes.

::

    opening ─▶ waiting ──────▶ granted ─▶ used
                 │  ▲             │
      the client's│ │the call     └──▶ expired    not used in time, or the rules changed
      wait ends   ▼ │repeated
    pending, interrupted (the gateway stopped meanwhile)
                 │
                 └──▶ granted, denied, expired, abandoned (the client hung up)

``opening`` is seen by nobody: the ``hold.opened`` Record is not durable yet. ``waiting``, ``pending`` and
``interrupted`` are undecided: approvers see them, and may decide.
"""

import asyncio
import base64
import dataclasses
import datetime as dt
import enum
import secrets
from collections.abc import Callable
from typing import Final

from holdfast.approval.statement import Assurance, Choice
from holdfast.call import Call
from holdfast.identity.caller import Caller
from holdfast.jsontext import JsonObject
from holdfast.policy.holding import HoldRule

type RandomBytes = Callable[[int], bytes]


class State(enum.Enum):
    """Where a Hold stands. See the picture in this module's docstring."""

    OPENING = "opening"
    WAITING = "waiting"
    PENDING = "pending"
    INTERRUPTED = "interrupted"
    GRANTED = "granted"
    DENIED = "denied"
    EXPIRED = "expired"
    USED = "used"
    ABANDONED = "abandoned"

    @property
    def is_undecided(self) -> bool:
        """Whether an approver may still decide."""
        return self in _UNDECIDED

    @property
    def is_open(self) -> bool:
        """Whether the Hold can still let a call go out."""
        return self is State.GRANTED or self in _UNDECIDED


_UNDECIDED: Final = frozenset({State.WAITING, State.PENDING, State.INTERRUPTED})


@dataclasses.dataclass(frozen=True, slots=True)
class HoldRequest:
    """A Call that a rule holds, as the gate hands it over.

    ``call`` is the masked one, ``digest_hex`` the keyed digest of what would be forwarded
    (:func:`holdfast.approval.digest.request_digest_hex`), ``counts`` the findings by entity. ``base`` holds the members
    ``who``, ``src``, ``dst``, ``mcp`` and ``rpc`` of the Records; ``path`` is the address at the server. ``notes``
    are masked lines that approvers see beside the call; ``restored`` counts, by entity, masks in it that would go on as
    the values they stand for. ``wait_s`` says how long this one request waits, where its client cannot wait as long as
    the rule says.
    """

    call_id: str
    call: Call
    digest_hex: str
    caller: Caller
    rule: HoldRule
    server: str
    counts: dict[str, int]
    base: JsonObject
    path: str = ""
    notes: tuple[str, ...] = ()
    restored: dict[str, int] = dataclasses.field(default_factory=dict)
    wait_s: int | None = None

    @property
    def patience_s(self) -> int:
        """How long this request waits for a decision, seconds."""
        return self.rule.wait_s if self.wait_s is None else self.wait_s


@dataclasses.dataclass(frozen=True, slots=True)
class Leaving:
    """How a client that waits may give up: it hangs up, or it cancels."""

    gone: asyncio.Event
    cancelled: asyncio.Event

    @property
    def why(self) -> str | None:
        """What it did, for people; None while it waits."""
        if self.gone.is_set():
            return "the client hung up"
        return "the client cancelled the call" if self.cancelled.is_set() else None


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    """The permission to send one Call once.

    ``approval_id`` and ``use_no`` go into the ``call`` Record's ``Use``, which makes the single use durable; ``by``
    names the approvers, ``record_index`` is the ``approval`` Record that completed it.
    """

    approval_id: str
    use_no: int
    by: str
    record_index: int


@dataclasses.dataclass(frozen=True, slots=True)
class Decided:
    """One recorded decision: the DSSE envelope as it was accepted, and its ``approval`` Record."""

    approver: str
    decision: Choice
    assurance: Assurance
    envelope: bytes
    record_index: int


@dataclasses.dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, as far as a Hold needs it. ``act`` is the chain of acting parties, each ``iss|sub``."""

    iss: str
    sub: str
    name: str
    act: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What makes two requesters the same."""
        return (self.iss, self.sub)

    @property
    def identities(self) -> frozenset[str]:
        """Everybody who stands behind the call, as ``iss|sub``: none of them may approve it."""
        return frozenset({f"{self.iss}|{self.sub}", *self.act})


@dataclasses.dataclass(frozen=True, slots=True)
class Hold:
    """Everything the desk knows about one Hold; nothing in it is unmasked.

    ``view`` is emptied once the Hold is closed. ``opened_index`` is the ``hold.opened`` Record (-1 while opening).
    ``note`` says why the Hold is closed, for people.
    """

    id: str
    state: State
    call_id: str
    requester: Requester
    digest_hex: str
    rule: str
    rules_digest_hex: str
    server: str
    method: str
    name: str | None
    view: bytes
    view_digest_hex: str
    nonce: str
    opened_at: dt.datetime
    expires_at: dt.datetime
    opened_index: int = -1
    decisions: tuple[Decided, ...] = ()
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a repeat of the same call by the same Caller finds this Hold by."""
        return (self.requester.iss, self.requester.sub, self.digest_hex, self.rule)

    @property
    def approvals(self) -> tuple[Decided, ...]:
        """The decisions that say yes."""
        return tuple(decided for decided in self.decisions if decided.decision == "approve")

    def moved(self, state: State, note: str = "") -> "Hold":
        """The same Hold in another state; a closed one keeps no view."""
        view = self.view if state.is_open else b""
        return dataclasses.replace(self, state=state, view=view, note=note or self.note)

    def opened(self, record_index: int) -> "Hold":
        """The same Hold once its ``hold.opened`` Record is durable."""
        return dataclasses.replace(self, state=State.WAITING, opened_index=record_index)

    def decided(self, decided: Decided) -> "Hold":
        """The same Hold with one decision more."""
        return dataclasses.replace(self, decisions=(*self.decisions, decided))


def request_key(request: HoldRequest) -> tuple[str, str, str, str]:
    """The key under which a Hold for ``request`` is found: see :attr:`Hold.key`."""
    return (request.caller.iss, request.caller.sub, request.digest_hex, request.rule.id)


def requester_of(caller: Caller) -> Requester:
    """The Caller as a Hold keeps it."""
    return Requester(caller.iss, caller.sub, caller.name, caller.act)


def new_id(random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """A Hold's id: ``H-`` and ten base32 characters. 50 random bits: short to type, and not to be guessed."""
    return "H-" + base64.b32encode(random_bytes(7)).decode("ascii")[:10]


def new_nonce(random_bytes: RandomBytes = secrets.token_bytes) -> str:
    """128 random bits as hex, so that no statement can be signed before its Hold exists."""
    return random_bytes(16).hex()
