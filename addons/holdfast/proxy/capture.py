"""The capture station: the ledger, its keys, and the Records about the gateway itself."""

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import Final

from mitmproxy import command, ctx
from mitmproxy.addonmanager import Loader

from holdfast import jsontext
from holdfast.afterwards import OpenCall, in_groups, left_open, lost_drafts
from holdfast.build import VERSION, code_digest_hex
from holdfast.capture import Gateway
from holdfast.errors import HoldfastError, Refused, SettingsError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.remote.serving import LedgerSocket
from holdfast.proxy import ledgers
from holdfast.proxy.guard import own_options
from holdfast.proxy.plant import Plant, need
from holdfast.trusted import Pins

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 60  # silence longer than this is a gap that the evidence names


class CaptureStation:
    """Options about where Records go; opens the ledger, writes starts, stops and heartbeats."""

    name = "holdfast-capture"

    def __init__(self) -> None:
        self._heart: asyncio.Task[None] | None = None
        self._plant: Plant | None = None
        self._served: LedgerSocket | None = None

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.add_option("holdfast_data", str, "data", "Folder for ledger, payloads, checkpoints and keys.")
        loader.add_option(
            "holdfast_origin",
            str,
            "",
            "Name of the ledger, such as gw.example.com/ledger/n1. Default: the one it has, else one from its key.",
        )
        loader.add_option(
            "holdfast_ledger",
            str,
            "",
            "Socket of a ledger that another process writes (ledger.py serve). Empty: this process writes it.",
        )

    def open(self, plant: Plant) -> None:
        """Make the data folder and the keys if this is the first start, and open the ledger or connect to its writer.

        Raises:
            SettingsError: the folder or a key cannot be used.
            LedgerError: the ledger is in use, or does not verify; or no writer answers.
        """
        plant.data = Path(need(ctx.options.holdfast_data, "holdfast_data", "data")).expanduser().resolve()
        try:
            plant.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"holdfast_data {plant.data} cannot be made: {error.strerror}") from None
        if not os.access(plant.data, os.R_OK | os.W_OK | os.X_OK):
            raise SettingsError(f"holdfast_data {plant.data} cannot be written by this user")
        plant.gateway = Gateway(VERSION, code_digest_hex(), _config_digest_hex())
        if ctx.options.holdfast_ledger:
            path = Path(ctx.options.holdfast_ledger).expanduser().absolute()
            ledgers.open_apart(plant, path, ctx.options.holdfast_origin)
        else:
            ledgers.open_here(plant, ctx.options.holdfast_origin)

    async def start(self, plant: Plant) -> None:
        """Record the start, and what the last run left open, before anything passes."""
        self._plant = plant
        previous = plant.ledger.previous
        open_then = await asyncio.to_thread(left_open, plant.records, previous.size)
        body: JsonObject = {
            "gw": plant.gateway.to_json(),
            "rules": plant.force.rules.digest_hex,
            "prev": {"size": previous.size, "root": previous.root_hex},
            "clean": previous.clean,
            **_process(plant),
        }
        if open_then.calls:
            body["missed"] = {"calls": len(open_then.calls)}
        plant.pins = Pins(plant.records)
        await asyncio.to_thread(plant.pins.rebuild, plant.catalogs)
        await plant.ledger.put_object("application/json", jsontext.canonical(_config()))
        await plant.ledger.append(Draft("ledger.start", body, {}, None))
        for group in in_groups(lost_drafts(open_then.calls, "the gateway stopped before the reply came")):
            await plant.ledger.append(*group)
        for digest_hex, owner in open_then.sessions:
            with contextlib.suppress(Refused):  # a session that two Callers opened is nobody's
                plant.sessions.restore(digest_hex, owner)
        self._heart = asyncio.create_task(self._beat(plant), name="holdfast heartbeat")
        await asyncio.to_thread(ledgers.watch_here, plant)
        self._served = await ledgers.serve_commands(plant)

    async def stop(self, plant: Plant) -> None:
        """Record what is left open and the stop; close the ledger with a last checkpoint."""
        if self._heart is not None:
            self._heart.cancel()
        if self._served is not None:
            await self._served.stop()
        if plant.watch is not None:
            await asyncio.to_thread(plant.watch.halt)
        try:
            if self._plant is None:
                return
            body: JsonObject = {"counters": _counters(plant), "gw": plant.gateway.to_json(), **_process(plant)}
            drafts = [Draft("ledger.stop", body)]
            still_open = await asyncio.to_thread(left_open, plant.records, (await plant.ledger.publish()).size)
            calls: tuple[OpenCall, ...] = still_open.calls
            for group in in_groups(lost_drafts(calls, "the gateway stopped before the reply came") + drafts):
                await plant.ledger.append(*group)
        except HoldfastError as error:
            log.error("the stop could not be recorded: %s", error)  # noqa: TRY400 -- the text is ours
        finally:
            await asyncio.to_thread(ledgers.close, plant)

    async def _beat(self, plant: Plant) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await plant.ledger.append(Draft("ledger.heartbeat", {"counters": _counters(plant)}, {}, None))
            except HoldfastError as error:
                log.error("no heartbeat: %s", error)  # noqa: TRY400 -- the text is ours
            except Exception as error:  # noqa: BLE001 -- one beat that fails must not be the last: silence is a gap
                log.error("no heartbeat: %s", type(error).__name__)  # noqa: TRY400 -- a foreign text may hold content

    @command.command("holdfast.status")  # type: ignore[untyped-decorator] # mitmproxy leaves it untyped
    def status(self) -> str:
        """Say how many Records the ledger has, and whether the gateway can write the next."""
        if self._plant is None:
            return "not running"
        head = self._plant.ledger.head()
        state = "ready" if self._plant.ledger.healthy() else "CANNOT RECORD: everything is refused"
        writer = f"; ledger written at {self._plant.writer}" if self._plant.writer else ""
        watched = f"; {self._plant.watch.status_text()}" if self._plant.watch else ""
        rules = self._plant.force.rules.digest_hex[:12]
        return f"{state}; checkpoint at {head.size} Records; rules {rules}{writer}{watched}"


def _config() -> JsonObject:
    """The options in force: Holdfast's own, and those that decide where messages go."""
    values: JsonObject = {}
    for name in ("mode", *own_options()):
        value = getattr(ctx.options, name)
        plain: Json = list(value) if isinstance(value, tuple | list) else str(value)
        values[name] = plain
    return values


def _config_digest_hex() -> str:
    return jsontext.digest_hex(_config())


def _counters(plant: Plant) -> JsonObject:
    return plant.counters.to_json() | {"sessions": len(plant.sessions)}


def _process(plant: Plant) -> JsonObject:
    """Whose start or stop it is, where the ledger's writer has its own."""
    return {} if plant.writer is None else {"process": "gateway"}
