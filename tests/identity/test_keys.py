"""Keys are fetched once, kept fresh, renewed on rotation, and never at a stranger's beck and call."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.identity.issuing import (
    RSA_KEY,
    RSA_OTHER,
    Desk,
    KeyServer,
    bearer,
    jwk,
    key_server,
)

from holdfast.errors import Cause, Refused
from holdfast.identity.fetch import CONNECT_S_MAX
from holdfast.identity.identifier import Identifier

AT_ONCE_S = 0.8 * CONNECT_S_MAX  # whoever waits for a server that does not answer takes longer


async def cause_of(desk: Desk, token: str) -> Cause:
    with pytest.raises(Refused) as caught:
        await desk.identifier.identify(bearer(token))
    return caught.value.cause


def unknown(desk: Desk, number: int) -> str:
    return desk.token({"kid": f"made-up-{number}"}, key=RSA_OTHER)


async def settled(server: KeyServer, count: int) -> None:
    """Wait for ``count`` requests to have come in, and for what they answer to be read."""
    await server.until_asked(count)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*tasks)


async def test_many_requests_at_once_share_one_fetch(desk: Desk) -> None:
    await asyncio.gather(*(desk.identifier.identify(bearer(desk.token(sub=f"u-{n}"))) for n in range(50)))
    assert desk.server.asked == ["/jwks"]


async def test_warming_fetches_before_the_first_token(desk: Desk) -> None:
    await desk.identifier.warm()
    await desk.identifier.identify(bearer(desk.token()))
    assert desk.server.asked == ["/jwks"]


async def test_a_client_that_goes_away_does_not_end_the_fetch_of_others(desk: Desk) -> None:
    desk.server.gate.clear()
    gone = asyncio.create_task(desk.identifier.identify(bearer(desk.token())))
    stays = asyncio.create_task(desk.identifier.identify(bearer(desk.token(sub="u-2"))))
    await desk.server.until_asked(1)
    gone.cancel()
    desk.server.gate.set()
    assert (await stays).sub == "u-2"
    assert desk.server.asked == ["/jwks"]


async def test_a_rotated_key_is_found_at_once_and_by_all(desk: Desk) -> None:
    await desk.identifier.identify(bearer(desk.token()))
    desk.server.show_keys(jwk(RSA_KEY, "k1"), jwk(RSA_OTHER, "k2"))
    new = [desk.token({"kid": "k2"}, key=RSA_OTHER, sub=f"u-{n}") for n in range(20)]
    await asyncio.gather(*(desk.identifier.identify(bearer(token)) for token in new))
    assert len(desk.server.asked) == 2


async def test_made_up_key_names_do_not_hammer_the_issuer(desk: Desk) -> None:
    await desk.identifier.warm()
    for number in range(100):
        assert await cause_of(desk, unknown(desk, number)) is Cause.UNAUTHENTICATED
        desk.clock.advance(0.1)
    assert len(desk.server.asked) == 1 + 2
    desk.clock.advance(30)
    for number in range(100):
        await cause_of(desk, unknown(desk, number))
    assert len(desk.server.asked) == 1 + 3


async def test_made_up_key_names_do_not_trouble_callers_with_known_ones(desk: Desk) -> None:
    await desk.identifier.warm()
    desk.server.gate.clear()
    attack = asyncio.create_task(cause_of(desk, unknown(desk, 1)))
    async with asyncio.timeout(AT_ONCE_S):
        await desk.identifier.identify(bearer(desk.token()))
    desk.server.gate.set()
    assert await attack is Cause.UNAUTHENTICATED


async def test_a_withdrawn_key_stops_verifying_also_for_tokens_already_seen(desk: Desk) -> None:
    token = desk.token(exp=int(desk.clock.now_at().timestamp()) + 3000)
    await desk.identifier.identify(bearer(token))
    desk.server.show_keys(jwk(RSA_OTHER, "k2"))
    desk.clock.advance(301)
    await desk.identifier.identify(bearer(token))  # the last one on old keys; it starts the renewal
    await settled(desk.server, 2)
    assert await cause_of(desk, token) is Cause.UNAUTHENTICATED


async def test_keys_are_renewed_in_the_background_before_they_are_stale(desk: Desk) -> None:
    token = desk.token(exp=int(desk.clock.now_at().timestamp()) + 9000)
    await desk.identifier.identify(bearer(token))
    desk.clock.advance(301)
    desk.server.gate.clear()
    async with asyncio.timeout(AT_ONCE_S):
        await desk.identifier.identify(bearer(token))
    desk.server.gate.set()
    await settled(desk.server, 2)
    desk.clock.advance(3500)
    await desk.identifier.identify(bearer(token))


async def test_an_issuer_that_is_down_is_bridged_until_the_keys_are_stale(desk: Desk) -> None:
    token = desk.token(exp=int(desk.clock.now_at().timestamp()) + 9000)
    await desk.identifier.identify(bearer(token))
    desk.server.close()
    desk.clock.advance(3599)
    await desk.identifier.identify(bearer(token))
    desk.clock.advance(2)
    assert await cause_of(desk, token) is Cause.UNAVAILABLE


async def test_a_signature_remembered_does_not_outlive_stale_keys(server: KeyServer) -> None:
    desk = Desk(server, "refresh_s: 60\nmax_stale_s: 60")
    await desk.identifier.warm()
    desk.clock.advance(30)
    token = desk.token()
    await desk.identifier.identify(bearer(token))
    desk.server.close()
    desk.clock.advance(31)
    assert await cause_of(desk, token) is Cause.UNAVAILABLE


async def test_a_machine_that_slept_does_not_trust_its_old_keys(desk: Desk) -> None:
    token = desk.token(exp=int(desk.clock.now_at().timestamp()) + 9000)
    await desk.identifier.identify(bearer(token))
    desk.server.close()
    ns = desk.clock.ns
    desk.clock.advance(3601)
    desk.clock.ns = ns  # the monotonic clock stood still
    assert await cause_of(desk, token) is Cause.UNAVAILABLE


async def test_an_issuer_that_is_down_from_the_start_means_nobody_passes_until_it_is_back(desk: Desk) -> None:
    desk.server.show("/jwks", b"", status=500)
    await desk.identifier.warm()
    for _ in range(20):
        assert await cause_of(desk, desk.token()) is Cause.UNAVAILABLE
    assert len(desk.server.asked) == 1
    desk.server.show_keys(jwk(RSA_KEY, "k1"))
    desk.clock.advance(5)
    await desk.identifier.identify(bearer(desk.token()))


async def test_a_bad_key_set_does_not_replace_a_good_one(desk: Desk) -> None:
    token = desk.token(exp=int(desk.clock.now_at().timestamp()) + 9000)
    await desk.identifier.identify(bearer(token))
    desk.server.show("/jwks", {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "k1"}]})
    desk.clock.advance(301)
    await desk.identifier.identify(bearer(token))
    await settled(desk.server, 2)
    await desk.identifier.identify(bearer(token))


async def test_a_key_file_serves_a_machine_without_a_network(server: KeyServer, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [jwk(RSA_KEY, "k1")]}))
    desk = Desk(server, f"jwks_file: {path}")
    await desk.identifier.identify(bearer(desk.token()))
    path.write_text(json.dumps({"keys": [jwk(RSA_OTHER, "k2")]}))
    await desk.identifier.identify(bearer(desk.token({"kid": "k2"}, key=RSA_OTHER)))
    assert server.asked == []


async def test_a_missing_key_file_means_nobody_passes(server: KeyServer, tmp_path: Path) -> None:
    desk = Desk(server, f"jwks_file: {tmp_path / 'none.json'}")
    await desk.identifier.warm()
    assert await cause_of(desk, desk.token()) is Cause.UNAVAILABLE


async def test_discovery_finds_the_keys(server: KeyServer) -> None:
    server.show("/.well-known/openid-configuration", {"issuer": server.url, "jwks_uri": f"{server.url}/jwks"})
    desk = Desk(server, "discovery: true")
    await desk.identifier.identify(bearer(desk.token()))
    assert server.asked == ["/.well-known/openid-configuration", "/jwks"]


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example", "jwks_uri": "{url}/jwks"},
        {"issuer": "{url}/", "jwks_uri": "{url}/jwks"},
        {"jwks_uri": "{url}/jwks"},
        {"issuer": "{url}"},
        {"issuer": "{url}", "jwks_uri": "http://keys.example/jwks"},
        {"issuer": "{url}", "jwks_uri": "file:///etc/passwd"},
        {"issuer": "{url}", "jwks_uri": ["{url}/jwks"]},
        [],
        "no object",
    ],
)
async def test_discovery_that_is_not_the_issuers_own_is_refused(server: KeyServer, document: Any) -> None:
    text = json.dumps(document).replace("{url}", server.url)
    server.show("/.well-known/openid-configuration", text.encode())
    desk = Desk(server, "discovery: true")
    assert await cause_of(desk, desk.token()) is Cause.UNAVAILABLE
    assert "/jwks" not in server.asked


async def test_a_redirect_on_the_same_host_is_followed_and_one_to_another_is_not(server: KeyServer) -> None:
    server.show("/jwks", b"", status=302, headers=(("Location", "/moved"),))
    server.show("/moved", {"keys": [jwk(RSA_KEY, "k1")]})
    desk = Desk(server)
    await desk.identifier.identify(bearer(desk.token()))
    with key_server() as other:
        other.show_keys(jwk(RSA_KEY, "k1"))
        server.show("/jwks", b"", status=302, headers=(("Location", f"{other.url}/jwks"),))
        again = Desk(server)
        assert await cause_of(again, again.token()) is Cause.UNAVAILABLE
        assert other.asked == []


async def test_a_document_that_is_too_large_or_is_moved_in_circles_is_refused(server: KeyServer) -> None:
    for answer in (
        (200, (), server.pages["/jwks"][2] + b" " * 600_000),
        (302, (("Location", "/jwks"),), b""),
        (204, (), b""),
        (404, (), b""),
    ):
        server.pages["/jwks"] = answer
        desk = Desk(server)
        assert await cause_of(desk, desk.token()) is Cause.UNAVAILABLE


async def test_a_document_that_is_cut_short_is_refused(server: KeyServer) -> None:
    body = server.pages["/jwks"][2]
    server.pages["/jwks"] = (200, (("Content-Length", str(len(body) + 9)),), body)
    desk = Desk(server)
    assert await cause_of(desk, desk.token()) is Cause.UNAVAILABLE


@pytest.mark.parametrize("target", ["http://192.0.2.1/jwks", "file:///etc/passwd", "http://127.0.0.1/jwks"])
async def test_a_fetch_of_ones_own_is_not_led_astray_by_discovery(server: KeyServer, target: str) -> None:
    asked: list[str] = []

    async def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps({"issuer": "https://i.example", "jwks_uri": target}).encode()

    desk = Desk(server, "discovery: true", iss="https://i.example")
    desk.identifier = Identifier(desk.rules, desk.clock, fetch)
    assert await cause_of(desk, desk.token()) is Cause.UNAVAILABLE
    assert set(asked) == {"https://i.example/.well-known/openid-configuration"}
