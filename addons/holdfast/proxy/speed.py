"""Takes mitmproxy's own cost out of a request: addons that a gateway does not use, and hooks that nobody listens to.

mitmproxy asks every addon at every hook, through a context manager each; that is half of its time. Here idle addons are
removed, and for each hook the addons that have it are remembered until the set of addons changes. What a hook does, in
which order and what becomes of its errors stays mitmproxy's.
"""

import gc
from typing import Final

from mitmproxy import addonmanager, ctx, exceptions, hooks

# Each is idle behind Holdfast: its options are pinned to "off" (guard.py), or it serves modes that are refused.
_IDLE: Final = (
    *("anticache", "anticomp", "blocklist", "browser", "disableh2c", "dnsresolver", "maplocal"),
    *("mapremote", "modifybody", "modifyheaders", "onboarding", "proxyauth", "serverplayback", "stickyauth"),
    *("stickycookie", "stripdnshttpsrecords", "upstreamauth", "updatealtsvc", "savehar"),
)


def shed_idle_addons() -> None:
    """Remove the idle addons. Their options stay known, so that setting one is still refused with a reason."""
    for name in _IDLE:
        addon = ctx.master.addons.get(name)
        if addon is not None:
            ctx.master.addons.remove(addon)


class Dispatch:
    """`AddonManager.trigger_event`, asking only those addons that have the hook."""

    def __init__(self, manager: addonmanager.AddonManager) -> None:
        self._manager = manager
        self._chain: list[object] = []
        self._having: dict[str, list[object]] = {}

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call ``event`` on the addons that have it, in order; each error is contained as mitmproxy does."""
        for addon in self._addons_with(event.name):
            try:
                with addonmanager.safecall():
                    await self._manager.invoke_addon(addon, event)
            except exceptions.AddonHalt:
                return

    def _addons_with(self, name: str) -> list[object]:
        chain = self._manager.chain
        if chain != self._chain:
            self._chain = list(chain)
            self._having = {}
        found = self._having.get(name)
        if found is None:
            # An addon with addons of its own may gain some later: it is always asked.
            found = [addon for addon in chain if hasattr(addon, "addons") or getattr(addon, name, None) is not None]
            self._having[name] = found
        return found


def install_dispatch() -> None:
    """Let the running master use :class:`Dispatch`."""
    manager = ctx.master.addons
    manager.trigger_event = Dispatch(manager).trigger_event  # type: ignore[method-assign] # this instance alone


def settle_memory() -> None:
    """Take what start-up built (recognizers, grammars, tables) out of the garbage collector's rounds."""
    gc.collect()
    gc.freeze()
