"""What verified claims must say, and the Caller that they become."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.identity.issuing import (
    AUD,
    Claims,
    Desk,
    KeyServer,
    bearer,
    is_refused,
    refusal,
)

from holdfast.errors import Cause, Refused


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": ...},
        {"iss": ["a"]},
        {"aud": "https://other.example/mcp"},
        {"aud": ...},
        {"aud": []},
        {"aud": [AUD, 7]},
        {"aud": {"a": AUD}},
        {"aud": AUD + "/"},
        {"sub": ...},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 300},
        {"exp": ...},
        {"exp": None},
        {"exp": True},
        {"exp": "1893456000"},
        {"exp": -1},
        {"exp": 1e300},
        {"nbf": "soon"},
        {"iat": []},
        {"nbf": True},
        {"groups": "a\u202eb"},
        {"groups": {"a": 1}},
        {"groups": ["a", 1]},
        {"act": "agent"},
        {"act": {"sub": 7}},
        {"act": {"sub": "a", "act": {}}},
        {"act": {"sub": "a", "iss": "https://a|b"}},
        {"cnf": {"jkt": "abc"}},
    ],
)
async def test_claims_that_do_not_hold_are_refused(desk: Desk, claims: Claims) -> None:
    assert await is_refused(desk, desk.token(**claims))


async def test_an_issuer_is_compared_byte_for_byte(desk: Desk) -> None:
    for iss in (desk.iss + "/", desk.iss.upper(), desk.iss + "#", " " + desk.iss):
        assert await is_refused(desk, desk.token(iss=iss))


async def test_times_are_judged_with_leeway(desk: Desk) -> None:
    now_s = int(desk.clock.now_at().timestamp())
    good: list[Claims] = [{"exp": now_s - 29}, {"nbf": now_s + 29}, {"iat": now_s + 29}]
    bad: list[Claims] = [{"exp": now_s - 30}, {"nbf": now_s + 31}, {"iat": now_s + 31}, {"iat": now_s - 86431}]
    for claims in good:
        await desk.identifier.identify(bearer(desk.token(**claims)))
    for claims in bad:
        assert await is_refused(desk, desk.token(**claims))


async def test_a_token_without_iat_must_expire_within_the_age_allowed(desk: Desk) -> None:
    now_s = int(desk.clock.now_at().timestamp())
    await desk.identifier.identify(bearer(desk.token(iat=..., exp=now_s + 86400)))
    assert await is_refused(desk, desk.token(iat=..., exp=now_s + 86401))


async def test_a_remembered_token_still_expires(desk: Desk) -> None:
    token = desk.token(exp=int(desk.clock.now_at().timestamp()) + 10)
    await desk.identifier.identify(bearer(token))
    desk.clock.advance(39)
    await desk.identifier.identify(bearer(token))
    desk.clock.advance(1)
    assert (await refusal(desk, token)).reason == "the token has expired"


async def test_required_claims_and_scopes_hold(server: KeyServer) -> None:
    desk = Desk(
        server,
        """required_scopes: [mcp]
required_claims:
  - {claim: verified, equals: true}
  - {claim: tenant, one_of: [a, b]}
  - {claim: groups, contains: [users]}
  - {claim: [org, unit]}""",
    )
    good: Any = {"verified": True, "tenant": "a", "groups": ["x", "users"], "org": {"unit": 1}, "scope": "mcp more"}
    await desk.identifier.identify(bearer(desk.token(**good)))
    await desk.identifier.identify(bearer(desk.token(**{**good, "scope": ..., "scp": ["mcp"]})))
    for bad in ({"verified": 1}, {"tenant": "c"}, {"tenant": ["a"]}, {"groups": ["x"]}, {"org": "unit"}):
        assert await is_refused(desk, desk.token(**{**good, **bad}))
    for missing in ({"scope": "more"}, {"scope": ...}, {"scope": 7}, {"scope": "mcpx"}):
        assert (await refusal(desk, desk.token(**{**good, **missing}))).cause is Cause.FORBIDDEN


async def test_name_groups_client_and_actors_come_from_where_the_rules_say(server: KeyServer) -> None:
    desk = Desk(server, "name_claim: [nick]\ngroups_claim: [realm, roles]\nclient_claim: cid")
    act = {"sub": "agent", "act": {"iss": "https://o.example", "sub": "auth0|root"}}
    token = desk.token(nick="Bo", realm={"roles": ["r"]}, cid="c", azp="no", act=act)
    caller = await desk.identifier.identify(bearer(token))
    assert (caller.name, caller.groups, caller.client) == ("Bo", ("r",), "c")
    assert caller.act == (f"{desk.iss}|agent", "https://o.example|auth0|root")
    none = Desk(server, "groups_claim: []")
    assert (await none.identifier.identify(bearer(none.token(groups=["a"])))).groups == ()
    assert (await desk.identifier.identify(bearer(desk.token(nick="a\x1bb")))).name == "u-1"


async def test_a_chain_of_actors_has_an_end(desk: Desk) -> None:
    act: dict[str, Any] = {"sub": "a"}
    for _ in range(8):
        act = {"sub": "a", "act": act}
    assert await is_refused(desk, desk.token(act=act))


async def test_the_approvers_desk_may_ask_for_another_audience(desk: Desk) -> None:
    token = desk.token(aud="urn:desk")
    assert (await desk.identifier.identify_token(token, "urn:desk")).aud == "urn:desk"
    with pytest.raises(Refused):
        await desk.identifier.identify_token(token)
    with pytest.raises(Refused):
        await desk.identifier.identify_token(desk.token(), "urn:desk")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    claims=st.dictionaries(
        st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "act", "groups", "scope", "name", "jti", "cnf"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
async def test_any_signed_claims_are_a_caller_or_a_refusal(desk: Desk, claims: Claims) -> None:
    try:
        caller = await desk.identifier.identify_token(desk.token(**claims))
    except Refused:
        return
    assert caller.iss == desk.iss
    assert caller.sub.isprintable()
