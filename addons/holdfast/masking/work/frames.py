"""Frames: a length of four bytes (big endian), then as many bytes. Blocking, and on the event loop."""

import asyncio
import socket
import struct
from typing import Final

# A body has 4 MiB; as forwarded and as kept, with masks longer than what they stand for, it may grow to this.
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
_HEAD: Final = struct.Struct(">I")
_CHUNK_BYTES: Final = 256 * 1024


def send(to: socket.socket, data: bytes) -> None:
    """Write one frame. Raises OSError."""
    to.sendall(_HEAD.pack(len(data)) + data)


def receive(of: socket.socket) -> bytes:
    """Read one frame. Raises EOFError where the other side has ended or says too much, OSError."""
    return _receive(of, _size(_receive(of, _HEAD.size)))


async def send_async(to: socket.socket, data: bytes) -> None:
    """Write one frame; ``to`` does not block. Raises OSError."""
    await asyncio.get_running_loop().sock_sendall(to, _HEAD.pack(len(data)) + data)


async def receive_async(of: socket.socket) -> bytes:
    """Read one frame; ``of`` does not block. Raises like :func:`receive`."""
    return await _receive_async(of, _size(await _receive_async(of, _HEAD.size)))


def _size(head: bytes) -> int:
    (size,) = _HEAD.unpack(head)
    if size > FRAME_BYTES_MAX:
        raise EOFError(f"a frame of {size} bytes")
    return int(size)


def _receive(of: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        data = of.recv(min(_CHUNK_BYTES, size - len(parts)))
        if not data:
            raise EOFError
        parts += data
    return bytes(parts)


async def _receive_async(of: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    parts = bytearray()
    while len(parts) < size:
        data = await loop.sock_recv(of, min(_CHUNK_BYTES, size - len(parts)))
        if not data:
            raise EOFError
        parts += data
    return bytes(parts)
