"""Verified claims to a Caller: times, audience, required claims, name, groups, delegation.

Every check refuses; none repairs. Reasons say which claim, never what it held.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final, Literal, TypeGuard

from holdfast.identity.caller import Caller
from holdfast.identity.refusal import BadCredential, insufficient_scope
from holdfast.identity.rules import Issuer, RequiredClaim
from holdfast.jsontext import Json, JsonObject

TEXT_CHARS_MAX: Final = 256  # OpenID Connect Core 2 limits sub to 255; names and groups are no longer in practice
ACT_DEPTH_MAX: Final = 8  # agents that call agents: deeper chains are loops
GROUPS_COUNT_MAX: Final = 500  # tokens are too small for more
_SECONDS_MAX: Final = 253_402_300_799  # the year 9999, where datetime ends


def to_caller(
    claims: JsonObject,
    issuer: Issuer,
    *,
    token: str,
    audiences: tuple[str, ...],
    auth: Literal["jwt", "trusted-proxy", "saml"],
    now_s: float,
) -> tuple[Caller, float]:
    """The Caller that verified ``claims`` describe, and from when on (seconds since 1970) they hold.

    Raises:
        BadCredential: the claims do not hold now, for us, or do not meet the issuer's rule.
    """
    refused = _Refuser(issuer.id)
    from_s, until_s = _span(claims, issuer, now_s, refused)
    aud = _audience(claims, audiences, refused)
    sub = claims.get("sub")
    if not _is_text(sub):
        raise refused("the token's sub is missing or is no short printable text")
    for required in issuer.required:
        if not _meets(claims, required):
            raise refused("the token lacks a claim that the rules require, or the claim has another value")
    _check_scopes(claims, issuer)
    if "cnf" in claims:
        # RFC 7800: only whoever proves a second key may use it. We cannot check the proof, so a thief could use it too.
        raise refused("the token is bound to a key (cnf), and this gateway checks no such proof")
    caller = Caller(
        iss=issuer.iss,
        sub=sub,
        name=_first_text(claims, issuer.name_claims) or sub,
        groups=_groups(claims, issuer.groups_claim, refused),
        aud=aud,
        client=_first_text(claims, issuer.client_claims),
        auth=auth,
        token_digest_hex=_token_digest_hex(claims, token),
        expires_at=dt.datetime.fromtimestamp(until_s, dt.UTC),
        act=_act(claims.get("act"), issuer.iss, refused),
    )
    return caller, from_s


class _Refuser:
    """Makes the refusals of one issuer's tokens."""

    def __init__(self, issuer_id: str) -> None:
        self._issuer_id = issuer_id

    def __call__(self, reason: str) -> BadCredential:
        return BadCredential(reason, rule=self._issuer_id)


def _is_text(value: Json) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= TEXT_CHARS_MAX and value.isprintable()


def _span(claims: JsonObject, issuer: Issuer, now_s: float, refused: _Refuser) -> tuple[float, float]:
    """From when until when the token holds, leeway included, if that is now."""
    exp_s, nbf_s, iat_s = (_seconds(claims, name, refused) for name in ("exp", "nbf", "iat"))
    if exp_s is None:
        raise refused("the token has no exp")
    if issuer.token_age_s_max:
        # Without iat the remaining life is all there is to judge by.
        if iat_s is None and exp_s - now_s > issuer.token_age_s_max:
            raise refused("the token has no iat and lives longer than the rules allow")
        exp_s = exp_s if iat_s is None else min(exp_s, iat_s + issuer.token_age_s_max)
    from_s = max(nbf_s or 0.0, iat_s or 0.0) - issuer.leeway_s
    until_s = min(exp_s + issuer.leeway_s, _SECONDS_MAX)
    if now_s >= until_s:  # RFC 7519 4.1.4: on or after exp it must not be accepted
        raise refused("the token has expired")
    if now_s < from_s:
        raise refused("the token is not valid yet")
    return from_s, until_s


def _seconds(claims: JsonObject, name: str, refused: _Refuser) -> float | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _SECONDS_MAX:
        raise refused(f"the token's {name} is no time")
    return float(value)


def _audience(claims: JsonObject, ours: tuple[str, ...], refused: _Refuser) -> str:
    value = claims.get("aud")
    theirs = value if isinstance(value, list) else [value]
    if not theirs or not all(isinstance(item, str) for item in theirs):
        raise refused("the token's aud is missing or is no text")
    aud = next((item for item in ours if item in theirs), None)
    if aud is None:
        raise refused("the token is not meant for this gateway (aud)")
    return aud


def _at(claims: JsonObject, path: Sequence[str]) -> Json:
    value: Json = claims
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _meets(claims: JsonObject, required: RequiredClaim) -> bool:
    value = _at(claims, required.claim)
    if required.values is None:
        return value is not None
    held = value if isinstance(value, list) and required.is_list else [value]
    # Compared with their types: 1 == True in Python, and a claim that says 1 does not say true.
    return any(type(item) is type(wanted) and item == wanted for item in held for wanted in required.values)


def _check_scopes(claims: JsonObject, issuer: Issuer) -> None:
    granted = claims.get("scope", claims.get("scp"))  # RFC 8693 4.2; scp is Entra's and Okta's name for it
    names = granted.split(" ") if isinstance(granted, str) else granted
    if not all(isinstance(names, list) and scope in names for scope in issuer.scopes):
        raise insufficient_scope(issuer.scopes, rule=issuer.id)


def _first_text(claims: JsonObject, names: tuple[str, ...]) -> str | None:
    values = (claims.get(name) for name in names)
    return next((value for value in values if _is_text(value)), None)


def _groups(claims: JsonObject, path: tuple[str, ...], refused: _Refuser) -> tuple[str, ...]:
    value = _at(claims, path) if path else None
    groups = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(groups, list) or len(groups) > GROUPS_COUNT_MAX or not all(map(_is_text, groups)):
        raise refused("the token's groups are no list of short printable texts")
    return tuple(group for group in groups if _is_text(group))


def _act(value: Json, iss: str, refused: _Refuser) -> tuple[str, ...]:
    """The delegation chain of RFC 8693 4.1: the outermost ``act`` is the one who acts now."""
    chain: list[str] = []
    while value is not None:
        actor = value if isinstance(value, dict) else {}
        sub, actor_iss = actor.get("sub"), actor.get("iss", iss)
        if not (_is_text(sub) and _is_text(actor_iss)) or "|" in str(actor_iss) or len(chain) == ACT_DEPTH_MAX:
            raise refused("the token's act is no delegation chain that this gateway can record")
        chain.append(f"{actor_iss}|{sub}")
        value = actor.get("act")
    return tuple(chain)


def _token_digest_hex(claims: JsonObject, token: str) -> str:
    jti = claims.get("jti")
    return hashlib.sha256((jti if isinstance(jti, str) and jti else token).encode("utf-8")).hexdigest()
