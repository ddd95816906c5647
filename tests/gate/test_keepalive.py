"""Signs of life for a held client, and what the gateway itself says on a stream of HTTP+SSE."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.call import Call, Direction, Id
from holdfast.exchange import Peer, Request
from holdfast.jsontext import Json
from holdfast.keepalive import KeepAlive, keep_alive_for
from holdfast.outbox import WAITING_BYTES_MAX, Outbox
from holdfast.sse import Splitter, parse_event


def said(data: bytes) -> list[dict[str, Json]]:
    return [json.loads(event.data) for block in Splitter().feed(data) if (event := parse_event(block)).data]


def progress(token: Id, at: Json) -> Call:
    return Call("notifications/progress", {"progressToken": token, "progress": at}, None, Direction.TO_CLIENT)


def at_of(message: object) -> float:
    assert isinstance(message, Call)
    assert isinstance(message.params, dict)
    at = message.params["progress"]
    assert isinstance(at, int | float)
    return at


def test_without_a_progress_token_a_sign_is_a_comment() -> None:
    assert KeepAlive(None, "2025-11-25").sign() == b": keep-alive\n\n"


def test_progress_has_no_message_before_the_version_that_brought_it() -> None:
    (old,) = said(KeepAlive("t", "2024-11-05").sign())
    (new,) = said(KeepAlive("t", "2025-03-26").sign())
    assert isinstance(old["params"], dict)
    assert isinstance(new["params"], dict)
    assert set(new["params"]) - set(old["params"]) == {"message"}


@given(st.integers(0, 30), st.lists(st.integers(0, 20).map(lambda n: n / 20), max_size=20).map(sorted))
def test_progress_rises_whatever_the_server_begins_with(signs_count: int, stated: list[float]) -> None:
    signs = KeepAlive(7, "2025-11-25")
    heard = [
        at_of(Call("p", message["params"], None, Direction.TO_CLIENT))
        for _ in range(signs_count)
        for message in said(signs.sign())
    ]
    heard += [at_of(signs.carry_on(progress(7, at))) for at in stated]
    if signs_count:
        lifted = [at for at in heard if at < 0.05]
        assert lifted == sorted(set(lifted))
    assert [at for at in heard if at >= 0.05] == [at for at in stated if at >= 0.05]


@pytest.mark.parametrize("token", ["7", 8, True])
def test_progress_of_another_call_is_left_alone(token: Id) -> None:
    signs = KeepAlive(7, "2025-11-25")
    signs.sign()
    other = progress(token, 0)
    assert signs.carry_on(other) is other


@pytest.mark.parametrize("at", [None, "0", True, {"a": 1}])
def test_progress_that_is_no_number_is_left_as_it_is(at: Json) -> None:
    signs = KeepAlive(7, "2025-11-25")
    signs.sign()
    odd = progress(7, at)
    assert signs.carry_on(odd) is odd


@pytest.mark.parametrize(
    ("accept", "hears"),
    [
        ("application/json, text/event-stream", True),
        ("Text/Event-Stream;q=1", True),
        ("application/json", False),
        ("*/*", False),
    ],
)
def test_only_a_client_that_names_event_streams_hears_signs(accept: str, hears: bool) -> None:  # noqa: FBT001 -- a table's column
    request = Request("POST", "/mcp", (("accept", accept),), b"", Peer("192.0.2.1", 1))
    call = Call("tools/call", {}, 1, Direction.TO_SERVER)
    assert (keep_alive_for(request, call, "2025-11-25") is not None) is hears


EVENTS = Request("POST", "/mcp", (("accept", "text/event-stream"),), b"", Peer("192.0.2.1", 1))


def test_a_notification_is_answered_with_a_status_and_no_signs() -> None:
    notification = Call("notifications/pay", {}, None, Direction.TO_SERVER)
    assert keep_alive_for(EVENTS, notification, "2025-11-25") is None


@pytest.mark.parametrize("token", ["x" * 1_000_000, 10**4000, "x" * 257], ids=["a text", "a number", "one too many"])
def test_a_progress_token_that_is_no_short_id_is_not_repeated_for_minutes(token: Id) -> None:
    asked: Json = {"_meta": {"progressToken": token}}
    signs = keep_alive_for(EVENTS, Call("tools/call", asked, 1, Direction.TO_SERVER), "2025-11-25")
    assert signs is not None
    assert signs.sign() == b": keep-alive\n\n"


def test_an_outbox_is_emptied_in_order() -> None:
    outbox = Outbox(asyncio.Event())
    assert outbox.put(b'{"a":1}')
    assert outbox.put(b'{"a":2}')
    assert [message["a"] for message in said(outbox.take())] == [1, 2]
    assert outbox.take() == b""


def test_an_outbox_that_nobody_reads_takes_no_more() -> None:
    outbox = Outbox(asyncio.Event())
    assert outbox.put(b"x" * (WAITING_BYTES_MAX // 2))
    assert not outbox.put(b"x" * (WAITING_BYTES_MAX // 2))
