"""The demo's identity provider signs what the world's JWT library accepts."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from scripts.demo_world.identity_provider import Algorithm, IdentityProvider

AUDIENCE = "https://gateway.example/mcp"


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as started:
        yield started


def served(url: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
        return json.load(answer)


def decoded(provider: IdentityProvider, token: str, audience: str = AUDIENCE) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(served(provider.jwks_uri))
    kid = jwt.get_unverified_header(token)["kid"]
    claims: dict[str, Any] = jwt.decode(
        token, keys[kid], algorithms=["RS256", "ES256"], audience=audience, issuer=provider.issuer
    )
    return claims


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_verifies_against_the_published_keys(provider: IdentityProvider, algorithm: Algorithm) -> None:
    token = provider.token("u-1", audience=AUDIENCE, groups=["support"], algorithm=algorithm)
    claims = decoded(provider, token)
    assert (claims["sub"], claims["groups"]) == ("u-1", ["support"])


def test_discovery_names_the_issuer_and_where_its_keys_are(provider: IdentityProvider) -> None:
    document = served(f"{provider.issuer}/.well-known/openid-configuration")
    assert (document["issuer"], document["jwks_uri"]) == (provider.issuer, provider.jwks_uri)


def test_only_public_halves_are_published(provider: IdentityProvider) -> None:
    assert not {"d", "p", "q"} & {name for key in served(provider.jwks_uri)["keys"] for name in key}


def test_another_audience_is_refused(provider: IdentityProvider) -> None:
    token = provider.token("u-1", audience="https://elsewhere.example")
    with pytest.raises(jwt.InvalidAudienceError):
        decoded(provider, token)


def test_a_token_of_yesterday_has_expired(provider: IdentityProvider) -> None:
    token = provider.token("u-1", audience=AUDIENCE, lifetime_s=-60)
    with pytest.raises(jwt.ExpiredSignatureError):
        decoded(provider, token)


def test_the_keys_of_another_provider_do_not_fit(provider: IdentityProvider) -> None:
    with IdentityProvider() as other:
        token = other.token("u-1", audience=AUDIENCE, claims={"iss": provider.issuer})
    with pytest.raises(jwt.InvalidSignatureError):
        decoded(provider, token)


def test_an_unknown_path_is_not_found(provider: IdentityProvider) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        served(f"{provider.issuer}/elsewhere")
    caught.value.close()
