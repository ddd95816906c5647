"""Which key documents are believed, and which of their keys are used."""

import base64
import json

import pytest
from tests.identity.issuing import (
    EC_KEY,
    ED_KEY,
    P384_KEY,
    RSA_KEY,
    RSA_OTHER,
    RSA_WEAK,
    jwk,
    pem,
    sign,
)

from holdfast.identity.jwks import KeysError, parse_jwks, parse_pem


def parsed(*keys: object) -> list[str | None]:
    return [key.kid for key in parse_jwks(json.dumps({"keys": list(keys)}).encode())]


def test_keys_that_sign_nothing_of_ours_are_left_out() -> None:
    good = jwk(RSA_KEY, "good")
    assert parsed(
        good,
        jwk(RSA_OTHER, "enc", use="enc"),
        jwk(RSA_OTHER, "ops", key_ops=["sign"]),
        jwk(RSA_OTHER, "alg", alg="RSA-OAEP"),
        jwk(RSA_OTHER, "hs", alg="HS256"),
        jwk(RSA_WEAK, "weak"),
        jwk(EC_KEY, "curve", crv="P-384"),
        jwk(ED_KEY, "x448", crv="X448"),
        {"kty": "AKP", "kid": "new"},
        {"kid": "no-kty"},
        {**good, "kid": "padded", "n": good["n"] + "="},
        {**jwk(EC_KEY, "off"), "x": jwk(P384_KEY, "")["x"][:43]},
    ) == ["good"]


def test_use_and_key_ops_that_verify_are_taken() -> None:
    assert parsed(jwk(EC_KEY, "a", use="sig"), jwk(ED_KEY, "b", key_ops=["verify"])) == ["a", "b"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[7]}',
        json.dumps({"keys": [jwk(RSA_KEY, "a"), {"kty": "oct"}]}).encode(),
        b'{"keys":[],"keys":[]}',
        b"\xff",
        json.dumps({"keys": [jwk(RSA_KEY, "a"), jwk(EC_KEY, "a")]}).encode(),
        json.dumps({"keys": [jwk(RSA_KEY, "a"), {"kty": "oct", "k": "AA", "kid": "b"}]}).encode(),
        json.dumps({"keys": [jwk(RSA_KEY, "a"), jwk(EC_KEY, "b", d="AA")]}).encode(),
        json.dumps({"keys": [jwk(RSA_KEY, None) | {"kid": 7}]}).encode(),
        json.dumps({"keys": [jwk(RSA_WEAK, "a")]}).encode(),
        json.dumps({"keys": [jwk(RSA_KEY, str(n)) for n in range(101)]}).encode(),
    ],
)
def test_a_key_set_that_cannot_be_believed_is_refused_whole(document: bytes) -> None:
    with pytest.raises(KeysError):
        parse_jwks(document)


def test_a_key_verifies_by_its_own_algorithms_only() -> None:
    (key,) = parse_jwks(json.dumps({"keys": [jwk(RSA_KEY, "a", alg="RS256")]}).encode())
    for alg in ("RS256", "PS256"):
        head, body, signature = sign(RSA_KEY, alg, {}).split(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        assert key.verifies(alg, f"{head}.{body}".encode(), raw) is (alg == "RS256")


def test_a_pem_file_holds_one_strong_public_key() -> None:
    assert parse_pem(pem(EC_KEY), "a").algorithms == {"ES256"}
    for data in (b"", b"-----BEGIN PUBLIC KEY-----\n", pem(RSA_WEAK), b"\xff" * 100):
        with pytest.raises(KeysError):
            parse_pem(data, "a")
