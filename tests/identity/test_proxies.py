"""An assertion counts from its proxy's addresses only, and never travels on."""

import asyncio
from typing import Any

import pytest
from tests.identity.issuing import (
    EC_KEY,
    EC_OTHER,
    RSA_OTHER,
    Claims,
    Desk,
    KeyServer,
    ask,
    jwk,
    pem,
    sign,
)

from holdfast.errors import Cause, Refused

PROXY = """
trusted_proxies:
  - {id: edge, form: cloudflare-access, peers: [10.1.0.0/24, "fd00::1/128"], issuers: [corp]}
"""
HEADER = "cf-access-jwt-assertion"
ARN = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/mine/1234"
ALB = f"""
trusted_proxies:
  - {{id: alb, form: aws-alb, peers: [10.1.0.0/24], issuers: [corp], signer: "{ARN}"}}
"""


async def refused(desk: Desk, *headers: tuple[str, str], ip: str = "10.1.0.7") -> Refused:
    with pytest.raises(Refused) as caught:
        await desk.identifier.identify(ask(*headers, ip=ip))
    return caught.value


def behind(server: KeyServer, accept: str = "assertion", proxy: str = PROXY) -> Desk:
    return Desk(server, f"accept: {accept}", proxy)


@pytest.mark.parametrize("ip", ["10.1.0.7", "::ffff:10.1.0.7", "fd00::1"])
async def test_the_proxys_assertion_names_the_caller(server: KeyServer, ip: str) -> None:
    desk = behind(server)
    caller = await desk.identifier.identify(ask((HEADER, desk.token()), ip=ip))
    assert (caller.sub, caller.auth) == ("u-1", "trusted-proxy")


@pytest.mark.parametrize("ip", ["10.1.1.7", "127.0.0.1", "::1", "fd00::2", "", "10.1.0", "::ffff:10.1.1.7"])
async def test_the_same_assertion_from_anybody_else_is_no_credential(server: KeyServer, ip: str) -> None:
    desk = behind(server)
    answer = await refused(desk, (HEADER, desk.token()), ip=ip)
    assert answer.reason == "the request carries no credential"
    assert desk.identifier.challenge(answer, "https://g.example/prm") == (
        ("www-authenticate", 'Bearer resource_metadata="https://g.example/prm"'),
    )


async def test_an_assertion_is_no_bearer_token_and_the_other_way_round(server: KeyServer) -> None:
    asserted = behind(server)
    await refused(asserted, ("authorization", f"Bearer {asserted.token()}"))
    with pytest.raises(Refused):
        await asserted.identifier.identify_token(asserted.token())
    sent = Desk(server)
    await refused(sent, (HEADER, sent.token()))


async def test_a_forged_assertion_from_the_right_address_is_refused(server: KeyServer) -> None:
    desk = behind(server)
    await refused(desk, (HEADER, desk.token(key=RSA_OTHER)))
    await refused(desk, (HEADER, desk.token(aud="other")))
    await refused(desk, (HEADER, ""))
    await refused(desk, (HEADER, desk.token()), (HEADER, desk.token()))


async def test_two_credentials_must_be_of_one_caller(server: KeyServer) -> None:
    desk = behind(server, "[bearer, assertion]")
    mine = ("authorization", f"Bearer {desk.token()}")
    caller = await desk.identifier.identify(ask(mine, (HEADER, desk.token(name="Ada")), ip="10.1.0.7"))
    assert caller.auth == "jwt"
    answer = await refused(desk, mine, (HEADER, desk.token(sub="u-2")))
    assert "two different callers" in answer.reason
    await refused(desk, mine, (HEADER, "rubbish"))
    await refused(desk, ("authorization", "Bearer rubbish"), (HEADER, desk.token()))


async def test_an_assertion_from_a_stranger_does_not_disturb_a_bearer_token(server: KeyServer) -> None:
    desk = behind(server, "[bearer, assertion]")
    request = ask(("authorization", f"Bearer {desk.token()}"), (HEADER, "rubbish"), ip="192.0.2.1")
    assert (await desk.identifier.identify(request)).sub == "u-1"


async def test_a_token_remembered_as_bearer_is_judged_anew_as_assertion(server: KeyServer) -> None:
    desk = behind(server, "[bearer, assertion]")
    token = desk.token()
    assert (await desk.identifier.identify(ask(("authorization", f"Bearer {token}")))).auth == "jwt"
    assert (await desk.identifier.identify(ask((HEADER, token), ip="10.1.0.7"))).auth == "trusted-proxy"


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ("google-iap", "x-goog-iap-jwt-assertion"),
        ("pomerium", "x-pomerium-jwt-assertion"),
        ("jwt, header: X-My-Proxy", "x-my-proxy"),
    ],
)
async def test_each_proxy_has_its_header(server: KeyServer, form: str, header: str) -> None:
    server.show_keys(jwk(EC_KEY, "k1"))
    proxy = f"trusted_proxies: [{{id: p, form: {form}, peers: [10.1.0.0/24], issuers: [corp]}}]"
    desk = Desk(server, "accept: assertion", proxy, iss="gateway.example.com")  # Pomerium's iss is a bare host
    token = desk.token(key=EC_KEY, alg="ES256")
    assert (await desk.identifier.identify(ask((header, token), ip="10.1.0.7"))).sub == "u-1"
    assert desk.identifier.strip(((header, token), ("accept", "*/*"))) == (("accept", "*/*"),)


async def test_a_login_by_saml_is_said_to_be_one(server: KeyServer) -> None:
    desk = behind(server, proxy=PROXY.replace("issuers:", "login: saml, issuers:"))
    assert (await desk.identifier.identify(ask((HEADER, desk.token()), ip="10.1.0.7"))).auth == "saml"


def behind_alb(server: KeyServer) -> Desk:
    server.show("/keys/0c5f-1", pem(EC_KEY))
    issuer = f"pem_url: {server.url}/keys/\naccept: assertion\naudiences: [client-1]\nalgorithms: [ES256]"
    return Desk(server, issuer, ALB, iss="https://idp.example.com")


def alb(desk: Desk, header: Claims | None = None, *, key: Any = EC_KEY, padded: bool = True, **claims: Any) -> str:
    now_s = int(desk.clock.now_at().timestamp())
    usual: Claims = {"kid": "0c5f-1", "signer": ARN, "iss": desk.iss, "client": "client-1", "exp": now_s + 120}
    said = {"sub": "u-1", "email": "a@example.com", **claims}
    return sign(key, "ES256", said, {**usual, **(header or {})}, padded=padded)


@pytest.mark.parametrize("padded", [True, False])
async def test_a_load_balancers_assertion_passes_with_its_odd_padding(server: KeyServer, *, padded: bool) -> None:
    desk = behind_alb(server)
    for name in ("a", "ab", "abc", "abcd"):  # every length of padding
        token = alb(desk, name=name, padded=padded)
        caller = await desk.identifier.identify(ask(("x-amzn-oidc-data", token), ip="10.1.0.7"))
        assert (caller.sub, caller.name, caller.client, caller.aud) == ("u-1", name, "client-1", "client-1")
    assert server.asked == ["/keys/0c5f-1"]


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"signer": ARN + "5"}, {}),
        ({"signer": ...}, {}),
        ({"signer": [ARN]}, {}),
        ({"client": "client-2"}, {}),
        ({"client": ...}, {"aud": "client-1"}),
        ({"iss": "https://other.example.com"}, {}),
        ({"iss": ...}, {"iss": "https://idp.example.com"}),
        ({}, {"iss": "https://other.example.com"}),
        ({"exp": 1}, {}),
        ({}, {"exp": 1}),
        ({"exp": ...}, {"exp": 4102444800}),
        ({"kid": "../jwks"}, {}),
        ({"kid": "a/b"}, {}),
        ({"kid": "?x"}, {}),
        ({"kid": ...}, {}),
        ({}, {"sub": ...}),
    ],
)
async def test_a_load_balancers_assertion_that_is_not_ours_is_refused(
    server: KeyServer, header: Claims, claims: Claims
) -> None:
    desk = behind_alb(server)
    answer = await refused(desk, ("x-amzn-oidc-data", alb(desk, header, **claims)))
    assert answer.cause is Cause.UNAUTHENTICATED
    assert set(server.asked) <= {"/keys/0c5f-1"}


async def test_a_load_balancers_assertion_by_another_key_is_refused(server: KeyServer) -> None:
    desk = behind_alb(server)
    assert (await refused(desk, ("x-amzn-oidc-data", alb(desk, key=EC_OTHER)))).cause is Cause.UNAUTHENTICATED


async def test_made_up_key_names_do_not_hammer_the_region(server: KeyServer) -> None:
    desk = behind_alb(server)
    await desk.identifier.identify(ask(("x-amzn-oidc-data", alb(desk)), ip="10.1.0.7"))
    for number in range(50):
        answer = await refused(desk, ("x-amzn-oidc-data", alb(desk, {"kid": f"no-{number}"})))
        assert answer.cause is Cause.UNAUTHENTICATED
    assert len(server.asked) == 2
    await desk.identifier.identify(ask(("x-amzn-oidc-data", alb(desk, sub="u-2")), ip="10.1.0.7"))


async def test_many_assertions_at_once_share_one_fetch(server: KeyServer) -> None:
    desk = behind_alb(server)
    tokens = [alb(desk, sub=f"u-{number}") for number in range(20)]
    await asyncio.gather(
        *(desk.identifier.identify(ask(("x-amzn-oidc-data", token), ip="10.1.0.7")) for token in tokens)
    )
    assert server.asked == ["/keys/0c5f-1"]


async def test_a_load_balancers_key_is_fetched_again_and_not_trusted_when_stale(server: KeyServer) -> None:
    desk = behind_alb(server)
    far = int(desk.clock.now_at().timestamp()) + 9000
    token = alb(desk, {"exp": far})
    request = ask(("x-amzn-oidc-data", token), ip="10.1.0.7")
    await desk.identifier.identify(request)
    server.close()
    desk.clock.advance(3599)
    await desk.identifier.identify(request)
    desk.clock.advance(2)
    assert (await refused(desk, ("x-amzn-oidc-data", token))).cause is Cause.UNAVAILABLE


async def test_a_region_that_does_not_answer_is_the_gateways_trouble_not_the_callers(server: KeyServer) -> None:
    desk = behind_alb(server)
    server.close()
    assert (await refused(desk, ("x-amzn-oidc-data", alb(desk)))).cause is Cause.UNAVAILABLE


def test_nothing_that_names_a_caller_travels_on(server: KeyServer) -> None:
    identifier = Desk(server, more="strip_headers: [X-Api-Key]").identifier
    bad = [
        "authorization",
        "Authorization",
        "proxy-authorization",
        "cookie",
        "dpop",
        "cf-access-jwt-assertion",
        "cf-access-authenticated-user-email",
        "x-goog-iap-jwt-assertion",
        "x-goog-authenticated-user-email",
        "x-amzn-oidc-data",
        "x-amzn-oidc-accesstoken",
        "X_Amzn_Oidc_Data",
        "x-pomerium-jwt-assertion",
        "x-auth-request-user",
        "x-forwarded-user",
        "x-api-key",
    ]
    good = (("accept", "*/*"), ("mcp-session-id", "s"), ("mcp-param-region", "eu"), ("x-amzn-trace-id", "t"))
    assert identifier.strip((*((name, "v") for name in bad), *good)) == good
