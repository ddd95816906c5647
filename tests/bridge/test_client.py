"""The bridge of a stdio client, against a real HTTP server that says what a test needs."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web

from holdfast.bridge.client import OWN_CODE, ClientBridge
from holdfast.bridge.http import Http
from holdfast.exchange import Upstream

WITHIN_S = 60
INITIALIZE = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}

type Serve = Callable[[tornado.web.RequestHandler], Awaitable[None]]


class _Handler(tornado.web.RequestHandler):
    def initialize(self, world: "World") -> None:
        self.world = world

    async def serve(self) -> None:
        self.world.asked.append(self.request)
        await self.world.serve(self)

    post = get = delete = serve

    def on_connection_close(self) -> None:
        self.world.hung_up.set()


class World:
    """A server, the bridge before it, and what came out of both."""

    def __init__(self, tmp_path: Path) -> None:
        self.asked: list[Any] = []
        self.said: list[dict[str, Any]] = []
        self.hung_up = asyncio.Event()
        self.serve: Serve = answers
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self._server = tornado.httpserver.HTTPServer(tornado.web.Application([(".*", _Handler, {"world": self})]))
        self._server.add_sockets(sockets)
        self.token_path = tmp_path / "token"
        self.token_path.write_text("t1\n")
        http = Http(Upstream("127.0.0.1", sockets[0].getsockname()[1], tls=False), None)
        self.bridge = ClientBridge(http, "/mcp", self.token_path, lambda line: self.said.append(json.loads(line)))

    async def hear(self, message: object) -> None:
        await asyncio.wait_for(self.bridge.hear(json.dumps(message, indent=1).encode()), WITHIN_S)

    async def until(self, look: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not look():  # noqa: ASYNC110 -- what came out is seen by looking
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.bridge.leave()
        self._server.stop()
        await self._server.close_all_connections()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    await made.close()


async def answers(handler: tornado.web.RequestHandler) -> None:
    """As a server of the handshake era that has no stream of its own."""
    if handler.request.method != "POST":
        handler.set_status(405)
        return
    message = json.loads(handler.request.body)
    if "id" not in message:
        handler.set_status(202)
        return
    if message["method"] == "initialize":
        handler.set_header("mcp-session-id", "s-1")
    handler.set_header("content-type", "application/json")
    result = {"protocolVersion": "2025-11-25"} if message["method"] == "initialize" else {"of": message}
    handler.finish(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}, indent=2))


def call(call_id: int | str, **params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "method": "tools/call", "params": {"name": "get", **params}}


async def test_session_version_and_credential_are_the_bridges_business(world: World) -> None:
    await world.hear(INITIALIZE)
    world.token_path.write_text("t2\n")
    await world.hear({"jsonrpc": "2.0", "method": "notifications/initialized"})
    await world.hear(call(1))
    await world.until(lambda: len(world.said) == 2)
    first, *others = [request.headers for request in world.asked]
    assert (first["authorization"], "mcp-session-id" in first) == ("Bearer t1", False)
    for headers in others:
        assert headers["authorization"] == "Bearer t2"
        assert headers["mcp-session-id"] == "s-1"
        assert headers["mcp-protocol-version"] == "2025-11-25"
    assert world.said[1]["result"]["of"] == call(1)
    await world.bridge.leave()
    assert world.asked[-1].method == "DELETE"


async def test_a_request_of_the_modern_era_carries_its_headers_and_no_session(world: World) -> None:
    await world.hear(INITIALIZE)
    await world.hear(call(1, _meta=META))
    await world.until(lambda: len(world.said) == 2)
    headers = world.asked[-1].headers
    assert (headers["mcp-method"], headers["mcp-name"]) == ("tools/call", "get")
    assert "mcp-session-id" not in headers


async def test_events_come_as_lines_and_a_broken_stream_is_taken_up_again(world: World) -> None:
    async def serve(handler: tornado.web.RequestHandler) -> None:
        handler.set_header("content-type", "text/event-stream")
        if handler.request.method == "GET":
            assert handler.request.headers["last-event-id"] == "e-7"
            handler.finish(b'data: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n')
        else:
            handler.finish(b': hello\n\nid: e-7\nretry: 10\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\n')

    world.serve = serve
    await world.hear(call(1))
    await world.until(lambda: len(world.said) == 2)
    assert world.said == [{"jsonrpc": "2.0", "method": "notifications/x"}, {"jsonrpc": "2.0", "id": 1, "result": {}}]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"jsonrpc":"2.0","id":null,"error":{"code":-31001,"message":"who?"}}', (-31001, "who?")),
        (503, b"out of order", (OWN_CODE, "no reply: the gateway answered with HTTP 503")),
        (200, b"", (OWN_CODE, "no reply: the stream ended without one")),
    ],
)
async def test_every_request_gets_a_reply(world: World, status: int, body: bytes, expected: tuple[int, str]) -> None:
    async def serve(handler: tornado.web.RequestHandler) -> None:
        handler.set_status(status)
        handler.finish(body)

    world.serve = serve
    await world.hear(call("a"))
    await world.until(lambda: world.said)
    (reply,) = world.said
    assert (reply["id"], reply["error"]) == ("a", {"code": expected[0], "message": expected[1]})


async def test_a_server_that_is_not_there_or_a_token_that_is_missing_is_told_to_the_client(world: World) -> None:
    world.token_path.unlink()
    await world.hear(call(1))
    await world.until(lambda: world.said)
    assert "the token file cannot be read" in world.said[0]["error"]["message"]
    assert world.asked == []


async def test_a_request_of_the_modern_era_is_given_up_by_hanging_up(world: World) -> None:
    async def serve(handler: tornado.web.RequestHandler) -> None:
        handler.set_header("content-type", "text/event-stream")
        await handler.flush()
        await world.hung_up.wait()

    world.serve = serve
    await world.hear(call(1, _meta=META))
    await world.until(lambda: world.asked)
    await world.hear({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    await asyncio.wait_for(world.hung_up.wait(), WITHIN_S)
    assert [request.method for request in world.asked] == ["POST"]


async def test_requests_at_once_do_not_wait_for_each_other(world: World) -> None:
    begun = asyncio.Event()

    async def serve(handler: tornado.web.RequestHandler) -> None:
        if json.loads(handler.request.body)["id"] == 1:
            await begun.wait()
        else:
            begun.set()
        await answers(handler)

    world.serve = serve
    await world.hear(call(1))
    await world.hear(call(2))
    await world.until(lambda: len(world.said) == 2)
    assert [reply["id"] for reply in world.said] == [2, 1]


async def test_a_line_that_is_no_message_is_answered_and_goes_nowhere(world: World) -> None:
    await world.bridge.hear(b"hello?")
    assert world.said[0]["error"]["code"] == -32700
    assert world.asked == []
