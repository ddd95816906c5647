"""The load generator: keep-alive connections in a closed loop, bounded in time and count; prints one line of JSON.

``python -m scripts.bench_world.load --port P --token-file F`` sends calls and prints how long each took.
"""

import argparse
import asyncio
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from scripts.bench_world.traffic import RAW_CARD, calls, request_bytes, stamped, stream_call

REPLY_S_MAX: Final = 20  # a proxy that takes longer has stopped
HEAD_END: Final = b"\r\n\r\n"
_RAW: Final = RAW_CARD.encode()


@dataclasses.dataclass(slots=True)
class Tally:
    """What came of the calls; times in microseconds."""

    times_us: list[int] = dataclasses.field(default_factory=list)
    failed_count: int = 0
    raw_count: int = 0
    first_failure: str = ""

    def fail(self, why: str) -> None:
        """Count a call that was not answered as it should be."""
        self.failed_count += 1
        self.first_failure = self.first_failure or why


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to send, where, and for how long."""

    port: int
    token: str
    seconds: float
    count_max: int


def content_length(head: bytes) -> int:
    """The body's length as the response's head says it.

    Raises:
        ValueError: it does not say.
    """
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError("no Content-Length")


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[bytes, bytes]:
    writer.write(request)
    head = await reader.readuntil(HEAD_END)
    return head, await reader.readexactly(content_length(head))


def _judge(head: bytes, body: bytes, tally: Tally) -> None:
    if not head.startswith(b"HTTP/1.1 200") or b'"isError":false' not in body:
        tally.fail((head.split(b"\r\n", 1)[0] + b" " + body[:300]).decode("utf-8", "replace"))
    elif _RAW in body:
        tally.raw_count += 1


async def _one_connection(plan: Plan, bodies: Iterator[bytes], tally: Tally, until: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", plan.port)
    try:
        while time.monotonic() < until and len(tally.times_us) < plan.count_max:
            request = request_bytes(plan.port, next(bodies), plan.token)
            began = time.perf_counter_ns()
            async with asyncio.timeout(REPLY_S_MAX):
                head, body = await _exchange(reader, writer, request)
            tally.times_us.append((time.perf_counter_ns() - began) // 1000)
            _judge(head, body, tally)
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        tally.fail(type(error).__name__)
    finally:
        writer.close()


async def send_calls(plan: Plan, connection_count: int, start: int) -> tuple[Tally, float]:
    """Send calls over ``connection_count`` connections; what came of them, and the seconds it took."""
    tally = Tally()
    bodies = stamped(calls(), start)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for _ in range(connection_count):
            group.create_task(_one_connection(plan, bodies, tally, began + plan.seconds))
    return tally, time.monotonic() - began


async def send_streams(plan: Plan) -> tuple[Tally, float]:
    """Ask for one event stream after another; times are those of the first event."""
    tally = Tally()
    request = request_bytes(plan.port, stream_call(), plan.token, "recalculate_scores")
    began = time.monotonic()
    for _ in range(plan.count_max):
        reader, writer = await asyncio.open_connection("127.0.0.1", plan.port)
        sent = time.perf_counter_ns()
        writer.write(request)
        try:
            async with asyncio.timeout(REPLY_S_MAX):
                await reader.readuntil(b"notifications/progress")
            tally.times_us.append((time.perf_counter_ns() - sent) // 1000)
        except (OSError, EOFError, TimeoutError) as error:
            tally.fail(type(error).__name__)
        writer.close()
    return tally, time.monotonic() - began


def main() -> None:
    """Run one round and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--count", type=int, default=100_000, help="no more calls than this")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--start", type=int, default=0, help="number of the first message")
    parser.add_argument("--streams", action="store_true", help="ask for event streams, one after another")
    options = parser.parse_args()
    plan = Plan(options.port, options.token_file.read_text("ascii"), options.seconds, options.count)
    run = send_streams(plan) if options.streams else send_calls(plan, options.connections, options.start)
    tally, elapsed_s = asyncio.run(run)
    result: dict[str, Any] = {**dataclasses.asdict(tally), "elapsed_s": elapsed_s}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
