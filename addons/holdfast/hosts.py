"""The names under which the gateway is asked, against DNS rebinding.

A page of an attacker whose name leads to this machine makes a browser send that name as Host. It would not need an
Origin for that, so the name itself is checked: it must be one of the gateway's own. Ports make no difference: a proxy
in front has its own, and a page cannot choose the name.
"""

import dataclasses
import ipaddress
import re
import urllib.parse
from typing import Final

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 3986 3.2.2 without percent escapes, which no client of ours sends; a final dot is the root of the DNS.
_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_.-]+?)\.?)(?::\d{1,5})?", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class Hosts:
    """The names that are the gateway's own, in lower case; with ``any_address`` every IP address is one too."""

    names: frozenset[str]
    any_address: bool = False

    def admit(self, host: str | None) -> bool:
        """Whether a request with this ``Host`` is for the gateway. One without a Host comes from no browser."""
        if host is None:
            return True
        name = name_of(host)
        return name is not None and (name in self.names or (self.any_address and _is_address(name)))


def name_of(host: str) -> str | None:
    """The name or address in a ``Host`` value, lower case and without its port; None where it is malformed."""
    match = _HOST.fullmatch(host)
    return None if match is None else (match["six"] or match["name"]).lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def hosts_of(resource: str, listen_host: str, more: tuple[str, ...]) -> Hosts:
    """The gateway's own names.

    Args:
        resource: its public URL.
        listen_host: where it listens; empty for every address of the machine.
        more: names that an operator adds.
    """
    named = {urllib.parse.urlsplit(resource).hostname or "", listen_host, *more} - {""}
    everywhere = not listen_host or (_is_address(listen_host) and ipaddress.ip_address(listen_host).is_unspecified)
    return Hosts(LOOPBACK | frozenset(name.lower() for name in named), any_address=everywhere)
