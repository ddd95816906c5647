"""An MCP-like server that costs next to nothing: raw asyncio, canned 1 KB replies, and one event stream.

``python -m scripts.bench_world.stub --fd N`` serves the listening socket that it inherits.
"""

import argparse
import asyncio
import re
import socket
from typing import Final

from scripts.bench_world.traffic import replies, stamped

STREAM_PAUSE_S: Final = 0.25  # between the first event and the reply: a proxy that buffers shows it as latency
HEAD_BYTES_MAX: Final = 65536

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PROGRESS: Final = (
    b'data: {"jsonrpc":"2.0","method":"notifications/progress","params":'
    b'{"progressToken":"p1","progress":1,"total":2,"message":"agent@example.com done"}}\n\n'
)
_DONE: Final = (
    b'data: {"jsonrpc":"2.0","id":1,"result":'
    b'{"content":[{"type":"text","text":"done"}],"isError":false,"resultType":"complete"}}\n\n'
)


class Stub(asyncio.Protocol):
    """One connection: whole requests in, whole replies out, one at a time."""

    _messages = stamped(replies(), 0)

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is complete."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, end)
        size = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < size:
            return
        body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
        self.answer(body)

    def answer(self, body: bytes) -> None:
        """Answer one call."""
        if b'"recalculate_scores"' in body:
            self._stream()
        else:
            self.write(b"application/json", next(self._messages))

    def write(self, content_type: bytes, body: bytes) -> None:
        """Send a whole reply."""
        assert self._transport
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (content_type, len(body))
        self._transport.write(head + body)

    def begin_stream(self) -> None:
        """Send the head of an event stream."""
        assert self._transport
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

    def send_events(self, data: bytes) -> None:
        """Send one chunk of the stream, if anybody still listens."""
        if self._transport and not self._transport.is_closing():
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self) -> None:
        """Send the reply as the last event, and end the stream in good order."""
        self.send_events(_DONE)
        if self._transport and not self._transport.is_closing():
            self._transport.write(b"0\r\n\r\n")

    def _stream(self) -> None:
        self.begin_stream()
        self.send_events(_PROGRESS)
        asyncio.get_running_loop().call_later(STREAM_PAUSE_S, self.end_stream)


async def serve(listener: socket.socket, protocol: type[Stub] = Stub) -> None:
    """Serve until cancelled."""
    server = await asyncio.get_running_loop().create_server(protocol, sock=listener)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve the inherited socket."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    asyncio.run(serve(socket.socket(fileno=parser.parse_args().fd)))


if __name__ == "__main__":
    main()
