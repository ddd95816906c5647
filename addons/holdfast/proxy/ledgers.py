"""Where the gateway's Records go: into a ledger of its own process, or to a writer that runs apart."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.afterwards import in_groups, left_open, lost_drafts
from holdfast.errors import LedgerError, SettingsError
from holdfast.ledger.draft import Draft
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.access import SOCKET_FILE
from holdfast.ledger.remote.ownkeys import OwnKeys, open_own_keys
from holdfast.ledger.remote.remote import RemoteLedger
from holdfast.ledger.remote.serving import LedgerSocket
from holdfast.ledger.remote.verbs import Role, Verbs
from holdfast.proxy.plant import Plant
from holdfast.witness.watch import Watch

log = logging.getLogger(__name__)

WRITER_START_S: Final = 10.0  # both processes may be started at once, and a writer reads its ledger first


def open_here(plant: Plant, origin: str) -> None:
    """Open the ledger in this process, or begin one.

    Raises:
        SettingsError: a key cannot be used.
        LedgerError: the ledger is in use, or does not verify.
    """
    keys = open_keys(plant.data, origin=origin or None)
    plant.keys = OwnKeys(keys.masking, keys.request)
    plant.ledger = Ledger.open(plant.data, keys, plant.clock, build=plant.gateway.to_json())

    def records(start: int, end: int) -> Iterator[tuple[int, bytes]]:
        with open_reader(plant.data) as reader:
            yield from reader.records(start, end)

    def objects(digest_hex: str) -> bytes | None:
        with open_reader(plant.data) as reader:
            found = reader.object(digest_hex)
        return found[1] if found is not None else None

    plant.records, plant.objects = records, objects


def open_apart(plant: Plant, path: Path, origin: str) -> None:
    """Connect to the writer at ``path``.

    Raises:
        SettingsError: a key cannot be used, or it is another ledger.
        LedgerError: no writer answers there, or it does not want us.
    """
    ledger = RemoteLedger.connect(path, wait_s=WRITER_START_S)
    try:
        plant.keys = open_own_keys(plant.data, _origin_of(ledger, origin))
    except BaseException:
        ledger.close()
        raise
    plant.ledger = ledger
    plant.records = ledger.records
    plant.objects = lambda _digest_hex: None  # the writer hands out Records alone
    plant.writer = path
    ledger.on_return(lambda: _take_up(plant))


def _origin_of(ledger: RemoteLedger, asked: str) -> str:
    name = ledger.verifier().name
    if asked and asked != name:
        raise SettingsError(f"option holdfast_origin names {asked}, but the ledger that is served is {name}")
    return name


def _take_up(plant: Plant) -> None:
    """Account for what was under way when the writer went, before another Call is admitted."""
    size = plant.ledger.publish_blocking().size
    waiting = plant.open_calls.indices()
    # A Call whose Reply may still come is not lost: the gateway has lived on.
    lost = tuple(call for call in left_open(plant.records, size).calls if call.index not in waiting)
    for group in in_groups(lost_drafts(lost, "the ledger's writer was away when the reply came")):
        plant.ledger.append_blocking(*group)
    plant.ledger.append_blocking(Draft("ledger.heartbeat", {"counters": plant.counters.to_json()}))


def watch_here(plant: Plant) -> None:
    """Have the witnesses in the rules vouch for a ledger of this process, and Calls refused where the rules say so."""
    if isinstance(plant.ledger, Ledger):
        plant.watch = Watch(plant.ledger, plant.data, lambda: plant.force.rules.witnesses, plant.clock)
        plant.watch.start()
        plant.ledger.refuse_calls = plant.watch.refusal


async def serve_commands(plant: Plant) -> LedgerSocket | None:
    """Let commands of this user and of root reach the ledger while the gateway has it open; None where it is apart."""
    if plant.writer is not None:
        return None
    keepers = (0, os.geteuid())
    path = plant.data / SOCKET_FILE
    served = LedgerSocket(path, Verbs(plant.ledger, plant.data), lambda uid: Role.OPERATOR if uid in keepers else None)
    try:
        served.claim()
    except SettingsError as error:
        log.warning("commands that write need the gateway stopped: %s", error)
        return None
    await served.start()
    return served


def close(plant: Plant) -> None:
    """Close the ledger with a last checkpoint, for which witnesses then vouch; or let go of it."""
    try:
        plant.ledger.close()
    except LedgerError as error:
        log.error("the ledger was not closed in order: %s", error)  # noqa: TRY400 -- the text is ours
    if plant.watch is not None:
        plant.watch.stop()
