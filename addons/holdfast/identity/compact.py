"""A compact JWS (RFC 7515 7.1) taken apart, strictly, before any key is touched.

One parser for every token: the header and the claims that are judged are those whose bytes were signed.
"""

import base64
import binascii
import dataclasses
import re
from typing import Final

from holdfast import jsontext
from holdfast.identity.refusal import BadCredential
from holdfast.jsontext import JsonObject

TOKEN_CHARS_MAX: Final = 16 * 1024  # a token with 200 group ids has about 10 KiB
_DEPTH_MAX: Final = 16  # act chains and address claims nest a few levels
_PARTS: Final = 3
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
_PADDED: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")


@dataclasses.dataclass(frozen=True, slots=True)
class Compact:
    """A token in its parts; nothing in it is trusted before ``signature`` is verified over ``signed``."""

    header: JsonObject
    claims: JsonObject
    signed: bytes
    signature: bytes


def parse_compact(token: str) -> Compact:
    """``token`` as RFC 7515 spells it: base64url without padding.

    Raises:
        BadCredential: too large, not three parts, not base64url in its one spelling, or not two JSON objects.
    """
    return _parse(token, _PLAIN)


def parse_padded(token: str) -> Compact:
    """Like :func:`parse_compact`, with the ``=`` padding that AWS load balancers leave in each part.

    Raises:
        BadCredential: see :func:`parse_compact`.
    """
    return _parse(token, _PADDED)


def _parse(token: str, alphabet: re.Pattern[str]) -> Compact:
    if len(token) > TOKEN_CHARS_MAX:
        raise BadCredential(f"the token has more than {TOKEN_CHARS_MAX} characters")
    parts = token.split(".", _PARTS)
    if len(parts) != _PARTS or not all(alphabet.fullmatch(part) for part in parts):
        raise BadCredential("the token is not three base64url parts with dots between them")
    header, claims, signature = (_decode(part) for part in parts)
    return Compact(
        header=_json_object(header, "header"),
        claims=_json_object(claims, "claims"),
        signed=token.rpartition(".")[0].encode("ascii"),
        signature=signature,
    )


def _decode(part: str) -> bytes:
    bare = part.rstrip("=")
    try:
        data = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        raise BadCredential("the token is not base64url") from None
    canonical = base64.urlsafe_b64encode(data).decode("ascii")
    # Unused bits that are not zero, or odd padding, would make two spellings of one token.
    if part not in (canonical, canonical.rstrip("=")):
        raise BadCredential("the token is not base64url in its one spelling")
    return data


def _json_object(data: bytes, what: str) -> JsonObject:
    try:
        value = jsontext.parse(data, depth_max=_DEPTH_MAX)
    except jsontext.JsonError:
        raise BadCredential(f"the token's {what} are not JSON that every reader reads alike") from None
    if not isinstance(value, dict):
        raise BadCredential(f"the token's {what} are no JSON object")
    return value
