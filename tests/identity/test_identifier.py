"""Where a credential may stand in a request, what a refusal tells the client, and the metadata it then reads."""

import json
import logging
from pathlib import Path

import pytest
from tests.identity.issuing import AUD, RSA_OTHER, Desk, KeyServer, ask, bearer, rules_of

from holdfast.clock import SetClock
from holdfast.errors import Cause, Refused
from holdfast.identity.identifier import Identifier
from holdfast.identity.refusal import insufficient_scope

PRM = "https://g.example/.well-known/oauth-protected-resource/mcp"


async def challenge(desk: Desk, *headers: tuple[str, str], path: str = "/mcp") -> str:
    with pytest.raises(Refused) as caught:
        await desk.identifier.identify(ask(*headers, path=path))
    assert caught.value.cause is Cause.UNAUTHENTICATED
    ((name, value),) = desk.identifier.challenge(caught.value, PRM)
    assert name == "www-authenticate"
    return value


async def test_no_credential_gets_a_challenge_without_an_error(desk: Desk) -> None:
    assert await challenge(desk) == f'Bearer resource_metadata="{PRM}"'


async def test_another_scheme_counts_as_no_credential(desk: Desk) -> None:
    assert "error" not in await challenge(desk, ("authorization", "Basic dTpw"))
    assert "error" not in await challenge(desk, ("authorization", "DPoP abc"))


async def test_a_bad_token_gets_invalid_token(desk: Desk) -> None:
    text = await challenge(desk, ("authorization", f"Bearer {desk.token(key=RSA_OTHER)}"))
    assert text.startswith(f'Bearer resource_metadata="{PRM}", error="invalid_token", error_description="')


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer a, Bearer b", "Bearer \xe4", 'Bearer "a"']
)
async def test_a_malformed_header_gets_invalid_request(desk: Desk, value: str) -> None:
    assert 'error="invalid_request"' in await challenge(desk, ("authorization", value))


async def test_two_authorization_headers_are_refused_even_when_equal(desk: Desk) -> None:
    header = ("authorization", f"Bearer {desk.token()}")
    assert 'error="invalid_request"' in await challenge(desk, header, header)


@pytest.mark.parametrize("query", ["access_token=a", "x=1&ACCESS_TOKEN=a", "access%5Ftoken=a", "id_token", "token="])
async def test_a_token_in_the_url_is_refused_even_beside_a_good_one(desk: Desk, query: str) -> None:
    header = ("authorization", f"Bearer {desk.token()}")
    assert 'error="invalid_request"' in await challenge(desk, header, path=f"/mcp?{query}")


async def test_a_url_with_more_fields_than_can_be_looked_at_is_refused(desk: Desk) -> None:
    assert "too many" in await challenge(desk, path="/mcp?" + "a=1&" * 200 + "access_token=x")


async def test_other_query_fields_do_not_matter(desk: Desk) -> None:
    assert (await desk.identifier.identify(bearer(desk.token(), path="/messages?sessionId=1&q="))).sub == "u-1"


async def test_identity_is_judged_on_every_request(desk: Desk) -> None:
    await desk.identifier.identify(bearer(desk.token()))
    assert "error" not in await challenge(desk)


async def test_nobody_passes_without_issuers(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    identifier = Identifier(rules_of("version: 1\nissuers: []\n"), SetClock())
    with caplog.at_level(logging.WARNING):
        await identifier.warm()
    assert "lists no issuer: every request is refused" in caplog.text
    for request in (ask(), bearer(desk.token())):
        with pytest.raises(Refused):
            await identifier.identify(request)


async def test_logs_name_the_issuer_and_no_token(server: KeyServer, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(server)
    token = desk.token(sub="somebody@example.com", key=RSA_OTHER)
    with caplog.at_level(logging.DEBUG):
        await desk.identifier.warm()
        with pytest.raises(Refused):
            await desk.identifier.identify(bearer(token))
        server.close()
        desk.clock.advance(3601)
        with pytest.raises(Refused):
            await desk.identifier.identify(bearer(desk.token()))
    assert "corp: 1 keys" in caplog.text
    assert "the keys of issuer corp could not be renewed" in caplog.text
    assert not any(secret in caplog.text for secret in ("somebody", token.split(".")[1], token))


def test_a_missing_scope_gets_403_and_says_which(desk: Desk) -> None:
    refused = insufficient_scope(("mcp:tools", "mcp:read"), rule="r-1")
    assert (refused.cause, refused.rule) == (Cause.FORBIDDEN, "r-1")
    ((_, text),) = desk.identifier.challenge(refused, PRM)
    assert 'error="insufficient_scope"' in text
    assert text.endswith('scope="mcp:tools mcp:read"')


def test_a_refusal_that_is_not_about_a_credential_has_no_challenge(desk: Desk) -> None:
    for cause in Cause:
        headers = desk.identifier.challenge(Refused(cause, "r"), PRM)
        assert bool(headers) is (cause is Cause.UNAUTHENTICATED)


def test_nothing_can_be_written_into_the_challenge(desk: Desk) -> None:
    refused = Refused(Cause.UNAUTHENTICATED, 'a"b\\c\r\nSet-Cookie: x=ä')
    ((_, text),) = desk.identifier.challenge(refused, 'https://g.example/"\r\nx: y')
    assert text == 'Bearer error="invalid_token", error_description="a b c  Set-Cookie: x= "'


def test_the_metadata_names_the_resource_and_who_issues_tokens_for_it(server: KeyServer) -> None:
    desk = Desk(server, more="scopes_supported: [mcp]")
    assert json.loads(desk.identifier.metadata(AUD)) == {
        "resource": AUD,
        "authorization_servers": [server.url],
        "bearer_methods_supported": ["header"],
        "resource_name": "Holdfast MCP gateway",
        "scopes_supported": ["mcp"],
    }
    ((_, text),) = desk.identifier.challenge(Refused(Cause.UNAUTHENTICATED, "r"), PRM)
    assert text.endswith('scope="mcp"')


def test_the_rules_resource_goes_before_the_derived_one(server: KeyServer) -> None:
    desk = Desk(server, more="resource: https://public.example/mcp")
    assert json.loads(desk.identifier.metadata("http://10.0.0.1/mcp"))["resource"] == "https://public.example/mcp"


def test_issuers_of_assertions_are_no_authorization_servers(server: KeyServer) -> None:
    assert json.loads(Desk(server, "accept: assertion").identifier.metadata(AUD))["authorization_servers"] == []


def test_identity_reads_no_clock_and_no_proxy_of_its_own() -> None:
    folder = Path(__file__).resolve().parents[2] / "addons/holdfast/identity"
    text = "".join(path.read_text() for path in folder.glob("*.py"))
    assert "datetime.now" not in text
    assert "time.time" not in text
    assert "import mitmproxy" not in text
