"""Whoever is asked may be hostile: every exchange ends in time, however it drips."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from holdfast.errors import LedgerError
from holdfast.witness.post import Answered, post

OK = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def dripping(first: bytes, drop: bytes) -> Iterator[str]:
    """A server that answers ``first``, then ``drop`` again and again until it is hung up on."""
    ending = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connected, _ = listener.accept()
            with connected, contextlib.suppress(OSError):
                connected.recv(1 << 16)
                connected.sendall(first)
                while drop and not ending.wait(0.01):
                    connected.sendall(drop)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/add-checkpoint"
        finally:
            ending.set()
            thread.join()


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"HTTP/1.1 200 ", b"O"),
        (OK + b"X: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (OK + b"Content-Length: 9999\r\n\r\n", b"a"),
        (OK + b"\r\n", b"a"),
        (b"HTTP/1.1 500 Error\r\nX: ", b"a"),
    ],
    ids=["status", "header", "continue", "chunk", "body", "endless", "error"],
)
def test_an_answer_that_drips_ends_in_time(first: bytes, drop: bytes) -> None:
    with dripping(first, drop) as url, pytest.raises(LedgerError, match="no answer within"):
        post(url, b"", "text/plain", 1 << 20, answer_s=0.3)


def test_a_whole_answer_is_taken_whatever_its_status() -> None:
    with dripping(b"HTTP/1.1 409 Conflict\r\nContent-Type: A/b; c\r\nContent-Length: 1\r\n\r\n7", b"") as url:
        assert post(url, b"", "text/plain", 10) == Answered(409, "a/b", b"7")
