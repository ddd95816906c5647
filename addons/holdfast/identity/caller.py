"""The Caller: who asks, as identity established it."""

import dataclasses
import datetime as dt
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request. ``(iss, sub)`` is the identity; every other field describes it.

    ``token_digest_hex`` is SHA-256 over the token's ``jti``, or over the token where it has none, so that Records can
    tell tokens apart without keeping one. ``act`` is the delegation chain of RFC 8693, outermost actor first, each as
    ``iss|sub``. ``expires_at`` is the moment after which the credential no longer holds.
    """

    iss: str
    sub: str
    name: str
    groups: tuple[str, ...]
    aud: str
    client: str | None
    auth: Literal["jwt", "trusted-proxy", "saml", "key"]
    token_digest_hex: str
    expires_at: dt.datetime
    act: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What makes two Callers the same."""
        return (self.iss, self.sub)
