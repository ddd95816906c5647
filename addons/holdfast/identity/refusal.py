"""The refusals of identity, and the header that tells a client how to do better (RFC 6750, RFC 9728)."""

import re
from typing import Final, Literal

from holdfast.errors import Cause, Refused
from holdfast.exchange import Headers

type BearerError = Literal["invalid_token", "invalid_request", "insufficient_scope"]

_NEXT_STEP: Final = "Get an access token for this gateway from one of its authorization servers and repeat the request."
_URL: Final = re.compile(r"https?://[!#-\[\]-~]+")  # what may stand between quotes without an escape
_UNQUOTABLE: Final = re.compile(r"[^ !#-\[\]-~]")  # RFC 6750 3: error_description excludes quote, backslash, controls


class BadCredential(Refused):
    """A credential is missing or does not hold.

    ``error`` is the code of RFC 6750 3.1, or None where the request carried no credential at all: a client that never
    tried must not be told that its token is bad. ``scopes`` are those that would have been enough.
    """

    def __init__(
        self,
        reason: str,
        *,
        error: BearerError | None = "invalid_token",
        rule: str | None = None,
        scopes: tuple[str, ...] = (),
    ) -> None:
        cause = Cause.FORBIDDEN if error == "insufficient_scope" else Cause.UNAUTHENTICATED
        super().__init__(cause, reason, rule=rule, next_step=_NEXT_STEP)
        self.error = error
        self.scopes = scopes


def insufficient_scope(scopes: tuple[str, ...], *, rule: str | None = None) -> BadCredential:
    """The refusal of a good token that was not granted ``scopes``: HTTP 403, and clients may ask for more."""
    return BadCredential(
        "the token was not granted the scope that this needs", error="insufficient_scope", rule=rule, scopes=scopes
    )


def challenge(refused: Refused, resource_metadata_url: str, scopes: tuple[str, ...]) -> Headers:
    """``WWW-Authenticate`` for ``refused``; no header where a credential was not the trouble.

    ``scopes`` are asked for where the refusal itself names none.
    """
    if not (refused.cause is Cause.UNAUTHENTICATED or isinstance(refused, BadCredential)):
        return ()
    fields = {}
    if _URL.fullmatch(resource_metadata_url):
        fields["resource_metadata"] = resource_metadata_url  # RFC 9728 5.1
    error = refused.error if isinstance(refused, BadCredential) else "invalid_token"
    if error is not None:
        fields["error"] = error
        fields["error_description"] = _UNQUOTABLE.sub(" ", refused.reason)
    wanted = (refused.scopes if isinstance(refused, BadCredential) else ()) or scopes
    if wanted:
        fields["scope"] = " ".join(wanted)
    return (("www-authenticate", "Bearer " + ", ".join(f'{key}="{value}"' for key, value in fields.items())),)
