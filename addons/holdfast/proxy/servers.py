"""The servers station: which servers are behind the gateway, from `rules/servers.yaml` or from the options."""

import ipaddress
import logging
from collections.abc import Sequence
from pathlib import Path

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import mode_specs

from holdfast.errors import RulesError, SettingsError
from holdfast.exchange import Upstream
from holdfast.policy.credential import with_credential
from holdfast.policy.ruleset import Ruleset
from holdfast.policy.servers import Server, Servers, check_path, is_free
from holdfast.proxy.plant import Plant

log = logging.getLogger(__name__)


class ServersStation:
    """Options about the one server where no rule names any; builds the Servers in force."""

    name = "holdfast-servers"

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.add_option(
            "holdfast_server",
            str,
            "default",
            "Name of the MCP server, as rules and Records use it. Not used where servers.yaml names servers.",
        )
        loader.add_option(
            "holdfast_paths",
            Sequence[str],
            ["/mcp", "/sse"],
            "Paths of the server's MCP endpoints; any other is refused. Not used where servers.yaml names servers.",
        )

        loader.add_option(
            "holdfast_credential",
            str,
            "",
            "File with the gateway's own credential for the MCP server, mode 0600. Not used with servers.yaml.",
        )
        loader.add_option(
            "holdfast_caller_header",
            str,
            "",
            "Header in which the MCP server is told who asks, as a keyed digest. Not used with servers.yaml.",
        )

    def open(self, plant: Plant) -> None:
        """Nothing to build before the rules are read."""

    async def start(self, plant: Plant) -> None:
        """Nothing to start: a server is connected to when the first message may travel."""

    async def stop(self, plant: Plant) -> None:
        """Nothing is left open."""

    @staticmethod
    def make(rules: Ruleset, directory: Path) -> Servers:
        """The servers that ``rules`` name, with their credentials; else the one of the options.

        Raises:
            RulesError: a credential cannot be read.
            SettingsError: an option names no plain path.
        """
        if not rules.servers:
            return Servers((_of_options(),))
        if _upstream_of_mode() not in [server.upstream for server in rules.servers]:
            log.warning("servers.yaml names the servers: %s of --mode is not asked", _upstream_of_mode())
        return Servers(tuple(with_credential(server, directory) for server in rules.servers))

    @staticmethod
    def names(servers: Servers) -> str:
        """The servers on one line, for the log."""
        alone = servers.alone()
        if alone is not None:
            return alone.upstream.host_text()
        return f"{len(servers.listed)} servers: {', '.join(server.id for server in servers.listed)}"

    @staticmethod
    def log(servers: Servers) -> None:
        """Say which path leads where, a line for each, and which credential would travel in the clear."""
        for server in servers.listed:
            for path, upstream_path in server.paths.items():
                log.info("%s: %s -> %s%s", server.id, path, server.upstream, upstream_path)
            if server.credential and not server.upstream.tls and not _is_loopback(server.upstream.host):
                log.warning("%s: its credential travels in the clear; use https", server.id)


def _of_options() -> Server:
    paths: Sequence[str] = ctx.options.holdfast_paths
    for path in paths:
        try:
            check_path(path)
        except ValueError as error:
            raise SettingsError(f"option holdfast_paths {error}; write it like /mcp") from None
    caller_header = ctx.options.holdfast_caller_header.lower() or None
    if caller_header is not None and not is_free(caller_header):
        raise SettingsError("option holdfast_caller_header is no header of its own; write it like x-holdfast-caller")
    server = Server(
        id=ctx.options.holdfast_server,
        upstream=_upstream_of_mode(),
        paths={path: path for path in paths},
        credential_file=ctx.options.holdfast_credential or None,
        caller_header=caller_header,
    )
    try:
        return with_credential(server, Path.cwd())
    except RulesError as error:
        raise SettingsError(f"option holdfast_credential: {error.problem}") from None


def _upstream_of_mode() -> Upstream:
    mode = mode_specs.ProxyMode.parse(ctx.options.mode[0])
    if not isinstance(mode, mode_specs.ReverseMode):
        raise SettingsError("Holdfast runs in one mode: --mode reverse:http://HOST:PORT (or https)")
    return Upstream(mode.address[0], mode.address[1], mode.scheme == "https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
