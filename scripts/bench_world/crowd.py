"""Many clients at once, in one process: they listen to streams, or wait for the replies of calls that take long.

``python -m scripts.bench_world.crowd listen|burst|wait --port P --token-file F --count N``. A line ``ready`` on
standard output says that the crowd stands as it was asked to; it stands until a line comes on standard input. The last
line is what came of it, as JSON.
"""

import argparse
import asyncio
import dataclasses
import json
import re
import sys
import time
from pathlib import Path
from typing import Final

from scripts.bench_world.traffic import RAW_CARD, held_request_bytes, request_bytes, stream_call

AT_ONCE: Final = 20  # connections that are opened together; a queue of a hundred is all that a proxy listens with
READ_BYTES: Final = 1 << 16
BEGIN_S_MAX: Final = 60
REPLY_S_MAX: Final = 300
SETTLE_S: Final = 1.0  # between the last stream's first event and the first that counts
LISTENED: Final = {"listen": "count_rows", "burst": "list_rows"}
_STAMP: Final = re.compile(rb'"progress":(\d+\.\d+)')
_AT: Final = re.compile(rb'"at":(\d+\.\d+)')
_EVENT_END: Final = b"\n\n"
_BODY_END: Final = b"0\r\n\r\n"


@dataclasses.dataclass(slots=True)
class Heard:
    """What came of one crowd; times in microseconds. ``replies``: customer, when the call arrived, when it was back."""

    event_us: list[int] = dataclasses.field(default_factory=list)
    first_us: list[int] = dataclasses.field(default_factory=list)
    replies: list[tuple[str, float, float]] = dataclasses.field(default_factory=list)
    event_count: int = 0
    elapsed_s: float = 0.0
    comment_count: int = 0
    failed_count: int = 0
    raw_count: int = 0
    first_failure: str = ""

    def fail(self, why: str) -> None:
        """Count a client that did not get what it asked for."""
        self.failed_count += 1
        self.first_failure = self.first_failure or why


class Listeners:
    """Clients that each listen to a stream of stamped events."""

    def __init__(self, port: int, tokens: list[str], count: int, tool: str) -> None:
        self.heard = Heard()
        self._port, self._tokens, self._tool = port, tokens, tool
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._missing_count = count
        self.all_begun = asyncio.Event()
        self.counts_from_s = float("inf")

    async def listen(self, number: int) -> None:
        """Open one stream and read it to its end."""
        try:
            reader, writer = await self._open(self._tokens[number % len(self._tokens)])
        except (OSError, EOFError, TimeoutError) as error:
            self.heard.fail(type(error).__name__)
            return
        finally:
            self._missing_count -= 1
            if not self._missing_count:
                self.all_begun.set()
        try:
            await self._read(reader)
        except OSError as error:
            self.heard.fail(type(error).__name__)
        finally:
            writer.close()

    async def _open(self, token: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with self._slots:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            sent_s = time.monotonic()
            writer.write(request_bytes(self._port, stream_call(self._tool), token, self._tool))
            data = await asyncio.wait_for(reader.readuntil(_EVENT_END), BEGIN_S_MAX)
        self.heard.first_us.append(int((time.monotonic() - sent_s) * 1e6))
        self._note(data)
        return reader, writer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        tail = b""
        while data := await reader.read(READ_BYTES):
            whole, mark, tail = (tail + data).rpartition(_EVENT_END)
            self._note(whole + mark)
            if data.endswith(_BODY_END):
                return
        self.heard.fail("a stream ended in the middle")

    def _note(self, data: bytes) -> None:
        now_s = time.monotonic()
        self.heard.raw_count += RAW_CARD.encode() in data
        for stamp in _STAMP.findall(data):
            self.heard.event_count += 1
            if float(stamp) >= self.counts_from_s:
                self.heard.event_us.append(max(0, int((now_s - float(stamp)) * 1e6)))


async def listen(listeners: Listeners, count: int) -> Heard:
    """Streams that stand until a line comes on standard input."""
    tasks = [asyncio.create_task(listeners.listen(number)) for number in range(count)]
    await listeners.all_begun.wait()
    await asyncio.sleep(SETTLE_S)
    listeners.counts_from_s = began_s = time.monotonic()
    await _stand()
    heard = dataclasses.replace(listeners.heard, elapsed_s=time.monotonic() - began_s)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return heard


async def burst(listeners: Listeners, count: int) -> Heard:
    """Streams that end by themselves, as fast as they come."""
    listeners.counts_from_s = began_s = time.monotonic()
    await asyncio.gather(*(listeners.listen(number) for number in range(count)))
    return dataclasses.replace(listeners.heard, elapsed_s=time.monotonic() - began_s)


async def wait(port: int, tokens: list[str], count: int, server_wait_s: int) -> Heard:
    """Calls that wait, for a person at the gateway or for a slow server behind a bare proxy."""
    heard = Heard()
    slots = asyncio.Semaphore(AT_ONCE)
    ask = [_wait_for_reply(port, tokens[n % len(tokens)], f"C-{n}", server_wait_s, slots, heard) for n in range(count)]
    tasks = [asyncio.create_task(one) for one in ask]
    await _stand()
    await asyncio.gather(*tasks)
    return heard


async def _wait_for_reply(
    port: int, token: str, customer_id: str, server_wait_s: int, slots: asyncio.Semaphore, heard: Heard
) -> None:
    async with slots:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(held_request_bytes(port, token, customer_id, server_wait_s))
        await writer.drain()
    try:
        async with asyncio.timeout(REPLY_S_MAX):
            reply = await _whole_reply(reader)
    except (OSError, EOFError, TimeoutError) as error:
        heard.fail(type(error).__name__)
        return
    finally:
        writer.close()
    heard.comment_count += reply.count(b"\n: ")
    arrived = _AT.search(reply)
    if arrived is None:
        heard.fail(reply[-300:].decode("utf-8", "replace"))
        return
    heard.replies.append((customer_id, float(arrived[1]), time.monotonic()))


async def _whole_reply(reader: asyncio.StreamReader) -> bytes:
    """A reply as JSON, or as an event stream whose comments are signs of life."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return b"\n" + await (reader.readexactly(int(length[1])) if length else reader.readuntil(b"\r\n" + _BODY_END))


async def _stand() -> None:
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def main() -> None:
    """Stand, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["listen", "burst", "wait"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--token-file", type=Path, required=True, help="one token a line")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--server-wait", type=int, default=0, help="seconds that the server takes (wait)")
    options = parser.parse_args()
    tokens = options.token_file.read_text("ascii").split()
    print(json.dumps(dataclasses.asdict(asyncio.run(_run(options, tokens)))))


async def _run(options: argparse.Namespace, tokens: list[str]) -> Heard:
    if options.what == "wait":
        return await wait(options.port, tokens, options.count, options.server_wait)
    listeners = Listeners(options.port, tokens, options.count, LISTENED[options.what])
    return await (listen if options.what == "listen" else burst)(listeners, options.count)


if __name__ == "__main__":
    main()
