"""Trusted proxies: who may say in a header who the caller is, and which headers say so.

An assertion is a signed token that an authenticating proxy adds. It counts only on connections from that proxy's
addresses; from anybody else it is a header like any other, and none of them ever travels on.
"""

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from typing import Final, Literal

from holdfast.exchange import Headers
from holdfast.policy.document import Section

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
# https://docs.cloud.google.com/iap/docs/signed-headers-howto
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
# https://www.pomerium.com/docs/capabilities/getting-users-identity
HEADER_OF_FORM: Final[Mapping[str, str | None]] = {
    "cloudflare-access": "cf-access-jwt-assertion",
    "google-iap": "x-goog-iap-jwt-assertion",
    "aws-alb": "x-amzn-oidc-data",
    "pomerium": "x-pomerium-jwt-assertion",
    "jwt": None,  # any other proxy: the rule names the header
}

# Credentials, and headers with which proxies tell servers who the caller is: a server behind us might believe them.
_STRIPPED: Final = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "dpop",
        "remote-user",
        "x-remote-user",
        "x-authenticated-user",
        "x-authenticated-userid",
        "x-forwarded-user",
        "x-forwarded-email",
        "x-forwarded-groups",
        "x-forwarded-preferred-username",
        "x-forwarded-access-token",
        "x-forwarded-client-cert",
        "x-user-id",
        "x-webauth-user",
    }
)
_STRIPPED_PREFIXES: Final = (
    "cf-access-",
    "x-goog-iap-",
    "x-goog-authenticated-user-",
    "x-amzn-oidc-",
    "x-pomerium-",
    "x-auth-request-",
    "x-ms-client-principal",
    "x-ms-token-",
)

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_HEADER: Final = re.compile(r"[a-z0-9-]+")
_RESERVED: Final = frozenset(
    {"authorization", "proxy-authorization", "cookie", "host", "content-type", "mcp-session-id"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class ProxyRule:
    """One trusted proxy. ``issuers`` are ids; ``signer`` is the load balancer's ARN, for AWS only."""

    id: str
    form: str
    header: str
    peers: tuple[Network, ...]
    issuers: tuple[str, ...]
    signer: str | None
    auth: Literal["trusted-proxy", "saml"]

    def trusts(self, ip: str) -> bool:
        """Whether a connection from ``ip`` is this proxy's."""
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return False
        # A dual-stack socket shows 10.0.0.1 as ::ffff:10.0.0.1.
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return any((mapped or address) in network for network in self.peers)


def strip(headers: Headers, more: frozenset[str]) -> Headers:
    """``headers`` without credentials and identity assertions; ``more`` are names that rules add."""
    return tuple((name, value) for name, value in headers if not _is_stripped(name, more))


def _is_stripped(name: str, more: frozenset[str]) -> bool:
    # CGI-like servers read X_Amzn_Oidc_Data and X-Amzn-Oidc-Data as one.
    plain = name.lower().replace("_", "-")
    return plain in _STRIPPED or plain in more or plain.startswith(_STRIPPED_PREFIXES)


def parse_proxies(section: Section, iss_of_issuer: Mapping[str, str]) -> tuple[ProxyRule, ...]:
    """The list under ``trusted_proxies``; ``iss_of_issuer`` maps the ids of issuers that accept assertions.

    Raises:
        RulesError: a network that is none, a header that is no assertion, or an issuer that is not listed.
    """
    proxies: list[ProxyRule] = []
    for entry in section.sections("trusted_proxies"):
        proxy = _proxy(entry, iss_of_issuer)
        if any(proxy.id == other.id for other in proxies):
            raise entry.error("id", "is taken by another proxy", "Give each proxy an id of its own")
        proxies.append(proxy)
    return tuple(proxies)


def _proxy(entry: Section, iss_of_issuer: Mapping[str, str]) -> ProxyRule:
    form = entry.choice("form", tuple(HEADER_OF_FORM))
    signer = entry.text_or_none("signer")
    if (form == "aws-alb") != bool(signer):
        key = "signer" if "signer" in entry else "form"
        raise entry.error(key, "and signer belong together", "Give the load balancer's ARN, for aws-alb only")
    proxy = ProxyRule(
        id=_id(entry),
        form=form,
        header=_header(entry, form),
        peers=_peers(entry),
        issuers=_issuers(entry, iss_of_issuer),
        signer=signer,
        auth="saml" if entry.choice("login", ("oidc", "saml"), "oidc") == "saml" else "trusted-proxy",
    )
    entry.done()
    return proxy


def _id(entry: Section) -> str:
    name = entry.text("id")
    if not _ID.fullmatch(name):
        raise entry.error("id", "is not a short name", "Use lower-case letters, digits and hyphens")
    return name


def _header(entry: Section, form: str) -> str:
    header = (entry.text_or_none("header") or HEADER_OF_FORM[form] or "").lower()
    if not _HEADER.fullmatch(header) or header in _RESERVED:
        key = "header" if "header" in entry else "form"
        raise entry.error(key, "names no header for an assertion", "Give `header:`, the one that the proxy sets")
    return header


def _peers(entry: Section) -> tuple[Network, ...]:
    peers = []
    for text in entry.texts("peers"):
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            raise entry.error("peers", f"has {text!r}, no network", "Write 10.1.0.0/16, host bits zero") from None
        if network.prefixlen == 0:
            raise entry.error("peers", "trusts every address", "Name the proxy's own addresses")
        peers.append(network)
    if not peers:
        raise entry.error("peers", "is empty", "Name the proxy's addresses, like 10.1.0.7/32")
    return tuple(peers)


def _issuers(entry: Section, iss_of_issuer: Mapping[str, str]) -> tuple[str, ...]:
    ids = entry.texts("issuers")
    unknown = [issuer_id for issuer_id in ids if issuer_id not in iss_of_issuer]
    if unknown or not ids:
        raise entry.error(
            "issuers", "names no issuer that may be asserted", "List one under issuers, with `accept: assertion`"
        )
    return ids
