"""The options and commands of mitmproxy that would let something pass beside the gate.

They are refused at start and whenever somebody sets them later, in mitmweb too: an `OptionsError` of a top-level addon
makes mitmproxy take the change back. The addon is never unloaded, since it does not belong to the script's tree.
"""

from collections.abc import Iterable
from typing import Any, Final

from mitmproxy import ctx, exceptions
from mitmproxy.proxy import mode_specs

# Option -> the only value it may have. Why: docs/options.md.
PINNED: Final[dict[str, Any]] = {
    "allow_hosts": [],
    "anticomp": True,
    "block_list": [],
    "body_size_limit": None,
    "client_replay": [],
    "connection_strategy": "lazy",
    "dumper_default_contentview": "auto",
    "ignore_hosts": [],
    "intercept": None,
    "keep_host_header": False,
    "map_local": [],
    "map_remote": [],
    "modify_body": [],
    "modify_headers": [],
    "normalize_outbound_headers": True,
    "onboarding": False,
    "proxyauth": None,
    "proxy_debug": False,
    "rawtcp": False,
    "rfile": None,
    "server_replay": [],
    "ssl_insecure": False,
    "stickyauth": None,
    "stickycookie": None,
    "store_streamed_bodies": False,
    "stream_large_bodies": None,
    "tcp_hosts": [],
    "udp_hosts": [],
    "upstream_auth": None,
    "validate_inbound_headers": True,
    "websocket": False,
}
# Unsafe by mitmproxy's default: set by the gateway at start.
FORCED: Final[dict[str, Any]] = {
    "anticomp": True,
    "connection_strategy": "lazy",
    "onboarding": False,
    "rawtcp": False,
    "tcp_timeout": 24 * 3600,  # an idle event stream is no fault
    "websocket": False,
}
# Options of ours that are numbers. Checked before anything is opened that would have to be closed.
RANGES: Final = {
    "holdfast_keep_alive": (1, 240),  # 0 would never pause; HTTP clients give up 300 s after the last byte
}
# Commands that run code, write files or send flows anew.
CLOSED_COMMANDS: Final = (
    *("script.run", "save.file", "save.har", "export.file", "cut.save", "cut.clip", "export.clip"),
    *("replay.client", "replay.client.file", "replay.client.stop", "replay.server", "replay.server.add"),
    *("replay.server.file", "replay.server.stop", "flow.set", "flow.encode", "flow.decode", "flow.encode.toggle"),
    *(
        "view.flows.create",
        "view.flows.duplicate",
        "options.load",
        "options.save",
        "options.reset",
        "options.reset.one",
        "browser.start",
    ),
    *("upload_file_to_s3", "proxyauth.add", "inject.tcp", "inject.udp", "inject.websocket", "flow.revert"),
)


class OptionGuard:
    """Refuses unsafe options, modes and scripts, at start and later."""

    name = "holdfast-options"

    def __init__(self) -> None:
        self._frozen: dict[str, object] = {}

    def freeze(self) -> None:
        """Take the options as they are now, refuse them if unsafe, and keep those that must not change.

        Raises:
            OptionsError: names the option, the value it must have and the remedy.
        """
        self.check(name for name in ctx.options.keys() if name not in FORCED)  # noqa: SIM118 -- OptManager is no dict
        ctx.options.update(**{name: value for name, value in FORCED.items() if name in ctx.options})
        unknown = sorted(name for name in ctx.options.deferred if name.startswith("holdfast"))
        if unknown:
            raise exceptions.OptionsError(f"unknown option {unknown[0]}; see docs/options.md")
        for name, (low, high) in RANGES.items():
            if not low <= (value := getattr(ctx.options, name)) <= high:
                raise exceptions.OptionsError(f"{name} is {value}; give a number from {low} to {high}")
        names = ["scripts", "mode", *own_options()]
        self._frozen = {name: _plain(getattr(ctx.options, name)) for name in names}
        if "web_columns" in ctx.options:  # mitmweb: show the decision in the list
            ctx.options.update(web_columns=["icon", "path", "comment", "method", "status", "time"])
        for command in CLOSED_COMMANDS:
            ctx.master.commands.commands.pop(command, None)

    def stand_first(self) -> None:
        """Hear of a change before any other addon, so that none acts on one that is refused."""
        chain = ctx.master.addons.chain
        chain.remove(self)
        chain.insert(0, self)

    def configure(self, updated: Iterable[str]) -> None:
        """Refuse a change that would let something pass beside the gate."""
        self.check(updated)
        for name in updated:
            if name in self._frozen and _plain(getattr(ctx.options, name)) != self._frozen[name]:
                raise exceptions.OptionsError(f"{name} cannot change while the gateway runs; restart it instead")

    def check(self, updated: Iterable[str]) -> None:
        """Refuse unsafe values among the options named.

        Raises:
            OptionsError: names the option and the remedy.
        """
        for name in updated:
            if name in PINNED and name in ctx.options and _plain(getattr(ctx.options, name)) != PINNED[name]:
                raise exceptions.OptionsError(
                    f"option {name} must be {PINNED[name]!r} behind Holdfast; remove it from the command line and from "
                    "config.yaml"
                )
        for spec in ctx.options.mode:
            mode = mode_specs.ProxyMode.parse(spec)
            if not isinstance(mode, mode_specs.ReverseMode) or mode.scheme not in ("http", "https"):
                raise exceptions.OptionsError("Holdfast runs in one mode: --mode reverse:http://HOST:PORT (or https)")
        if len(ctx.options.mode) != 1:
            raise exceptions.OptionsError("Holdfast stands before one server: give --mode once")


def own_options() -> list[str]:
    """The names of the options that Holdfast declares, sorted."""
    known: Iterable[str] = ctx.options.keys()
    return sorted(name for name in known if name.startswith("holdfast_"))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple | list) else value
