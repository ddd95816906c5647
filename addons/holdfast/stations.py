"""What the gate works with, and how far one request has come."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Final

from holdfast.approval.cancelling import Cancellations
from holdfast.approval.desk import Desk
from holdfast.approval.legs import FIRST, Leg, Legs
from holdfast.call import Body, Message
from holdfast.capture import Gateway
from holdfast.catalog import Catalogs
from holdfast.clock import Clock
from holdfast.errors import Refused
from holdfast.exchange import Outgoing, Request
from holdfast.hosts import LOOPBACK, Hosts
from holdfast.identity.caller import Caller
from holdfast.identity.sessions import Sessions
from holdfast.jsontext import JsonObject
from holdfast.keepalive import KeepAlive
from holdfast.ledger.remote.access import Writable
from holdfast.masking.vault import Vault
from holdfast.meters import Meters
from holdfast.outbox import Outbox
from holdfast.passage import Admission, Admitted, InForce, Kind, OpenCalls
from holdfast.policy.servers import Server
from holdfast.trusted import Pins

_ALONE: Final = itertools.count()
ANNOUNCED_MAX: Final = 10_000  # open streams of HTTP+SSE; each costs two hundred bytes


@dataclasses.dataclass(slots=True)
class Counters:
    """What a heartbeat Record reports; each counts since the gateway started."""

    calls: int = 0
    replies: int = 0
    refused: int = 0
    lost: int = 0

    def to_json(self) -> JsonObject:
        """The member ``counters``."""
        return {"calls": self.calls, "replies": self.replies, "refused": self.refused, "lost": self.lost}


@dataclasses.dataclass(frozen=True, slots=True)
class Stations:
    """The stations of the gateway, ready to work.

    ``announced`` are the paths that servers named for one session (HTTP+SSE, 2024-11-05), and ``outboxes`` what the
    gateway itself says on such streams, by the session's digest. ``resource`` is the public URL of the gateway up to
    its host and port, ``hosts`` the names under which it may be asked, ``origins`` the Origin header values that
    browsers may send. ``legs`` seals the state with which held calls of the modern era come back. ``objects`` reads an
    object of the ledger by its digest, where it is at hand, and blocks.
    """

    in_force: Callable[[], InForce]
    sessions: Sessions
    desk: Desk
    ledger: Writable
    clock: Clock
    gateway: Gateway
    request_key: bytes
    resource: str
    origins: frozenset[str]
    hosts: Hosts = Hosts(LOOPBACK)  # noqa: RUF009 -- it is frozen
    announced: dict[str, str] = dataclasses.field(default_factory=dict)
    catalogs: Catalogs = dataclasses.field(default_factory=Catalogs)
    pins: Pins = dataclasses.field(default_factory=Pins)
    objects: Callable[[str], bytes | None] = lambda _digest_hex: None
    open_calls: OpenCalls = dataclasses.field(default_factory=OpenCalls)
    cancellations: Cancellations = dataclasses.field(default_factory=Cancellations)
    outboxes: dict[str, Outbox] = dataclasses.field(default_factory=dict)
    legs: Legs = dataclasses.field(init=False)
    counters: Counters = dataclasses.field(default_factory=Counters)
    meters: Meters = dataclasses.field(default_factory=Meters)
    vault: Vault = dataclasses.field(default_factory=Vault)

    def __post_init__(self) -> None:
        object.__setattr__(self, "legs", Legs(self.request_key, self.clock))

    def announce(self, session_digest_hex: str, path: str) -> None:
        """Remember the endpoint that a server named for one session; of too many, the oldest is forgotten."""
        self.announced[session_digest_hex] = path
        while len(self.announced) > ANNOUNCED_MAX:
            del self.announced[next(iter(self.announced))]


@dataclasses.dataclass(slots=True)
class Trail:
    """How far a request has come: what its refusal needs to be answered and written down.

    ``found`` is the server whose endpoint ``path`` is, and ``upstream_path`` what is asked there.
    """

    request: Request
    force: InForce
    base: JsonObject = dataclasses.field(default_factory=dict)
    caller: Caller | None = None
    body: Body | None = None
    kept: Message | None = None
    found: Server | None = None
    path: str = ""
    upstream_path: str = ""
    session: str | None = None
    version: str = ""
    on_stream: bool = False  # HTTP+SSE: replies go to the session's stream, the POST is answered at once
    leg: Leg = FIRST
    signs: KeepAlive | None = None
    turned: list[tuple[Message, Refused]] = dataclasses.field(default_factory=list)  # elements of a batch
    alone: str = dataclasses.field(default_factory=lambda: f"alone {next(_ALONE)}")

    @property
    def scope(self) -> str:
        """Within what JSON-RPC ids are unique: the session of the server, else this request alone."""
        return scope_of(self.server, self.session) if self.session else self.alone

    @property
    def server(self) -> Server:
        """The server that is asked.

        Raises:
            RuntimeError: none was found, so nothing can be judged.
        """
        if self.found is None:
            raise RuntimeError("no server was found")
        return self.found

    def admission(
        self, kind: Kind, caller: Caller, outgoing: Outgoing, admitted: tuple[Admitted, ...], note: dict[str, str]
    ) -> Admission:
        """What the request has become, now that it may travel."""
        return Admission(
            kind=kind,
            caller=caller,
            outgoing=outgoing,
            admitted=admitted,
            session=self.session,
            scope=self.scope,
            force=self.force,
            base=self.base,
            note=note,
            server=self.server,
            path=self.path,
            signs=self.signs,
        )


def scope_of(server: Server, session: str) -> str:
    """Within what the JSON-RPC ids of a session are unique. A server's id has no blank."""
    return f"{server.id} {session}"
