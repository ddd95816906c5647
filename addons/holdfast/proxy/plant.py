"""What the stations build together at start, part by part, and share while the gateway runs."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from holdfast.approval.desk import Desk
from holdfast.capture import Gateway
from holdfast.catalog import Catalogs
from holdfast.clock import Clock, SystemClock
from holdfast.errors import SettingsError
from holdfast.identity.sessions import Sessions
from holdfast.ledger.remote.access import Writable
from holdfast.ledger.remote.ownkeys import OwnKeys
from holdfast.meters import Meters
from holdfast.passage import InForce, OpenCalls
from holdfast.stations import Counters
from holdfast.trusted import Pins
from holdfast.witness.watch import Watch


@dataclasses.dataclass
class Plant:
    """The parts of a running gateway. A part that is not there yet raises when asked for.

    ``writer`` is the socket of the ledger's writer, where that runs apart and also sees to the witnesses; ``watch`` is
    what sees to them here. ``records`` reads Records from one index to before another, ``objects``
    an object by its digest where that is at hand; both block.
    """

    clock: Clock = dataclasses.field(default_factory=SystemClock)
    sessions: Sessions = dataclasses.field(default_factory=Sessions)
    counters: Counters = dataclasses.field(default_factory=Counters)
    catalogs: Catalogs = dataclasses.field(default_factory=Catalogs)
    open_calls: OpenCalls = dataclasses.field(default_factory=OpenCalls)
    meters: Meters = dataclasses.field(default_factory=Meters)
    writer: Path | None = None
    watch: Watch | None = None
    data: Path = dataclasses.field(init=False)
    gateway: Gateway = dataclasses.field(init=False)
    keys: OwnKeys = dataclasses.field(init=False)
    ledger: Writable = dataclasses.field(init=False)
    records: Callable[[int, int], Iterator[tuple[int, bytes]]] = dataclasses.field(init=False)
    objects: Callable[[str], bytes | None] = dataclasses.field(init=False)
    pins: Pins = dataclasses.field(init=False)
    force: InForce = dataclasses.field(init=False)
    desk: Desk = dataclasses.field(init=False)


class Station(Protocol):
    """One station of the way: it declares its options, builds its part, starts and stops it."""

    def open(self, plant: Plant) -> None:
        """Build the part. Raises :class:`~holdfast.errors.HoldfastError` when it cannot; the gateway then exits."""

    async def start(self, plant: Plant) -> None:
        """Do what needs the event loop, before the first message passes."""

    async def stop(self, plant: Plant) -> None:
        """Undo it, after the last message has passed; also where the start did not get as far as this station."""


def need(value: str | None, option: str, example: str) -> str:
    """The value of an option that must be set.

    Raises:
        SettingsError: it is empty; names the option and shows an example.
    """
    if not value:
        raise SettingsError(f"option {option} is empty; set it, for example --set {option}={example}")
    return value
