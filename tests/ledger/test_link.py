import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from tests.ledger.ledgers import heartbeat
from tests.ledger.served import WAIT_S, Served

from holdfast.errors import LedgerError
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.link import GONE, Link
from holdfast.ledger.remote.remote import RemoteLedger


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "data").mkdir()
    with Served(tmp_path / "data", tmp_path / "l.sock") as served:
        yield served


def test_nobody_at_the_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no process serves the ledger at"):
        RemoteLedger.connect(tmp_path / "l.sock")


def test_a_user_that_the_writer_does_not_know_is_told_so(served: Served) -> None:
    served.socket.peers.role_of = lambda _uid: None
    with pytest.raises(LedgerError, match="refuses this user"):
        RemoteLedger.connect(served.path)


def test_a_socket_in_a_folder_that_others_may_write_is_not_trusted(served: Served) -> None:
    served.path.parent.chmod(0o777)
    with pytest.raises(LedgerError, match="anybody could put a socket there"):
        RemoteLedger.connect(served.path)


def test_a_server_of_another_user_is_not_trusted(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.ledger.remote.link.peer_uid", lambda _socket: 64_003)
    with pytest.raises(LedgerError, match="served by user 64003, who neither owns its folder nor is root"):
        RemoteLedger.connect(served.path)


class Fake:
    """A writer that says hello and then whatever a test wants."""

    def __init__(self, path: Path, hello: bytes) -> None:
        self._hello = hello
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.says: Callable[[socket.socket], object] = lambda _connected: None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connected, _ = self._listener.accept()
        splitter = wire.Splitter()
        # A client that hangs up is what these tests are about.
        with contextlib.suppress(OSError), connected:
            while data := connected.recv(1 << 16):
                for frame in splitter.feed(data):
                    self._answer(connected, frame)

    def _answer(self, connected: socket.socket, frame: wire.Frame) -> None:
        if frame.header["verb"] == "hello":
            connected.sendall(self._hello)
        else:
            self.says(connected)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WAIT_S)


@pytest.fixture
def fake(served: Served, tmp_path: Path) -> Iterator[Fake]:
    with served.peer() as peer:
        peer.say({"id": 1, "verb": "hello", "version": 1})
        hello = wire.encode(peer.hear().header)
    fake = Fake(tmp_path / "fake.sock", hello)
    yield fake
    fake.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\xff" * 8, GONE),
        (wire.encode({"id": 99, "ok": {}}), GONE),
        (wire.encode({"id": "2", "ok": {}}), GONE),
        (wire.encode({"id": 2, "ok": {"receipts": 7}}), "no Receipt"),
        (wire.encode({"id": 2, "ok": {}, "error": "both"}), "something else than an answer"),
        (wire.encode({"id": 2}), "something else than an answer"),
        (b"", GONE),
    ],
)
def test_a_writer_that_answers_nonsense_or_goes_acknowledges_nothing(
    fake: Fake, tmp_path: Path, answer: bytes, words: str
) -> None:
    fake.says = lambda connected: connected.sendall(answer) if answer else connected.shutdown(socket.SHUT_RDWR)
    remote = RemoteLedger.connect_once(tmp_path / "fake.sock")
    with pytest.raises(LedgerError, match=words):
        remote.append_blocking(heartbeat())
    remote.close()


def test_a_writer_that_hangs_is_given_up(fake: Fake, tmp_path: Path) -> None:
    link = Link.open(tmp_path / "fake.sock", lambda _header: None)
    receiving = threading.Thread(target=link.receive, args=(lambda: None,))
    receiving.start()
    waiter: Future[object] = Future()
    link.ask({"verb": "publish"}, b"", lambda frame: frame, waiter, None, 0.05)
    with pytest.raises(LedgerError, match=GONE):
        waiter.result(WAIT_S)
    receiving.join(WAIT_S)
    with pytest.raises(LedgerError, match=GONE):
        link.ask({"verb": "publish"}, b"", lambda frame: frame, Future(), None)


def test_a_writer_that_does_not_read_does_not_stop_the_caller(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = threading.Event()
    fake.says = lambda _connected: stay.wait(WAIT_S)
    monkeypatch.setattr("holdfast.ledger.remote.link.BACKLOG_BYTES_MAX", 4_000_000)
    link = Link.open(tmp_path / "fake.sock", lambda _header: None)
    receiving = threading.Thread(target=link.receive, args=(lambda: None,))
    receiving.start()
    begun_s = time.monotonic()

    def ask_much() -> None:
        for _ in range(100):
            link.ask({"verb": "put", "media": "a"}, bytes(100_000), lambda frame: frame, Future(), None)

    with pytest.raises(LedgerError, match="too much waits"):
        ask_much()
    assert time.monotonic() - begun_s < 5
    stay.set()
    link.close()
    receiving.join(WAIT_S)
