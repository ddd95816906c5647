"""Good tokens of every kind pass; every known way to forge, stretch or borrow one does not."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.identity.issuing import (
    AUD,
    EC_KEY,
    ED_KEY,
    P384_KEY,
    P521_KEY,
    RSA_KEY,
    RSA_OTHER,
    Claims,
    Desk,
    KeyServer,
    Private,
    ask,
    b64,
    bearer,
    is_refused,
    jwk,
    pem,
    refusal,
    sign,
)

from holdfast.errors import Refused
from holdfast.identity.caller import Caller

ALL = "algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519]"


async def test_a_good_token_becomes_a_caller(desk: Desk) -> None:
    token = desk.token(name="Ada", groups=["staff", "ops"], azp="agent-7", jti="j-1")
    caller = await desk.identifier.identify(bearer(token))
    assert caller == Caller(
        iss=desk.iss,
        sub="u-1",
        name="Ada",
        groups=("staff", "ops"),
        aud=AUD,
        client="agent-7",
        auth="jwt",
        token_digest_hex=hashlib.sha256(b"j-1").hexdigest(),
        expires_at=caller.expires_at,
    )
    assert (caller.expires_at - desk.clock.now_at()).total_seconds() == 630


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (RSA_KEY, "RS256"),
        (RSA_KEY, "RS512"),
        (RSA_KEY, "PS256"),
        (RSA_KEY, "PS384"),
        (EC_KEY, "ES256"),
        (P384_KEY, "ES384"),
        (P521_KEY, "ES512"),
        (ED_KEY, "EdDSA"),
        (ED_KEY, "Ed25519"),
    ],
)
async def test_every_asymmetric_algorithm_verifies(server: KeyServer, key: Private, alg: str) -> None:
    server.show_keys(jwk(key, "k1"))
    desk = Desk(server, ALL)
    assert (await desk.identifier.identify(bearer(desk.token(key=key, alg=alg)))).sub == "u-1"


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer ", "  Bearer"])
async def test_the_scheme_is_read_in_any_case(desk: Desk, scheme: str) -> None:
    request = ask(("authorization", f"{scheme} {desk.token()}"))
    assert (await desk.identifier.identify(request)).sub == "u-1"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
async def test_an_unsigned_token_is_refused(desk: Desk, alg: str) -> None:
    head = b64(json.dumps({"alg": alg, "kid": "k1"}).encode())
    body = b64(json.dumps(desk.claims()).encode())
    for token in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.{b64(b'x')}"):
        assert await is_refused(desk, token)


@pytest.mark.parametrize("secret", [pem(RSA_KEY), pem(RSA_KEY).strip(), json.dumps(jwk(RSA_KEY, "k1")).encode(), b""])
async def test_a_public_key_is_no_shared_secret(desk: Desk, secret: bytes) -> None:
    head = b64(json.dumps({"alg": "HS256", "kid": "k1", "typ": "JWT"}).encode())
    signed = f"{head}.{b64(json.dumps(desk.claims()).encode())}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    assert await is_refused(desk, f"{signed}.{b64(mac)}")


async def test_key_names_and_key_places_in_the_header_lead_nowhere(server: KeyServer, desk: Desk) -> None:
    server.show("/evil", {"keys": [jwk(RSA_OTHER, "k1")]})
    for header in (
        {"jku": f"{server.url}/evil"},
        {"x5u": f"{server.url}/evil"},
        {"jwk": jwk(RSA_OTHER, "k1")},
        {"x5c": ["AAAA"]},
        {"kid": "../evil"},
        {"kid": "/etc/passwd"},
        {"kid": "k1' OR 1=1"},
        {"kid": 1},
        {"kid": "x" * 5000},
    ):
        assert await is_refused(desk, desk.token(header, key=RSA_OTHER))
    assert "/evil" not in server.asked


async def test_a_known_key_name_on_another_key_is_refused(server: KeyServer) -> None:
    server.show_keys(jwk(RSA_KEY, "k1"), jwk(EC_KEY, "k2"))
    desk = Desk(server)
    assert await is_refused(desk, desk.token({"kid": "k2"}))
    assert await is_refused(desk, desk.token({"kid": "k1"}, key=EC_KEY, alg="ES256"))


async def test_a_token_that_names_no_key_passes_only_where_one_key_fits(server: KeyServer) -> None:
    server.show_keys(jwk(RSA_KEY, None), jwk(EC_KEY, "e1"))
    one = Desk(server)
    await one.identifier.identify(bearer(one.token({"kid": ...})))
    server.show_keys(jwk(RSA_KEY, "k1"), jwk(RSA_OTHER, "k2"))
    several = Desk(server)
    assert "names no key" in (await refusal(several, several.token({"kid": ...}))).reason


async def test_a_key_that_names_its_algorithm_verifies_no_other(server: KeyServer) -> None:
    server.show_keys(jwk(RSA_KEY, "k1", alg="RS256"))
    desk = Desk(server)
    await desk.identifier.identify(bearer(desk.token()))
    assert await is_refused(desk, desk.token(alg="PS256"))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"typ": "logout+jwt"},
        {"typ": "oauth-id-jag+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 7},
        {"alg": "RS384"},
        {"alg": ["RS256"]},
    ],
)
async def test_headers_that_ask_for_more_are_refused(desk: Desk, header: Claims) -> None:
    assert await is_refused(desk, sign(RSA_KEY, "RS256", desk.claims(), {"kid": "k1", **header}))


async def test_a_good_signature_by_an_algorithm_that_the_rules_leave_out_is_refused(desk: Desk) -> None:
    for alg in ("RS384", "RS512", "PS384", "PS512"):
        assert "algorithm" in (await refusal(desk, desk.token(alg=alg))).reason


async def test_only_access_tokens_pass_where_the_rules_say_so(server: KeyServer) -> None:
    desk = Desk(server, "typ: at+jwt")
    for typ in ("at+jwt", "AT+JWT", "application/at+jwt"):
        await desk.identifier.identify(bearer(desk.token({"typ": typ})))
    assert await is_refused(desk, desk.token())
    assert await is_refused(desk, desk.token({"typ": ...}))


async def test_shapes_that_are_no_token_are_refused(desk: Desk) -> None:
    head, body, signature = desk.token().split(".")
    twice = b64(b'{"alg":"RS256","kid":"k1","kid":"k1"}')
    for token in (
        "a",
        "..",
        "a.b",
        "." * 10_000,
        "A" * 20_000,
        f"{head}.{body}.{signature}.x.y",  # a JWE has five parts
        f"{head}.{body}.{signature}=",
        f"{head}.{body}.{signature}==",
        f"{head}.{body}.{signature[:-1]}",
        f"{twice}.{body}.{signature}",
        f"{b64(b'[]')}.{body}.{signature}",
        f"{b64(b'\xff\xfe')}.{body}.{signature}",
        f"{head}.{b64(b'{"exp":NaN}')}.{signature}",
        f"{head}.{b64(b'[' * 5000)}.{signature}",
    ):
        assert await is_refused(desk, token)


async def test_a_second_spelling_of_the_same_signature_is_refused(desk: Desk) -> None:
    head, body, signature = desk.token().split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for last in alphabet:
        other = signature[:-1] + last
        if other != signature and base64.urlsafe_b64decode(other + "==") == raw:
            assert await is_refused(desk, f"{head}.{body}.{other}")


async def test_text_that_is_no_token_at_all_is_refused(desk: Desk) -> None:
    for token in ("", "\ud800", "ä.ö.ü", "\x00.\x00.\x00", "\U0001d538.\U0001d539.\u2102"):
        with pytest.raises(Refused):
            await desk.identifier.identify_token(token)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
async def test_no_flipped_bit_survives(desk: Desk, position: float, bit: int) -> None:
    token = desk.token().encode()
    at = int(position * len(token))
    flipped = token[:at] + bytes([token[at] ^ (1 << bit)]) + token[at + 1 :]
    with pytest.raises(Refused):
        await desk.identifier.identify_token(flipped.decode("latin-1"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text() | st.from_regex(r"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{0,40}"))
async def test_any_text_is_a_caller_or_a_refusal(desk: Desk, token: str) -> None:
    with pytest.raises(Refused):
        await desk.identifier.identify_token(token)
