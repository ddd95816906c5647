"""Tokens to Callers. The order: read strictly, find the issuer, check the header, verify, judge the claims.

A verified token is remembered for a minute at most, so that a busy session costs one signature per minute; its times
are judged anew on every request all the same, and it is forgotten when the issuer's keys are fetched again.
"""

import collections
import dataclasses
import hashlib
from typing import Final, Literal

from holdfast.clock import Clock
from holdfast.identity.caller import Caller
from holdfast.identity.claims import to_caller
from holdfast.identity.compact import TOKEN_CHARS_MAX, Compact, parse_compact, parse_padded
from holdfast.identity.keys import KeyStore
from holdfast.identity.refusal import BadCredential
from holdfast.identity.rules import Issuer
from holdfast.jsontext import Json, JsonObject

REMEMBER_S: Final = 60.0  # how long a signature is believed without being verified again
REMEMBERED_COUNT_MAX: Final = 4096  # about 1 KiB each
_KID_CHARS_MAX: Final = 256
_TYPES: Final = {
    # RFC 9068 2.1 and RFC 8725 3.11. Logout tokens, ID-JAGs, DPoP proofs and the like have types of their own.
    "any": frozenset({"", "jwt", "at+jwt"}),
    "at+jwt": frozenset({"at+jwt"}),
}

type _Name = tuple[str, str | None, bytes]  # where it counts, for what audience, SHA-256 of the token


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """What a token must be to count in one place: a bearer token, or one proxy's assertion.

    ``label`` is unique among demands. ``issuers`` maps ``iss`` to rule. ``audience`` replaces the issuers' audiences.
    ``signer`` makes it an AWS load balancer's assertion, signed by that one.
    """

    label: str
    issuers: dict[str, Issuer]
    auth: Literal["jwt", "trusted-proxy", "saml"]
    audience: str | None = None
    signer: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Verified:
    caller: Caller
    from_s: float
    until_s: float
    basis: object
    issuer_id: str
    kid: str | None


class Verifier:
    """Verifies tokens against demands with the keys of their issuers, by issuer id."""

    def __init__(self, stores: dict[str, KeyStore], clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._remembered: collections.OrderedDict[_Name, _Verified] = collections.OrderedDict()

    async def verify(self, token: str, demand: Demand) -> Caller:
        """The Caller of ``token``.

        Raises:
            BadCredential: it does not hold.
            Refused: UNAVAILABLE, when the issuer's keys cannot be had.
        """
        if len(token) > TOKEN_CHARS_MAX:
            raise BadCredential(f"the token has more than {TOKEN_CHARS_MAX} characters")
        name = (demand.label, demand.audience, hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())
        now_s = self._clock.now_at().timestamp()
        remembered = self._remembered.get(name)
        if remembered is not None and self._still_stands(remembered, now_s):
            self._remembered.move_to_end(name)
            return remembered.caller
        self._remembered.pop(name, None)
        verified = await self._verify(token, demand)
        self._remembered[name] = verified
        if len(self._remembered) > REMEMBERED_COUNT_MAX:
            self._remembered.popitem(last=False)
        return verified.caller

    def _still_stands(self, verified: _Verified, now_s: float) -> bool:
        in_time = verified.from_s <= now_s < verified.until_s
        return in_time and self._stores[verified.issuer_id].basis(verified.kid) is verified.basis

    async def _verify(self, token: str, demand: Demand) -> _Verified:
        compact = parse_compact(token) if demand.signer is None else _parse_alb(token, demand.signer)
        issuer = _issuer_of(compact, demand)
        algorithm, kid = _check_header(compact.header, issuer)
        store = self._stores[issuer.id]
        key = await store.key_for(kid, algorithm)
        if not key.verifies(algorithm, compact.signed, compact.signature):
            raise BadCredential("the token's signature does not verify", rule=issuer.id)
        # From here on header and claims are the issuer's words.
        basis = store.basis(kid)
        now_s = self._clock.now_at().timestamp()
        audiences = issuer.audiences if demand.audience is None else (demand.audience,)
        caller, from_s = to_caller(
            compact.claims, issuer, token=token, audiences=audiences, auth=demand.auth, now_s=now_s
        )
        until_s = min(caller.expires_at.timestamp(), now_s + REMEMBER_S)
        return _Verified(caller, max(from_s, now_s - REMEMBER_S), until_s, basis, issuer.id, kid)


def _issuer_of(compact: Compact, demand: Demand) -> Issuer:
    iss = compact.claims.get("iss")
    issuer = demand.issuers.get(iss) if isinstance(iss, str) else None
    if issuer is None:
        raise BadCredential("the token's issuer is not one that the rules list")
    return issuer


def _check_header(header: JsonObject, issuer: Issuer) -> tuple[str, str | None]:
    """``alg`` and ``kid``, if the header asks for nothing else. jku, x5u, jwk and x5c are never looked at."""
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
        raise BadCredential("the token is signed with an algorithm that the rules do not allow", rule=issuer.id)
    if "crit" in header or header.get("b64", True) is not True:
        # RFC 7515 4.1.11: an extension we do not understand. RFC 7797: a payload that is not what it looks like.
        raise BadCredential("the token uses extensions (crit, b64) that this gateway does not know", rule=issuer.id)
    if not (kid is None or (isinstance(kid, str) and len(kid) <= _KID_CHARS_MAX)):
        raise BadCredential("the token's kid is no short text", rule=issuer.id)
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES[issuer.typ]:
        raise BadCredential("the token is of a type (typ) that the rules do not allow", rule=issuer.id)
    return algorithm, kid


def _parse_alb(token: str, signer: str) -> Compact:
    """An AWS load balancer's assertion: issuer, expiry and client stand in its signed header, and there is no ``aud``.

    The client id of the listener rule takes the audience's place.
    """
    compact = parse_padded(token)
    header, claims = compact.header, compact.claims
    if header.get("signer") != signer:
        raise BadCredential("the assertion is signed for another load balancer")
    if claims.get("iss", header.get("iss")) != header.get("iss"):
        raise BadCredential("the assertion's header and claims name two issuers")
    client = header.get("client")
    said: JsonObject = {"iss": header.get("iss"), "exp": _earlier(header, claims), "aud": client, "azp": client}
    return dataclasses.replace(compact, claims={**claims, **said})


def _earlier(header: JsonObject, claims: JsonObject) -> Json:
    """The header's ``exp``, or that of the claims where it comes first."""
    theirs, ours = header.get("exp"), claims.get("exp")
    if isinstance(theirs, int | float) and isinstance(ours, int | float):
        return min(theirs, ours)
    return theirs
