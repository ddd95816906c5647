"""The server of the crowds: streams that go on until nobody listens, bursts, and calls that say when they came.

``python -m scripts.bench_world.crowd_stub --fd N --rate R --burst B``. Every event carries the moment in which it was
sent, as its progress: seconds of the monotonic clock, which all processes of a machine share. It is no whole number,
so no rule of masking takes it for an account.
"""

import argparse
import asyncio
import itertools
import json
import random
import re
import socket
import time
from typing import Final

from scripts.bench_world.stub import Stub, serve
from scripts.bench_world.traffic import RAW_CARD

PACED: Final = b'"count_rows"'
BURST: Final = b'"list_rows"'
HELD: Final = b'"delete_customer"'
_ASKED: Final = re.compile(rb'"customer_id":"(C-\d+)"')
_WAITS: Final = re.compile(rb'"wait_s":(\d+)')
_PERSONAL: Final = frozenset({0, 3, 6})  # as among the calls of bench.py gateway
_PROSE: Final = "of the late shipments that the branch in the east has asked about since Tuesday"


def event(number: int) -> bytes:
    """A progress notification of some 300 bytes, stamped with the time; three of ten carry personal data."""
    said = f"agent{number:07d}@example.com, card {RAW_CARD}" if number % 10 in _PERSONAL else "all of them are in order"
    params = {
        "progressToken": "p1",
        "progress": round(time.monotonic(), 6) + 1e-7,
        "message": f"row {number} {_PROSE}: {said}",
    }
    text = json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}, separators=(",", ":"))
    return f"data: {text}\n\n".encode()


class CrowdStub(Stub):
    """One connection of a crowd."""

    rate = 2.0
    burst_count = 100
    _numbers = itertools.count()
    _timer: asyncio.TimerHandle | None = None

    def answer(self, body: bytes) -> None:
        """Stream, burst, or reply to a call with the moment of its arrival."""
        if PACED in body:
            self.begin_stream()
            self._pace()
        elif BURST in body:
            self.begin_stream()
            for _ in range(self.burst_count):
                self.send_events(event(next(self._numbers)))
            self.end_stream()
        elif HELD in body:
            self._reply_to_held(body)
        else:
            super().answer(body)

    def _pace(self) -> None:
        self.send_events(event(next(self._numbers)))
        wait_s = random.uniform(0.5, 1.5) / self.rate  # noqa: S311 -- streams that do not march in step
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._pace)

    def _reply_to_held(self, body: bytes) -> None:
        asked, waits = _ASKED.search(body), _WAITS.search(body)
        content = {"at": round(time.monotonic(), 6) + 1e-7, "customer_id": asked[1].decode() if asked else ""}
        result = {"content": [{"type": "text", "text": "done"}], "structuredContent": content, "isError": False}
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}, separators=(",", ":")).encode()
        self._timer = asyncio.get_running_loop().call_later(
            int(waits[1]) if waits else 0, self.write, b"application/json", text
        )

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio calls it with one
        """Nobody listens any more."""
        if self._timer is not None:
            self._timer.cancel()


def main() -> None:
    """Serve the inherited socket."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--rate", type=float, default=2.0, help="events a second of one stream")
    parser.add_argument("--burst", type=int, default=100, help="events of one burst")
    options = parser.parse_args()
    CrowdStub.rate, CrowdStub.burst_count = options.rate, options.burst
    asyncio.run(serve(socket.socket(fileno=options.fd), CrowdStub))


if __name__ == "__main__":
    main()
