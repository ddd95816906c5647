"""START HERE: the credential of a request to its Caller, on every request.

The order: no token in the URL; one ``Authorization`` header at most; the assertion of each trusted proxy that this
connection comes from; each judged by :mod:`holdfast.identity.tokens`; if two are present they must agree.
"""

import asyncio
import dataclasses
import logging
import re
import urllib.parse
from typing import Final

from holdfast import jsontext
from holdfast.clock import Clock
from holdfast.errors import Refused
from holdfast.exchange import Headers, Request
from holdfast.identity import proxies, refusal
from holdfast.identity.caller import Caller
from holdfast.identity.fetch import Fetch, HttpFetch
from holdfast.identity.keys import open_keys
from holdfast.identity.proxies import ProxyRule
from holdfast.identity.refusal import BadCredential
from holdfast.identity.rules import IdentityRules
from holdfast.identity.tokens import Demand, Verifier
from holdfast.jsontext import JsonObject

QUERY_FIELDS_MAX: Final = 100  # no MCP endpoint has more than a session id there
_SCHEME: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr](?: |$)")  # RFC 9110 11.1: schemes are case-insensitive
_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")  # RFC 6750 2.1
_TOKEN_FIELDS: Final = frozenset({"access_token", "id_token", "token"})

_log = logging.getLogger("holdfast.identity")


class Identifier:
    """Judges credentials by the rules. ``fetch`` gets key documents; by default over HTTPS."""

    def __init__(self, rules: IdentityRules, clock: Clock, fetch: Fetch | None = None) -> None:
        self.rules = rules
        fetch = fetch or HttpFetch(clock)
        self._stores = {issuer.id: open_keys(issuer, fetch, clock) for issuer in rules.issuers}
        self._verifier = Verifier(self._stores, clock)
        bearers = {issuer.iss: issuer for issuer in rules.issuers if "bearer" in issuer.forms}
        self._bearer = Demand("bearer", bearers, "jwt")
        self._proxies = tuple((proxy, self._demand(proxy)) for proxy in rules.proxies)
        self._strip = frozenset(rules.strip_headers).union(proxy.header for proxy in rules.proxies)

    def _demand(self, proxy: ProxyRule) -> Demand:
        issuers = {issuer.iss: issuer for issuer in self.rules.issuers if issuer.id in proxy.issuers}
        return Demand(f"proxy {proxy.id}", issuers, proxy.auth, signer=proxy.signer)

    async def identify(self, request: Request) -> Caller:
        """Who makes ``request``.

        Raises:
            BadCredential: a Refused, UNAUTHENTICATED (or FORBIDDEN for a missing scope): there is no credential, one
                that does not hold, or two that disagree.
            Refused: UNAVAILABLE, when the issuer's keys are stale and it cannot be reached.
        """
        _refuse_token_in_url(request.path)
        credentials = [(token, self._bearer) for token in _bearer_tokens(request)]
        for proxy, demand in self._proxies:
            if proxy.trusts(request.peer.ip):
                credentials.extend((token, demand) for token in _assertions(request, proxy))
        if not credentials:
            raise BadCredential("the request carries no credential", error=None)
        callers = [await self._verifier.verify(token, demand) for token, demand in credentials]
        if any(caller.key != callers[0].key for caller in callers):
            raise BadCredential("the request carries credentials of two different callers", error="invalid_request")
        return callers[0]

    async def identify_token(self, token: str, audience: str | None = None) -> Caller:
        """Whose bearer token this is; ``audience``, where given, is the one it must be meant for.

        Raises:
            BadCredential: it does not hold.
            Refused: UNAVAILABLE, see :meth:`identify`.
        """
        demand = self._bearer if audience is None else dataclasses.replace(self._bearer, audience=audience)
        return await self._verifier.verify(token, demand)

    def strip(self, headers: Headers) -> Headers:
        """``headers`` without credentials, cookies and identity assertions: what may go to the server."""
        return proxies.strip(headers, self._strip)

    def challenge(self, refused: Refused, resource_metadata_url: str) -> Headers:
        """The ``WWW-Authenticate`` header for ``refused``; none where a credential was not the trouble."""
        return refusal.challenge(refused, resource_metadata_url, self.rules.scopes_supported)

    def metadata(self, resource: str) -> bytes:
        """The protected resource metadata of RFC 9728 2 as JSON, for the endpoint whose URL ``resource`` is.

        The rules' ``resource`` is stated in its place where it covers it: tokens are meant for that one then.
        """
        stated = self.rules.resource
        servers = sorted(iss for iss in self._bearer.issuers if urllib.parse.urlsplit(iss).scheme in ("https", "http"))
        document: JsonObject = {
            "resource": stated if stated and _covers(stated, resource) else resource,
            "authorization_servers": [*servers],
            "bearer_methods_supported": ["header"],
            "resource_name": "Holdfast MCP gateway",
        }
        if self.rules.scopes_supported:
            document["scopes_supported"] = [*self.rules.scopes_supported]
        return jsontext.wire(document)

    async def warm(self) -> None:
        """Fetch every issuer's keys and log what an operator should know; an issuer that is down is only logged."""
        for warning in self.rules.warnings():
            _log.warning("identity: %s", warning)
        await asyncio.gather(*(store.warm() for store in self._stores.values()))


def _covers(stated: str, resource: str) -> bool:
    """Whether the path of ``stated`` is that of ``resource`` or above it; of a whole gateway it says what it likes."""
    above, below = (urllib.parse.urlsplit(url).path.rstrip("/") for url in (stated, resource))
    return not below or f"{below}/".startswith(f"{above}/")


def _refuse_token_in_url(path: str) -> None:
    """RFC 6750 5.3 and the MCP authorization clause: URLs end up in logs, so a token there is spent."""
    _, found, query = path.partition("?")
    if not found:
        return
    try:
        fields = urllib.parse.parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        raise BadCredential("the URL has too many query fields to look for tokens", error="invalid_request") from None
    if any(name.lower() in _TOKEN_FIELDS for name, _ in fields):
        raise BadCredential("a token in the URL is not accepted; send it as Authorization", error="invalid_request")


def _bearer_tokens(request: Request) -> tuple[str, ...]:
    """The bearer token, in a tuple of one; an empty tuple where the request has none."""
    values = request.headers_named("authorization")
    if len(values) > 1:
        raise BadCredential("the request has more than one Authorization header", error="invalid_request")
    if not values:
        return ()
    match = _BEARER.fullmatch(values[0].strip(" \t"))
    if match is None:
        is_bearer = _SCHEME.match(values[0].strip(" \t"))
        reason = "the Authorization header is no well-formed bearer token" if is_bearer else "only Bearer is accepted"
        raise BadCredential(reason, error="invalid_request" if is_bearer else None)
    return (match[1],)


def _assertions(request: Request, proxy: ProxyRule) -> tuple[str, ...]:
    values = request.headers_named(proxy.header)
    if len(values) > 1:
        raise BadCredential("the request has the proxy's assertion more than once", error="invalid_request")
    return values
