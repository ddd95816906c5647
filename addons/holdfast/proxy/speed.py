"""Takes mitmproxy's own cost out of a request: addons that a gateway does not use, and hooks that nobody listens to.

mitmproxy asks every addon at every hook, through a context manager each; that is half of its time. Here idle addons are
removed, and for each hook the addons that have it are remembered until the set of addons changes. What a hook does, in
which order and what becomes of its errors stays mitmproxy's.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from mitmproxy import addonmanager, ctx, exceptions, hooks, http
from mitmproxy.addons import tlsconfig

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


type _Hooked = Callable[..., Awaitable[None] | None]


class Dispatch:
    """`AddonManager.trigger_event`, asking only those addons that have the hook."""

    def __init__(self, manager: addonmanager.AddonManager) -> None:
        self._manager = manager
        self._chain: list[object] = []
        self._having: dict[str, list[tuple[object, _Hooked | None]]] = {}

    async def trigger_event(self, event: hooks.Hook) -> None:
        """Call ``event`` on the addons that have it, in order; each error is contained as mitmproxy does."""
        for addon, hooked in self._addons_with(event.name):
            try:
                with addonmanager.safecall():
                    await self._ask(addon, hooked, event)
            except exceptions.AddonHalt:
                return

    async def _ask(self, addon: object, hooked: _Hooked | None, event: hooks.Hook) -> None:
        waits = self._manager.invoke_addon(addon, event) if hooked is None else hooked(*event.args())
        if waits is not None and inspect.isawaitable(waits):
            await waits

    def _addons_with(self, name: str) -> list[tuple[object, _Hooked | None]]:
        """The addons that have the hook ``name``, with the hook; None where mitmproxy has to look for it each time."""
        chain = self._manager.chain
        if chain != self._chain:
            self._chain = list(chain)
            self._having = {}
        found = self._having.get(name)
        if found is None:
            found = self._having[name] = []
            for addon in chain:
                hooked = getattr(addon, name, None)
                # An addon with addons of its own may gain some later, and what is no function is mitmproxy's to refuse.
                if hasattr(addon, "addons") or (hooked is not None and not inspect.isroutine(hooked)):
                    found.append((addon, None))
                elif hooked is not None:
                    found.append((addon, hooked))
        return found


def install_dispatch() -> None:
    """Let the running master use :class:`Dispatch`."""
    manager = ctx.master.addons
    manager.trigger_event = Dispatch(manager).trigger_event  # type: ignore[method-assign] # this instance alone


def skip_type_checks() -> None:
    """Spare every HTTP message the check of its fields' types, a help for addon authors; ours are typed."""
    http.MessageData.__post_init__ = _unchecked  # type: ignore[method-assign] # what it checks, mypy has checked


def _unchecked(_data: http.MessageData) -> None:
    pass


def is_heard(name: str) -> bool:
    """Whether any addon listens to the hook ``name`` of a flow; a hook costs a task of its own, heard or not.

    TlsConfig's `request` serves revocation lists by setting a response, which the gate never sends.
    """
    listening = addonmanager.traverse(ctx.master.addons.chain)
    return any(
        hasattr(addon, name) or hasattr(addon, "update")
        for addon in listening
        if not isinstance(addon, tlsconfig.TlsConfig)
    )
