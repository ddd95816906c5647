"""The policy station: the rules in force, and how new ones take their place."""

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from mitmproxy import command, ctx, exceptions
from mitmproxy.addonmanager import Loader

from holdfast.errors import HoldfastError
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft
from holdfast.passage import InForce
from holdfast.policy.ruleset import load_ruleset
from holdfast.proxy.identity import IdentityStation
from holdfast.proxy.masking import MaskingStation
from holdfast.proxy.plant import Plant
from holdfast.proxy.servers import ServersStation

log = logging.getLogger(__name__)


class PolicyStation:
    """Reads the rules at start, and anew on SIGHUP or `holdfast.rules.reload`: all of them, or none."""

    name = "holdfast-policy"

    def __init__(self) -> None:
        self._plant: Plant | None = None
        self._reloading = asyncio.Lock()

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.add_option("holdfast_rules", str, "rules", "Folder with identity, access, masking and approval.yaml.")

    def open(self, plant: Plant) -> None:
        """Read the rules and build what follows from them.

        Raises:
            RulesError: a file is wrong; the gateway does not start.
        """
        plant.force = self._make(plant)
        if not plant.force.rules.identity.issuers:
            log.warning("identity.yaml names no issuer: nobody will pass. See docs/identity.md.")

    def _make(self, plant: Plant) -> InForce:
        directory = Path(ctx.options.holdfast_rules).expanduser()
        rules = load_ruleset(directory)
        servers = ServersStation.make(rules, directory)
        masker, engine = MaskingStation.make(rules, plant)
        return InForce(rules, IdentityStation.make(rules, plant), masker, engine, servers)

    async def start(self, plant: Plant) -> None:
        """Record the rules before the first message is judged by them, and listen for SIGHUP."""
        self._plant = plant
        await _record(plant, plant.force, None)
        _on_hangup(lambda: asyncio.ensure_future(self._reload(plant)))

    async def stop(self, plant: Plant) -> None:
        """No more reloads."""
        self._plant = None

    @command.command("holdfast.rules.reload")  # type: ignore[untyped-decorator] # mitmproxy leaves it untyped
    def reload(self) -> None:
        """Read the rule files anew. If one is wrong, the rules in force stay."""
        if self._plant is None:
            raise exceptions.CommandError("the gateway is not running")
        asyncio.ensure_future(self._reload(self._plant))  # noqa: RUF006 -- the lock below keeps it alive

    async def _reload(self, plant: Plant) -> None:
        async with self._reloading:
            try:
                force = await asyncio.to_thread(self._make, plant)
                await _prepare(plant, force)
            except HoldfastError as error:
                log.error("the rules in force stay: %s", error)  # noqa: TRY400 -- an operator needs file and line
                return
            # The Record of the new rules is durable: they may judge from here on.
            plant.force, former = force, plant.force
            await former.masker.retire()
            log.info("new rules in force: %s", force.rules.digest_hex)
            ServersStation.log(force.servers)


async def _prepare(plant: Plant, force: InForce) -> None:
    """Have all that ``force`` needs ready, then write down that its rules are loaded."""
    try:
        await force.identifier.warm()
        await force.masker.start()
        await _record(plant, force, plant.force.rules.digest_hex)
    except BaseException:
        await force.masker.retire()
        raise


async def _record(plant: Plant, force: InForce, previous: str | None) -> None:
    rules = force.rules
    files: JsonObject = {}
    for source in rules.sources:
        media = "application/x-pem-file" if source.name.endswith(".pem") else "application/yaml"
        files[source.name] = await plant.ledger.put_object(media, source.data)
    engine = force.masker.equipment().to_json()
    body: JsonObject = {"rules": rules.digest_hex, "files": files, "engine": engine, "gw": plant.gateway.to_json()}
    if previous is not None:
        body["previous"] = previous
    await plant.ledger.append(Draft("rules.loaded", body, {}, None))


def _on_hangup(action: Callable[[], object]) -> None:
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, action)
    except (NotImplementedError, RuntimeError, AttributeError):  # what event loops without signals raise
        log.info("no SIGHUP on this platform; reload rules with holdfast.rules.reload")
