"""Brings the gateway up inside mitmproxy, station by station, and takes it down again.

Until the last station has started there is no gate, and without a gate the monitor lets nothing pass. Every addon
stands at top level: what mitmproxy does to the script that loaded them changes nothing.
"""

import logging
from collections.abc import Iterable, Sequence

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader

from holdfast.errors import HoldfastError
from holdfast.gate import Gate
from holdfast.memory import settle_memory
from holdfast.proxy import install, view
from holdfast.proxy.gate_addon import GateAddon
from holdfast.proxy.guard import OptionGuard
from holdfast.proxy.identity import IdentityStation
from holdfast.proxy.plant import Plant, Station
from holdfast.proxy.servers import ServersStation
from holdfast.proxy.speed import install_dispatch, shed_idle_addons, skip_type_checks
from holdfast.stations import Stations

log = logging.getLogger(__name__)


class Gateway:
    """The addon that mitmproxy loads from ``gateway.py``: it adds the stations and keeps nothing to itself."""

    name = "holdfast-loader"

    def __init__(self, stations: Sequence[Station]) -> None:
        self._stations = stations
        self._added = False

    def load(self, loader: Loader) -> None:
        """Put the monitor in place, then add the stations at top level."""
        install.install()
        if ctx.master.addons.get(Conductor.name) is not None:
            log.warning("gateway.py was loaded again; the gateway that runs stays as it is")
            return
        ctx.master.addons.add(
            *self._stations, OptionGuard(), GateAddon(), view.BoundedList(), Conductor(self._stations)
        )
        self._added = True

    def configure(self, updated: Iterable[str]) -> None:
        """Open the stations, once all options are known.

        Raises:
            OptionsError: why the gateway cannot start; mitmproxy exits.
        """
        if not self._added:
            return
        self._added = False
        conductor = ctx.master.addons.get(Conductor.name)
        conductor.open()


class Conductor:
    """Opens, starts and stops the stations in order."""

    name = "holdfast"

    def __init__(self, stations: Sequence[Station]) -> None:
        self._stations = stations
        self._plant = Plant()
        self._is_open = False

    def open(self) -> None:
        """Check the options and build every part.

        Raises:
            OptionsError: names what is wrong and what to do.
        """
        try:
            ctx.master.addons.get(OptionGuard.name).freeze()
            for station in self._stations:
                station.open(self._plant)
        except HoldfastError as error:
            raise exceptions.OptionsError(f"Holdfast does not start: {error}") from None
        view.register()
        self._is_open = True

    async def running(self) -> None:
        """Start every station; then, and not before, give the gate to its addon."""
        if not self._is_open:
            return
        _freeze_script()
        ctx.master.addons.get(OptionGuard.name).stand_first()
        shed_idle_addons()
        install_dispatch()
        skip_type_checks()
        try:
            for station in self._stations:
                await station.start(self._plant)
            resource = IdentityStation.resource(self._plant.force.rules)
            hosts = IdentityStation.hosts(resource)
        except HoldfastError as error:
            log.error("Holdfast does not start: %s", error)  # noqa: TRY400 -- the text is ours; mitmproxy exits on it
            return
        plant = self._plant
        ctx.master.addons.get(GateAddon.name).gate = Gate(
            Stations(
                in_force=lambda: plant.force,
                sessions=plant.sessions,
                desk=plant.desk,
                ledger=plant.ledger,
                clock=plant.clock,
                gateway=plant.gateway,
                request_key=plant.keys.request,
                resource=resource,
                hosts=hosts,
                origins=frozenset(ctx.options.holdfast_origins),
                catalogs=plant.catalogs,
                pins=plant.pins,
                objects=plant.objects,
                counters=plant.counters,
                meters=plant.meters,
                open_calls=plant.open_calls,
            )
        )
        ctx.master.addons.get(GateAddon.name).keep_alive_s = ctx.options.holdfast_keep_alive
        settle_memory()
        ServersStation.log(plant.force.servers)
        log.info("Holdfast %s guards %s", plant.gateway.version, ServersStation.names(plant.force.servers))

    async def done(self) -> None:
        """Take the gate away, then stop the stations in reverse order."""
        gate_addon = ctx.master.addons.get(GateAddon.name)
        if gate_addon is not None:
            gate_addon.gate = None
        for station in reversed(self._stations if self._is_open else []):
            try:
                await station.stop(self._plant)
            except HoldfastError as error:
                log.error("a station did not stop in order: %s", error)  # noqa: TRY400 -- the text is ours
        self._is_open = False


def _freeze_script() -> None:
    """Stop watching the script file: an edit or a deletion must not unload what runs."""
    script_loader = ctx.master.addons.get("scriptloader")
    for script in script_loader.addons if script_loader else []:
        if script.reloadtask:
            script.reloadtask.cancel()
