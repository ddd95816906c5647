"""The identity station: who asks, and the address that tokens must be meant for."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from holdfast.errors import SettingsError
from holdfast.hosts import Hosts, hosts_of, name_of
from holdfast.identity.identifier import Identifier
from holdfast.policy.ruleset import Ruleset
from holdfast.proxy.plant import Plant

_SCHEMES: Final = ("http", "https")


class IdentityStation:
    """Options about who may ask; builds the Identifier from `rules/identity.yaml`."""

    name = "holdfast-identity"

    def load(self, loader: Loader) -> None:
        """Declare the options."""
        loader.add_option(
            "holdfast_resource",
            str,
            "",
            "Public URL of the gateway up to host and port, such as https://mcp.example.com. Default: the one in "
            "identity.yaml, else where the gateway listens.",
        )
        loader.add_option(
            "holdfast_hosts",
            Sequence[str],
            [],
            "Names under which clients reach the gateway, besides the resource's, where it listens, and localhost.",
        )
        loader.add_option(
            "holdfast_origins",
            Sequence[str],
            [],
            "Origin header values that browser clients may send, besides the gateway's own.",
        )

    def open(self, plant: Plant) -> None:
        """Nothing to build before the rules are read."""

    async def start(self, plant: Plant) -> None:
        """Fetch the issuers' keys. An issuer that cannot be reached now is asked again when a token needs it."""
        await plant.force.identifier.warm()

    async def stop(self, plant: Plant) -> None:
        """Nothing is left open."""

    @staticmethod
    def make(rules: Ruleset, plant: Plant) -> Identifier:
        """The Identifier for ``rules``."""
        return Identifier(rules.identity, plant.clock)

    @staticmethod
    def hosts(resource: str) -> Hosts:
        """The names that are the gateway's own.

        Raises:
            SettingsError: an option holds what is no name.
        """
        for host in ctx.options.holdfast_hosts:
            if name_of(host) != host.lower():
                raise SettingsError(f"holdfast_hosts: {host!r} is no plain name; write it like mcp.example.com")
        return hosts_of(resource, ctx.options.listen_host, tuple(ctx.options.holdfast_hosts))

    @staticmethod
    def resource(rules: Ruleset) -> str:
        """The public URL of the gateway up to host and port.

        Raises:
            SettingsError: the option is no such URL.
        """
        stated = ctx.options.holdfast_resource or rules.identity.resource
        if not stated:
            host = ctx.options.listen_host or "127.0.0.1"
            return f"http://{host}:{ctx.options.listen_port or 8080}"
        parts = urlsplit(stated)
        if parts.scheme not in _SCHEMES or not parts.netloc or parts.query or parts.fragment:
            raise SettingsError("holdfast_resource is no URL; write it like https://mcp.example.com")
        return f"{parts.scheme}://{parts.netloc}"
