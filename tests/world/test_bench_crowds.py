"""The benchmark's crowds: what they send, what they count, and what they make of it."""

import asyncio
import contextlib
import io
import json
import os
import socket
from collections.abc import AsyncIterator

import pytest
from scripts.bench import main
from scripts.bench_world.crowd import Heard, Listeners, burst, wait
from scripts.bench_world.crowd_stub import CrowdStub, event
from scripts.bench_world.crowds import Watched, complain
from scripts.bench_world.holds import steps
from scripts.bench_world.measure import rss_bytes
from scripts.bench_world.traffic import RAW_CARD, held_request_bytes

from holdfast.call import Call, Direction, parse_body
from holdfast.sse import Splitter, parse_event


@contextlib.asynccontextmanager
async def _stub() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(CrowdStub, sock=listener)
    yield int(listener.getsockname()[1])
    server.close()


def test_every_event_is_one_message_with_a_stamp_that_no_masking_takes_for_an_account() -> None:
    for number in range(20):
        (block,) = Splitter().feed(event(number))
        (message,) = parse_body((parse_event(block).data or "").encode(), Direction.TO_CLIENT).messages
        assert isinstance(message, Call)
        stamp = message.member("progress")
        assert isinstance(stamp, float)
        assert not stamp.is_integer()


def test_three_of_ten_events_carry_personal_data() -> None:
    assert sum(RAW_CARD.encode() in event(number) for number in range(100)) == 30


async def test_a_burst_is_counted_event_by_event() -> None:
    async with _stub() as port:
        heard = await burst(Listeners(port, ["t"], 3, "list_rows"), 3)
    assert (heard.event_count, len(heard.first_us), heard.failed_count) == (3 * CrowdStub.burst_count, 3, 0)
    assert len(heard.event_us) == heard.event_count
    assert heard.raw_count


async def test_a_call_that_waits_says_when_it_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    async with _stub() as port:
        heard = await wait(port, ["t", "u"], 3, 0)
    assert sorted(customer for customer, _, _ in heard.replies) == ["C-0", "C-1", "C-2"]
    assert all(arrived_s <= back_s for _, arrived_s, back_s in heard.replies)


def test_a_held_call_is_one_of_the_handshake_era_for_a_client_that_takes_events() -> None:
    head, _, body = held_request_bytes(1, "t", "C-7", 0).partition(b"\r\n\r\n")
    assert b"MCP-Protocol-Version: 2025-11-25" in head
    assert b"text/event-stream" in head
    assert json.loads(body)["params"]["arguments"]["customer_id"] == "C-7"


def test_the_steps_of_an_approval_are_counted_from_the_moment_it_is_handed_in() -> None:
    found = steps([("C-1", 10.5, 11.0), ("C-9", 1.0, 2.0)], {"C-1": (10.0, 10.25)})
    assert found["handed_in_to_accepted"]["p50"] == 250
    assert found["handed_in_to_server"]["p99"] == 500
    assert found["handed_in_to_reply"]["p95"] == 1000


def test_a_client_that_failed_and_a_raw_value_of_the_gateways_are_complained_of() -> None:
    told: list[str] = []
    fine = Watched({"failed_count": 0, "raw_count": 5, "first_failure": ""})
    raw = Watched({"failed_count": 0, "raw_count": 1, "first_failure": ""})
    failed = Watched({"failed_count": 2, "raw_count": 0, "first_failure": "TimeoutError"})
    assert complain({"no proxy": fine}, told.append) == 0
    assert complain({"gateway, burst": raw}, told.append) == 1
    assert complain({"no proxy": failed}, told.append) == 1
    assert "2 clients failed, the first: TimeoutError" in told[-1]


def test_a_failure_is_kept_as_the_first() -> None:
    heard = Heard()
    heard.fail("a")
    heard.fail("b")
    assert (heard.failed_count, heard.first_failure) == (2, "a")


def test_a_process_has_memory() -> None:
    assert rss_bytes(os.getpid()) > 1024 * 1024
    assert rss_bytes(None) == 0


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("streams", ["--streams", "--rate", "--seconds", "--burst", "--json"]),
        ("holds", ["--holds", "--seconds", "--json"]),
    ],
)
def test_help_names_the_options(command: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    shown = capsys.readouterr().out
    assert all(option in shown for option in options)
