"""Who gets which line of a child: real children, small programs that say what a test needs."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from holdfast import jsontext
from holdfast.bridge.child import Child
from holdfast.bridge.children import Children, TooManyChildrenError
from holdfast.bridge.numbering import Renumbered, Unchanged
from holdfast.bridge.relay import Exchange, Relay
from holdfast.jsontext import Json, JsonObject

# Says every message of `params.say`, then answers; `quit` ends it, `silent` is never answered.
PROGRAM = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    messages = asked if isinstance(asked, list) else [asked]
    for message in messages:
        for said in message.get("params", {}).get("say", []):
            print(said if isinstance(said, str) else json.dumps(said), flush=True)
        if message["method"] == "quit":
            sys.exit()
        if "id" in message and message["method"] != "silent":
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": {"heard": message}}), flush=True)
"""
NOTICE: JsonObject = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "hello"}}
WITHIN_S = 60


async def start(hear: Callable[[bytes], None]) -> Child:
    return await Child.start([sys.executable, "-c", PROGRAM], {"PATH": "/usr/bin:/bin"}, Path(), hear)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    made = Relay(Unchanged())
    made.attach(await start(made.hear))
    yield made
    await made.stop()


def request(call_id: int | str, method: str = "echo", *say: Json, token: Json = None) -> JsonObject:
    meta: JsonObject = {} if token is None else {"progressToken": token}
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": {"say": [*say], "_meta": meta}}


async def ask(relay: Relay, *messages: JsonObject, is_stream: bool = True) -> Exchange:
    return await relay.ask([*messages], is_batch=len(messages) > 1, is_stream=is_stream)


async def heard(exchange: Exchange) -> list[JsonObject]:
    """Everything that comes on an exchange, to its end."""
    found: list[JsonObject] = []
    while (line := await exchange.next(WITHIN_S)) is not None:
        message = jsontext.parse(line)
        assert isinstance(message, dict)
        found.append(message)
    return found


async def test_what_the_child_says_during_the_only_open_request_comes_before_its_reply(relay: Relay) -> None:
    exchange = await ask(relay, request(1, "echo", NOTICE))
    first, reply = await heard(exchange)
    assert first == NOTICE
    assert reply["result"] == {"heard": request(1, "echo", NOTICE)}
    assert relay.is_idle


async def test_a_client_that_takes_no_stream_gets_the_reply_and_the_rest_waits(relay: Relay) -> None:
    exchange = await ask(relay, request("a", "echo", NOTICE), is_stream=False)
    assert [message["id"] for message in await heard(exchange)] == ["a"]
    assert await relay.listen().next(WITHIN_S) == jsontext.wire(NOTICE).replace(b":", b": ").replace(b",", b", ")


async def test_progress_goes_where_its_token_came_from(relay: Relay) -> None:
    waiting = await ask(relay, request(1, "silent", token="one"))
    progress: JsonObject = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "one"}}
    other = await ask(relay, request(2, "echo", progress, token="two"))
    assert [message.get("id") for message in await heard(other)] == [2]
    assert await waiting.next(WITHIN_S) is not None


async def test_with_several_requests_open_what_belongs_to_none_goes_to_the_listener(relay: Relay) -> None:
    listening = relay.listen()
    await ask(relay, request(1, "silent"))
    other = await ask(relay, request(2, "echo", NOTICE))
    assert [message.get("id") for message in await heard(other)] == [2]
    line = await listening.next(WITHIN_S)
    assert line is not None
    assert jsontext.parse(line) == NOTICE


async def test_a_batch_is_one_line_and_its_replies_come_as_they_come(relay: Relay) -> None:
    exchange = await ask(relay, request(1), request("1"))
    assert [message["id"] for message in await heard(exchange)] == [1, "1"]


async def test_when_the_child_ends_every_open_request_is_answered(relay: Relay) -> None:
    waiting = await ask(relay, request(1, "silent"))
    listening = relay.listen()
    await ask(relay, request(2, "quit"))
    (reply,) = await heard(waiting)
    assert (reply["id"], reply["error"]) == (1, {"code": -32603, "message": "the server's process has ended"})
    assert await listening.next(WITHIN_S) is None
    assert relay.has_ended
    late = await ask(relay, request(3))
    assert [message["id"] for message in await heard(late)] == [3]


async def test_a_line_that_is_no_message_is_passed_over(relay: Relay) -> None:
    exchange = await ask(relay, request(1, "echo", "Welcome to the server!", "[1]", NOTICE))
    assert [message.get("method") for message in await heard(exchange)] == ["notifications/message", None]


async def test_a_reply_to_a_client_that_left_reaches_nobody(relay: Relay) -> None:
    silent = await ask(relay, request(1, "silent"))
    assert relay.leave(silent) == [(int, 1)]
    late: JsonObject = {"jsonrpc": "2.0", "id": 1, "result": {}}
    exchange = await ask(relay, request(2, "echo", late))
    assert [message["id"] for message in await heard(exchange)] == [2]


async def test_a_request_that_is_given_up_is_cancelled_by_its_number() -> None:
    relay = Relay(Renumbered())
    relay.attach(await start(relay.hear))
    first = await ask(relay, request("x", "silent"))
    left = relay.leave(first)
    assert left == [(int, 1)]
    await relay.cancel(left)  # the program answers no notification; what counts is that it is still there
    second = await ask(relay, request("x"))
    assert [message["id"] for message in await heard(second)] == ["x"]
    await relay.stop()


async def test_a_session_is_found_by_its_caller_and_ends_once() -> None:
    children = Children(start)
    session, relay = await children.open_session("ann")
    assert children.session("ann", session) is relay
    assert children.session("bob", session) is None
    assert await children.end_session("ann", session)
    assert not await children.end_session("ann", session)
    assert relay.has_ended
    await children.stop()


async def test_a_session_begins_with_the_child_that_only_refused() -> None:
    children = Children(start)
    tried = await children.shared("ann")
    _, relay = await children.open_session("ann")
    assert relay is tried
    used = await children.shared("ann")
    assert used is not tried
    await heard(await ask(used, request(1)))
    _, other = await children.open_session("ann")
    assert other is not used
    await children.stop()


async def test_an_idle_child_makes_room_and_a_busy_one_does_not() -> None:
    children = Children(start, children_max=1)
    idle = await children.shared("ann")
    await heard(await ask(idle, request(1)))
    busy = await children.shared("bob")
    assert idle.has_ended
    await ask(busy, request(1, "silent"))
    with pytest.raises(TooManyChildrenError):
        await children.shared("cy")
    await children.stop()
