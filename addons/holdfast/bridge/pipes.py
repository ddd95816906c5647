"""Our own stdin and stdout as lines."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator

from holdfast.bridge.child import LINE_BYTES_MAX


async def lines_of_stdin() -> AsyncIterator[bytes]:
    """The lines of stdin that hold something, to its end. A line that is too long ends it.

    A thread reads: stdin may be a file or a terminal, which no event loop can wait for.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        while (line := sys.stdin.buffer.readline(LINE_BYTES_MAX + 1)) and len(line) <= LINE_BYTES_MAX:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while line := await lines.get():
        if text := line.strip():
            yield text


def say(line: bytes) -> None:
    """Write a line to stdout at once."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
