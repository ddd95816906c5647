"""A proxy between the suite, which can send no credential, and the gateway, which passes nobody without one.

It adds a signed token to the head of every request and changes nothing else, so that the suite's Host and Origin,
framing and leaving reach the gateway as they are.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Final, Self

_READ_BYTES: Final = 1 << 16
_END: Final = b"\r\n\r\n"


class Front:
    """Listens on loopback, on ``port``. ``token`` is what it adds; ``behind`` is the gateway's port, given later."""

    def __init__(self, token: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.behind = 0
        self._added = f"Authorization: Bearer {token}\r\n".encode()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # Either side hanging up is how an exchange ends.
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.behind)) as gateway:
            back = threading.Thread(target=_copy, args=(gateway, client), daemon=True)
            back.start()
            self._requests(client, gateway)
            gateway.shutdown(socket.SHUT_RDWR)
            back.join()

    def _requests(self, client: socket.socket, gateway: socket.socket) -> None:
        buffer = b""
        while True:
            while _END not in buffer:
                data = client.recv(_READ_BYTES)
                if not data:
                    return
                buffer += data
            head, _, buffer = buffer.partition(_END)
            first, _, fields = head.partition(b"\r\n")
            gateway.sendall(first + b"\r\n" + self._added + fields + _END)
            left = _length(fields)
            while left:
                data = buffer[:left] or client.recv(_READ_BYTES)
                if not data:
                    return
                buffer = buffer[len(data) :] if buffer else data[left:]
                gateway.sendall(data[:left])
                left -= len(data[:left])


def _length(fields: bytes) -> int:
    """The length of the body behind a head with these fields. The suite sends no other framing."""
    for line in fields.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
        if line.startswith(b"transfer-encoding:"):
            raise OSError("a request without a length")
    return 0


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_READ_BYTES):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
