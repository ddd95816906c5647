"""The proxy in front of the gateway adds a token to each request, and changes nothing else."""

import socket
from collections.abc import Iterator

import pytest
from tests.conformance.front import Front
from tests.live.harness.upstream import Upstream
from tests.live.harness.wire import Wire, request
from tests.live.harness.world import call, until


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


def test_every_request_on_a_connection_gets_the_token(upstream: Upstream) -> None:
    with Front("a-token") as front:
        front.behind = upstream.port
        with Wire(front.port) as wire:
            sent = request(None, call(call_id=1)) + request(None, call(call_id=2))
            wire.send(sent[:100])
            wire.send(sent[100:])
            assert wire.answer().json()["id"] == 1
            assert wire.answer().json()["id"] == 2
    heard = upstream.heard()
    assert heard.count(b"Authorization: Bearer a-token\r\n") == 2
    assert heard.replace(b"Authorization: Bearer a-token\r\n", b"") == sent


def test_a_client_that_leaves_is_gone_for_the_server_too(upstream: Upstream) -> None:
    ended: list[bool] = []

    def script(talk: object) -> None:
        assert hasattr(talk, "hear")
        talk.hear()
        ended.append(talk.hear() is None)

    with Front("a-token") as front:
        front.behind = upstream.port
        upstream.begin(script)
        with socket.create_connection(("127.0.0.1", front.port)) as client:
            client.sendall(request(None, call()))
            upstream.wait_for(b"tools/call")
    until(lambda: ended, "the server sees the end")
    assert ended == [True]
