"""A raw MCP server: a script decides every byte it says, and every byte it hears is kept."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from tests.live.harness.world import PATIENCE_S, result, until


class Talk:
    """One connection from the gateway, as the script sees it."""

    def __init__(self, connection: socket.socket, heard: bytearray) -> None:
        self._socket = connection
        self.heard = heard
        self._read = 0

    def hear(self) -> tuple[bytes, bytes] | None:
        """The next request as head and body; None where the gateway closed."""
        while (at := self.heard.find(b"\r\n\r\n", self._read)) < 0:
            if not self._more():
                return None
        head = bytes(self.heard[self._read : at + 4])
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        end = at + 4 + length
        while len(self.heard) < end:
            if not self._more():
                return None
        self._read = end
        return head, bytes(self.heard[at + 4 : end])

    def _more(self) -> bool:
        try:
            data = self._socket.recv(1 << 16)
        except TimeoutError:  # a gateway that says nothing has not hung up: the script ends here
            raise
        except OSError:
            return False
        self.heard += data
        return bool(data)

    def say(self, data: bytes) -> None:
        self._socket.sendall(data)

    def reset(self) -> None:
        """Hang up with a RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def listen(self) -> None:
        """Keep what comes until the gateway closes."""
        while self._more():
            pass


type Script = Callable[[Talk], None]


class Upstream:
    """The server behind the gateway. ``talks`` are the connections since the last test began."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.talks: list[Talk] = []
        self.script: Script = answers_politely
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE_S)
            with self._lock:
                self._open.add(connection)
                talk = Talk(connection, bytearray())
                self.talks.append(talk)
            self._start(self._serve, connection, talk, self.script)

    def _serve(self, connection: socket.socket, talk: Talk, script: Script) -> None:
        # A gateway that hangs up in the middle is what many tests are about.
        with contextlib.suppress(OSError), connection:
            script(talk)
        with self._lock:
            self._open.discard(connection)

    def begin(self, script: Script | None = None) -> None:
        """Forget what was heard, and talk like ``script`` from the next connection on."""
        self.script = script or answers_politely
        self.talks = []

    def heard(self) -> bytes:
        return b"".join(bytes(talk.heard) for talk in self.talks)

    def wait_for(self, mark: bytes) -> bytes:
        until(lambda: mark in self.heard(), f"the server hears {mark!r}")
        return self.heard()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


def http(status: str, body: bytes, content_type: str = "application/json", more: str = "") -> bytes:
    """A response with a length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode("latin-1") + body


def reply_to(body: bytes) -> bytes:
    """The bytes of a good response to the call in ``body``."""
    asked = json.loads(body)
    if isinstance(asked, dict) and "id" not in asked:
        return http("202 Accepted", b"")
    return http("200 OK", json.dumps(result(asked["id"])).encode())


def answers_politely(talk: Talk) -> None:
    """Answer every call with a result that holds a card number."""
    while heard := talk.hear():
        head, body = heard
        talk.say(http("200 OK", b"") if head.startswith(b"DELETE") else reply_to(body))


def answers(*parts: bytes) -> Script:
    """Answer the first request with ``parts`` and close."""

    def script(talk: Talk) -> None:
        if talk.hear():
            for part in parts:
                talk.say(part)

    return script


def answers_and_stays(*parts: bytes) -> Script:
    """Answer the first request with ``parts`` and keep the connection open."""

    def script(talk: Talk) -> None:
        if talk.hear():
            for part in parts:
                talk.say(part)
            talk.listen()

    return script
