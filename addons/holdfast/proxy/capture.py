"""The capture station: the ledger, its keys, and the Records about the gateway itself."""

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import Final

from mitmproxy import command, ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import mode_specs

from holdfast import jsontext
from holdfast.afterwards import OpenCall, in_groups, left_open, lost_drafts
from holdfast.build import VERSION, code_digest_hex
from holdfast.capture import Gateway
from holdfast.errors import HoldfastError, Refused, SettingsError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.proxy.guard import own_options
from holdfast.proxy.monitor import host_text
from holdfast.proxy.plant import Plant, need

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 60  # silence longer than this is a gap that the evidence names


class CaptureStation:
    """Options about where Records go; opens the ledger, writes starts, stops and heartbeats."""

    name = "holdfast-capture"

    def __init__(self) -> None:
        self._heart: asyncio.Task[None] | None = None
        self._plant: Plant | None = None

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.add_option("holdfast_data", str, "data", "Folder for ledger, payloads, checkpoints and keys.")
        loader.add_option(
            "holdfast_origin",
            str,
            "",
            "Name of the ledger, such as gw.example.com/ledger/n1. Default: the one it has, else one from its key.",
        )
        loader.add_option("holdfast_server", str, "default", "Name of the MCP server, as rules and Records use it.")

    def open(self, plant: Plant) -> None:
        """Make the data folder and the keys if this is the first start, and open the ledger.

        Raises:
            SettingsError: the folder or a key cannot be used.
            LedgerError: the ledger is in use, or does not verify.
        """
        plant.data = Path(need(ctx.options.holdfast_data, "holdfast_data", "data")).expanduser().resolve()
        try:
            plant.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"holdfast_data {plant.data} cannot be made: {error.strerror}") from None
        if not os.access(plant.data, os.R_OK | os.W_OK | os.X_OK):
            raise SettingsError(f"holdfast_data {plant.data} cannot be written by this user")
        plant.keys = open_keys(plant.data, origin=ctx.options.holdfast_origin or None)
        plant.gateway = Gateway(
            VERSION, code_digest_hex(), _config_digest_hex(), ctx.options.holdfast_server, upstream_host()
        )
        plant.ledger = Ledger.open(plant.data, plant.keys, plant.clock, build=plant.gateway.to_json())

    async def start(self, plant: Plant) -> None:
        """Record the start, and what the last run left open, before anything passes."""
        self._plant = plant
        previous = plant.ledger.previous
        open_then = await asyncio.to_thread(left_open, plant.data, previous.size)
        body: JsonObject = {
            "gw": plant.gateway.to_json(),
            "rules": plant.force.rules.digest_hex,
            "prev": {"size": previous.size, "root": previous.root_hex},
            "clean": previous.clean,
        }
        if open_then.calls:
            body["missed"] = {"calls": len(open_then.calls)}
        await plant.ledger.put_object("application/json", jsontext.canonical(_config()))
        await plant.ledger.append(Draft("ledger.start", body, {}, None))
        for group in in_groups(lost_drafts(open_then.calls, "the gateway stopped before the reply came")):
            await plant.ledger.append(*group)
        for digest_hex, owner in open_then.sessions:
            with contextlib.suppress(Refused):  # a session that two Callers opened is nobody's
                plant.sessions.restore(digest_hex, owner)
        self._heart = asyncio.create_task(self._beat(plant), name="holdfast heartbeat")

    async def stop(self, plant: Plant) -> None:
        """Record what is left open and the stop; close the ledger with a last checkpoint."""
        if self._heart is not None:
            self._heart.cancel()
        try:
            if self._plant is None:
                return
            drafts = [Draft("ledger.stop", {"counters": _counters(plant), "gw": plant.gateway.to_json()}, {}, None)]
            still_open = await asyncio.to_thread(left_open, plant.data, (await plant.ledger.publish()).size)
            calls: tuple[OpenCall, ...] = still_open.calls
            for group in in_groups(lost_drafts(calls, "the gateway stopped before the reply came") + drafts):
                await plant.ledger.append(*group)
        except HoldfastError as error:
            log.error("the stop could not be recorded: %s", error)  # noqa: TRY400 -- the text is ours
        finally:
            await asyncio.to_thread(plant.ledger.close)

    async def _beat(self, plant: Plant) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await plant.ledger.append(Draft("ledger.heartbeat", {"counters": _counters(plant)}, {}, None))
            except HoldfastError as error:
                log.error("no heartbeat: %s", error)  # noqa: TRY400 -- the text is ours

    @command.command("holdfast.status")  # type: ignore[untyped-decorator] # mitmproxy leaves it untyped
    def status(self) -> str:
        """Say how many Records the ledger has, and whether the gateway can write the next."""
        if self._plant is None:
            return "not running"
        head = self._plant.ledger.head()
        state = "ready" if self._plant.ledger.healthy() else "CANNOT RECORD: everything is refused"
        return f"{state}; checkpoint at {head.size} Records; rules {self._plant.force.rules.digest_hex[:12]}"


def upstream_host() -> str:
    """Host and port of the MCP server, from the mode option."""
    mode = mode_specs.ProxyMode.parse(ctx.options.mode[0])
    if not isinstance(mode, mode_specs.ReverseMode):
        raise SettingsError("Holdfast runs in one mode: --mode reverse:http://HOST:PORT (or https)")
    return host_text((mode.address[0], mode.address[1]), tls=mode.scheme == "https")


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
    counters = plant.counters
    return {
        "calls": counters.calls,
        "replies": counters.replies,
        "refused": counters.refused,
        "lost": counters.lost,
        "sessions": len(plant.sessions),
    }
