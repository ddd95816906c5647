"""Key documents to keys: JSON Web Key Sets (RFC 7517) and the PEM files of AWS load balancers.

A key that cannot sign with our algorithms is left out. A document that shows secrets or is ambiguous is refused whole:
an issuer that publishes a private key, or two keys under one name, is not one to believe.
"""

import dataclasses
import re
from typing import Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from holdfast import jsontext
from holdfast.jsontext import Json, JsonObject

KEYS_COUNT_MAX: Final = 100  # the largest public issuers show fewer than twenty
RSA_BITS_MIN: Final = 2048  # RFC 7518 3.3
RSA_BITS_MAX: Final = 8192  # verifying with a larger key costs milliseconds per request

# Public keys only: none and HS* are not here, so that no rule can ever name them.
_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_EC: Final = {
    "secp256r1": frozenset({"ES256"}),
    "secp384r1": frozenset({"ES384"}),
    "secp521r1": frozenset({"ES512"}),
}
_ED25519: Final = frozenset({"EdDSA", "Ed25519"})  # RFC 8037 and its exact successor, RFC 9864
ALGORITHMS: Final = _RSA.union(_ED25519, *_EC.values())

_SECRETS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})  # RFC 7518 6.2.2, 6.3.2, 6.4.1
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")

type PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class KeysError(Exception):
    """A key document cannot be believed or reached. The message never quotes the document."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A public key, its name, and the algorithms it may verify: never more than its type and ``alg`` allow."""

    kid: str | None
    algorithms: frozenset[str]
    public: PublicKey

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether ``signature`` over ``signed`` was made with this key's private half under ``algorithm``."""
        if algorithm not in self.algorithms:
            return False
        name = "EdDSA" if algorithm == "Ed25519" else algorithm
        return jwt.get_algorithm_by_name(name).verify(signed, self.public, signature)


def parse_jwks(data: bytes) -> tuple[Key, ...]:
    """The usable keys of a JWK set.

    Raises:
        KeysError: no JWK set, more than ``KEYS_COUNT_MAX`` keys, a private or symmetric key in it, one ``kid`` twice,
            or no usable key.
    """
    try:
        document = jsontext.parse(data)
    except jsontext.JsonError as error:
        raise KeysError(f"the key set is no strict JSON: {error}") from None
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise KeysError("the key set has no `keys` list")
    if len(members) > KEYS_COUNT_MAX:
        raise KeysError(f"the key set has {len(members)} keys, more than {KEYS_COUNT_MAX}")
    keys = tuple(key for key in map(_key, members) if key is not None)
    kids = [key.kid for key in keys if key.kid is not None]
    if len(set(kids)) != len(kids):
        raise KeysError("the key set has two keys with the same kid")
    if not keys:
        raise KeysError("the key set has no key that can verify with an asymmetric algorithm")
    return keys


def parse_pem(data: bytes, kid: str) -> Key:
    """The public key of a PEM file, under the name it was asked for.

    Raises:
        KeysError: no public key in PEM, or one that is too weak.
    """
    try:
        public = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise KeysError("the file is no public key in PEM") from None
    if not isinstance(public, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        raise KeysError("the file's key is of no kind that signs tokens")
    algorithms = _algorithms_of(public)
    if not algorithms:
        raise KeysError("the file's key is too weak, too large or on an unknown curve")
    return Key(kid, algorithms, public)


def _key(member: Json) -> Key | None:
    if not isinstance(member, dict):
        raise KeysError("a member of the key set is no object")
    if member.get("kty") == "oct" or not _SECRETS.isdisjoint(member):
        raise KeysError("the key set shows a private or symmetric key")
    kid = member.get("kid")
    if not (kid is None or isinstance(kid, str)):
        raise KeysError("a kid in the key set is no text")
    if not _is_for_verifying(member):
        return None
    public = _public(member)
    if public is None:
        return None
    algorithms = _algorithms_of(public)
    if "alg" in member:
        algorithms = algorithms.intersection({str(member["alg"])})
    return Key(kid, algorithms, public) if algorithms else None


def _is_for_verifying(member: JsonObject) -> bool:
    operations = member.get("key_ops", ["verify"])
    return member.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _public(member: JsonObject) -> PublicKey | None:
    """The key of a JWK, None where its type is unknown or its numbers are no key."""
    numbers = [member[name] for name in ("n", "e", "x", "y") if name in member]
    if not all(isinstance(text, str) and _BASE64URL.fullmatch(text) for text in numbers):
        return None
    try:
        match member.get("kty"):
            case "RSA":
                public: object = RSAAlgorithm.from_jwk(member)
            case "EC":
                public = ECAlgorithm.from_jwk(member)
            case "OKP":
                public = OKPAlgorithm.from_jwk(member)
            case _:
                return None
    except (jwt.InvalidKeyError, ValueError, TypeError, KeyError):
        return None
    return public if isinstance(public, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey) else None


def _algorithms_of(public: PublicKey) -> frozenset[str]:
    if isinstance(public, RSAPublicKey):
        return _RSA if RSA_BITS_MIN <= public.key_size <= RSA_BITS_MAX else frozenset()
    if isinstance(public, EllipticCurvePublicKey):
        return _EC.get(public.curve.name, frozenset())
    return _ED25519
