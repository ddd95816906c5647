"""Which key verifies a token of an issuer: fetched, cached, renewed when an unknown one is named.

A caller who makes up key names cannot make the gateway hammer the issuer: beyond a small burst, an unknown name is
refused from the cache.
"""

import asyncio
import collections
import logging
import re
import urllib.parse
from pathlib import Path
from typing import Final, Protocol, assert_never

from holdfast import jsontext
from holdfast.clock import Clock
from holdfast.errors import Cause, Refused
from holdfast.identity.cached import Allowance, Cached
from holdfast.identity.fetch import DOCUMENT_BYTES_MAX, Fetch, is_loopback, url_problem
from holdfast.identity.jwks import Key, KeysError, parse_jwks, parse_pem
from holdfast.identity.refusal import BadCredential
from holdfast.identity.rules import Issuer, Source

UNKNOWN_BURST: Final = 2  # a rotation is seen at once, also right after somebody tried a name of their own
UNKNOWN_EVERY_S: Final = 30.0  # then one fetch per half minute, whatever names come in
PEM_COUNT_MAX: Final = 16  # a region's load balancers sign with a handful of keys
_KID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")  # becomes the last segment of a URL: no dots, no slashes

_log = logging.getLogger("holdfast.identity")


class KeyStore(Protocol):
    """The keys of one issuer."""

    async def key_for(self, kid: str | None, algorithm: str) -> Key:
        """The key that a token with this header is to be verified with.

        Raises:
            BadCredential: the issuer has no such key, or more than one fits.
            Refused: UNAVAILABLE, when the keys are stale and the issuer cannot be reached.
        """

    def basis(self, kid: str | None) -> object | None:
        """What a verification with the key ``kid`` stands on: the same object until keys are fetched again.

        None once it is stale. Starts a background fetch when one is due.
        """

    async def warm(self) -> None:
        """Fetch what can be fetched before the first token; a failure is logged, not raised."""


def open_keys(issuer: Issuer, fetch: Fetch, clock: Clock) -> KeyStore:
    """The store that fits where ``issuer`` keeps its keys."""
    return PemStore(issuer, fetch, clock) if issuer.source is Source.PEM_URL else SetStore(issuer, fetch, clock)


class SetStore:
    """The keys of an issuer that publishes a JWK set."""

    def __init__(self, issuer: Issuer, fetch: Fetch, clock: Clock) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._keys = Cached(
            f"the keys of issuer {issuer.id}",
            self._load,
            clock,
            refresh_s=issuer.refresh_s,
            max_stale_s=issuer.max_stale_s,
        )
        self._unknown = Allowance(clock, burst=UNKNOWN_BURST, every_s=UNKNOWN_EVERY_S)

    async def key_for(self, kid: str | None, algorithm: str) -> Key:
        """See :class:`KeyStore`."""
        found = _select(await _available(self._issuer, self._keys), kid, algorithm)
        # Whoever comes while a fetch runs waits for it: a rotation must not refuse all callers but the first.
        if not found and (self._keys.is_under_way() or self._unknown.take()):
            await self._keys.renew()
            found = _select(await _available(self._issuer, self._keys), kid, algorithm)
        if not found:
            raise BadCredential("no key of the issuer fits the token", rule=self._issuer.id)
        if len(found) > 1:
            raise BadCredential("the token names no key, and the issuer has several", rule=self._issuer.id)
        return found[0]

    def basis(self, kid: str | None) -> object | None:  # noqa: ARG002 -- one set holds every key
        """See :class:`KeyStore`."""
        return self._keys.value()

    async def warm(self) -> None:
        """See :class:`KeyStore`."""
        await self._keys.renew()
        keys = self._keys.value()
        if keys is not None:
            _log.info("identity: issuer %s: %d keys", self._issuer.id, len(keys))

    async def _load(self) -> tuple[Key, ...]:
        match self._issuer.source:
            case Source.DISCOVERY:
                return parse_jwks(await self._fetch(await self._discover()))
            case Source.JWKS_URI:
                return parse_jwks(await self._fetch(self._issuer.location))
            case Source.JWKS_FILE:
                return parse_jwks(await asyncio.to_thread(_read, Path(self._issuer.location)))
            case Source.PEM_URL:
                raise KeysError("PEM keys are fetched one by one")
            case _:
                assert_never(self._issuer.source)

    async def _discover(self) -> str:
        """The ``jwks_uri`` of the issuer's metadata, if the metadata is the issuer's own (OpenID Discovery 4.3)."""
        try:
            document = jsontext.parse(await self._fetch(self._issuer.location))
        except jsontext.JsonError as error:
            raise KeysError(f"the discovery document is no strict JSON: {error}") from None
        if not isinstance(document, dict) or document.get("issuer") != self._issuer.iss:
            raise KeysError("the discovery document names another issuer than the rules do")
        url = document.get("jwks_uri")
        if not isinstance(url, str) or url_problem(url):
            raise KeysError("the discovery document's jwks_uri is not one that keys may come from")
        if is_loopback(url) and not is_loopback(self._issuer.location):
            raise KeysError("the discovery document of another machine points to this one")
        return url


class PemStore:
    """The keys of AWS load balancers: one PEM file per key name below a URL of the region."""

    def __init__(self, issuer: Issuer, fetch: Fetch, clock: Clock) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._known: collections.OrderedDict[str, Cached[Key]] = collections.OrderedDict()
        self._unknown = Allowance(clock, burst=UNKNOWN_BURST, every_s=UNKNOWN_EVERY_S)
        self._pending: dict[str, Cached[Key]] = {}

    async def key_for(self, kid: str | None, algorithm: str) -> Key:
        """See :class:`KeyStore`."""
        if kid is None or not _KID.fullmatch(kid):
            raise BadCredential("the assertion names no key that a load balancer could have", rule=self._issuer.id)
        cached = self._known.get(kid) or await self._first(kid)
        self._known.move_to_end(kid)
        key = await _available(self._issuer, cached)
        if algorithm not in key.algorithms:
            raise BadCredential("no key of the issuer fits the token", rule=self._issuer.id)
        return key

    def basis(self, kid: str | None) -> object | None:
        """See :class:`KeyStore`."""
        cached = self._known.get(kid or "")
        return cached.value() if cached else None

    async def warm(self) -> None:
        """Nothing to fetch before a token names its key."""

    async def _first(self, kid: str) -> Cached[Key]:
        """Fetch a key that was not seen before; kept only if there is one, so that made-up names push none out."""
        cached = self._pending.get(kid)
        if cached is None and not self._unknown.take():
            raise self._missing()
        cached = cached or self._pending.setdefault(kid, self._cached(kid))
        try:
            await cached.renew()
        finally:
            self._pending.pop(kid, None)
        if cached.value() is None:
            raise self._missing()
        self._known[kid] = cached
        if len(self._known) > PEM_COUNT_MAX:
            self._known.popitem(last=False)
        return cached

    def _missing(self) -> Refused:
        if self._known:
            return BadCredential("no key of the issuer fits the token", rule=self._issuer.id)
        return _unavailable(self._issuer)

    def _cached(self, kid: str) -> Cached[Key]:
        url = self._issuer.location + urllib.parse.quote(kid, safe="")

        async def load() -> Key:
            return parse_pem(await self._fetch(url), kid)

        return Cached(
            f"a key of issuer {self._issuer.id}",
            load,
            self._clock,
            refresh_s=self._issuer.refresh_s,
            max_stale_s=self._issuer.max_stale_s,
        )


def _select(keys: tuple[Key, ...], kid: str | None, algorithm: str) -> list[Key]:
    """The keys that fit; a token that names a key gets that one or none."""
    return [key for key in keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]


async def _available[T](issuer: Issuer, cached: Cached[T]) -> T:
    try:
        return await cached.get()
    except KeysError:
        raise _unavailable(issuer) from None


def _unavailable(issuer: Issuer) -> Refused:
    return Refused(
        Cause.UNAVAILABLE,
        "the issuer's keys are missing or out of date and the issuer cannot be reached",
        rule=issuer.id,
        next_step="Try again in a minute; if it persists, the gateway's operator must see to the issuer.",
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise KeysError(f"the key file cannot be read: {error.strerror}") from None
    if len(data) > DOCUMENT_BYTES_MAX:
        raise KeysError(f"the key file has more than {DOCUMENT_BYTES_MAX} bytes")
    return data
