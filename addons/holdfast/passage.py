"""What the gate remembers of a message between admitting the Call and releasing the Reply."""

import asyncio
import collections
import contextlib
import dataclasses
import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from holdfast.call import Call, Direction, Id, Message
from holdfast.errors import Cause, Refused
from holdfast.exchange import Outgoing
from holdfast.identity.caller import Caller
from holdfast.identity.identifier import Identifier
from holdfast.jsontext import JsonObject
from holdfast.keepalive import KeepAlive
from holdfast.masking.masker import Masker
from holdfast.policy.ruleset import Ruleset
from holdfast.policy.servers import Server, Servers

OPEN_CALLS_MAX: Final = 20_000  # calls without an answer; the oldest is forgotten first, its Reply is then refused


class Kind(enum.Enum):
    """What an HTTP request wants of an MCP endpoint."""

    POST = "post"
    STREAM = "get"
    END_SESSION = "delete"
    METADATA = "metadata"
    HOLD_PAGE = "hold page"


class Watch(Protocol):
    """The proxy's side of an exchange while the gate works on it."""

    @property
    def gone(self) -> asyncio.Event:
        """Set when the client has left."""

    def show_call(self, text: bytes, note: dict[str, str]) -> None:
        """From now on a viewer may see ``text`` (masked) and ``note`` (decision, caller, tool; no content)."""

    def note(self, note: dict[str, str]) -> None:
        """Add to what a viewer is told beside the message."""

    def keep_alive(self, signs: KeepAlive) -> None:
        """The call is held from now on: let its client hear ``signs`` while it waits."""

    def show_reply(self, text: bytes, note: dict[str, str]) -> None:
        """The same for what comes back."""


@dataclasses.dataclass(frozen=True, slots=True)
class InForce:
    """The rules in force and what was built from them; replaced as a whole on reload.

    ``engine`` is what Records say about the masker; ``servers`` have their credentials.
    """

    rules: Ruleset
    identifier: Identifier
    masker: Masker
    engine: JsonObject
    servers: Servers


@dataclasses.dataclass(frozen=True, slots=True)
class Admitted:
    """A message whose Record is durable."""

    message: Message
    kept: Message
    call_id: str
    index: int
    at_ns: int


@dataclasses.dataclass(frozen=True, slots=True)
class Admission:
    """An HTTP request that may travel: what goes out, and on whose behalf.

    The request itself is not kept: a stream that stays open for an hour must not hold a token in memory. ``base`` has
    the members that every Record about this request shares; ``scope`` is within what JSON-RPC ids are unique; ``path``
    is the endpoint that was asked at the gateway. ``signs`` are those of a call that was held, after which the server's
    progress must go on; ``turned`` is what the gateway itself answers to elements of a batch that it refused.
    """

    kind: Kind
    caller: Caller
    outgoing: Outgoing
    admitted: tuple[Admitted, ...]
    session: str | None
    scope: str
    force: InForce
    base: JsonObject
    note: dict[str, str]
    server: Server
    path: str
    signs: KeepAlive | None = None
    turned: tuple[Message, ...] = ()

    def waiting(self) -> tuple[Admitted, ...]:
        """The requests among the messages: those that a Reply must answer."""
        return tuple(a for a in self.admitted if isinstance(a.message, Call) and a.message.id is not None)


type _Key = tuple[str, Direction, type, Id]


def _key(scope: str, message: Message) -> _Key | None:
    """By what the Call ``message`` is found; None where no Reply will come."""
    if not isinstance(message, Call) or message.id is None:
        return None
    return scope, message.direction, type(message.id), message.id


class OpenCalls:
    """Calls that were admitted and not yet answered, found by scope, direction and typed id.

    ``"1"`` and ``1`` are two ids (JSON-RPC 2.0, 4), and each direction counts its own.
    """

    def __init__(self) -> None:
        self._calls: collections.OrderedDict[_Key, Admitted] = collections.OrderedDict()
        self._coming: set[_Key] = set()
        self._being_answered: set[_Key] = set()

    @contextlib.contextmanager
    def coming(self, scope: str, messages: Iterable[Message]) -> Iterator[None]:
        """While Calls are judged, held and written down: nobody else takes their ids.

        Raises:
            Refused: MALFORMED, a Call with such an id is on its way. Their Replies could not be told apart, and a list
                would be shown as what another Call had asked for.
        """
        keys = {key for message in messages if (key := _key(scope, message))}
        if not keys.isdisjoint(self._coming):
            raise Refused(
                Cause.MALFORMED, "a call with this id is on its way", next_step="Give each call an id of its own."
            )
        self._coming |= keys
        try:
            yield
        finally:
            self._coming -= keys

    @contextlib.contextmanager
    def answering(self, scope: str, answered: Sequence[Admitted]) -> Iterator[None]:
        """While the Records of Replies to ``answered`` are being written, no other Reply to them is.

        Raises:
            Refused: SERVER_FAULT, one of them has its Reply already, or is about to.
        """
        keys = {key: admitted for admitted in answered if (key := _key(scope, admitted.message))}
        if keys.keys() & self._being_answered or any(self._calls.get(key) is not one for key, one in keys.items()):
            raise Refused(Cause.SERVER_FAULT, "a call is answered twice")
        self._being_answered |= keys.keys()
        try:
            yield
        finally:
            self._being_answered -= keys.keys()

    def add(self, scope: str, admitted: Admitted) -> None:
        """Remember a Call that waits for its Reply."""
        key = _key(scope, admitted.message)
        if key is not None:
            self._calls[key] = admitted
            if len(self._calls) > OPEN_CALLS_MAX:
                self._calls.popitem(last=False)

    def indices(self) -> frozenset[int]:
        """The Records of the Calls that still wait for their Reply. Also for another thread than the gate's."""
        return frozenset(admitted.index for admitted in list(self._calls.values()))

    def find(self, scope: str, direction: Direction, call_id: Id | None) -> Admitted | None:
        """The Call that a Reply with ``call_id`` answers; ``direction`` is the Call's."""
        return None if call_id is None else self._calls.get((scope, direction, type(call_id), call_id))

    def close(self, scope: str, admitted: Admitted) -> bool:
        """Forget a Call, because it was answered or lost; False where it was not open any more."""
        key = _key(scope, admitted.message)
        if key is None or self._calls.get(key) is not admitted:
            return False
        del self._calls[key]
        return True
