import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.ledgers import heartbeat
from tests.ledger.served import Served, appending

from holdfast.errors import SettingsError
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.peers import CONNECTIONS_MAX, IN_FLIGHT_MAX
from holdfast.ledger.remote.remote import RemoteLedger
from holdfast.ledger.remote.serving import LedgerSocket
from holdfast.ledger.remote.verbs import Role, Verbs
from holdfast.ledger.verify import verify


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    data = tmp_path / "data"
    data.mkdir()
    with Served(data, tmp_path / "l.sock") as served:
        yield served


def test_a_user_without_a_role_gets_not_a_byte(served: Served) -> None:
    served.socket.peers.role_of = lambda _uid: None
    with served.peer() as peer:
        with contextlib.suppress(ConnectionError):
            peer.say({"id": 1, "verb": "hello", "version": 1})
        assert peer.is_cut_off()


def test_the_role_comes_from_the_user_id_that_the_system_states(served: Served) -> None:
    seen: list[int] = []

    def role_of(uid: int) -> Role:
        seen.append(uid)
        return Role.GATEWAY

    served.socket.peers.role_of = role_of
    with served.peer() as peer:
        assert peer.ask({"verb": "hello", "version": 1})["ok"]["role"] == "gateway"
    assert seen == [os.geteuid()]


@pytest.mark.parametrize(
    "data", [b"\xff" * 8, b"GET / HTTP/1.1\r\n\r\n", bytes(8), b"\0\0\0\2\0\0\0\0[]", b"\0\0\0\2\0\0\0\0{}"]
)
def test_a_malformed_frame_ends_that_connection_and_nothing_else(served: Served, data: bytes) -> None:
    with served.peer() as good, served.peer() as bad:
        bad.socket.sendall(data)
        assert bad.is_cut_off()
        assert "ok" in good.ask(*appending(heartbeat()))


@pytest.mark.parametrize("number", [0, -1, True, "1", None, 1.5])
def test_a_request_with_a_forged_id_ends_the_connection(served: Served, number: object) -> None:
    with served.peer() as peer:
        peer.say({"id": number, "verb": "publish"})
        assert peer.is_cut_off()


def test_requests_are_answered_by_their_id_whatever_order_they_end_in(served: Served) -> None:
    with served.peer() as peer:
        for number in range(1, 301):
            header, payload = appending(heartbeat(number))
            peer.say({"id": number, **header}, payload)
        answers = [peer.hear().header for _ in range(300)]
        assert sorted(answer["id"] for answer in answers) == list(range(1, 301))  # type: ignore[type-var]
        indices = {answer["ok"]["receipts"][0][0] for answer in answers}  # type: ignore[index, call-overload]
    assert len(indices) == 300
    served.ledger.publish_blocking()
    verify(served.data, None, [])


def test_half_a_frame_is_waited_for_no_longer_than_permitted(served: Served) -> None:
    served.socket.peers.frame_s = 0.1
    with served.peer() as slow, served.peer() as good:
        slow.socket.sendall(wire.encode({"id": 1, "verb": "publish"})[:-1])
        assert "ok" in good.ask({"verb": "publish"})
        assert slow.is_cut_off()
        assert "ok" in good.ask({"verb": "publish"})


def test_a_peer_that_is_idle_between_frames_may_stay(served: Served) -> None:
    served.socket.peers.frame_s = 0.05
    with served.peer() as peer:
        for part in (wire.encode({"id": 1, "verb": "publish"})[:3], wire.encode({"id": 1, "verb": "publish"})[3:]):
            peer.socket.sendall(part)
        peer.hear()
        time.sleep(0.15)
        assert "ok" in peer.ask({"verb": "publish"})


def test_a_user_has_so_many_connections_and_no_more(served: Served) -> None:
    with contextlib.ExitStack() as after:
        peers = [after.enter_context(served.peer()) for _ in range(CONNECTIONS_MAX)]
        assert all("ok" in peer.ask({"verb": "publish"}) for peer in peers)
        for _ in range(50):
            with served.peer() as one_too_many:
                assert one_too_many.is_cut_off()
        assert "ok" in peers[0].ask({"verb": "publish"})
        peers[1].socket.close()
        until_gone(served, CONNECTIONS_MAX - 1)
        assert "ok" in after.enter_context(served.peer()).ask({"verb": "publish"})


def until_gone(served: Served, count: int) -> None:
    deadline_s = time.monotonic() + 60
    while served.ask_loop(lambda: len(served.socket.peers.connections)) > count:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_peer_that_does_not_read_holds_up_nobody_and_keeps_little(served: Served) -> None:
    for _ in range(20):
        served.ledger.append_blocking(*(heartbeat(number) for number in range(100)))
    with served.peer() as deaf, served.peer() as good:
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        deaf.socket.settimeout(0.3)
        # Each answer has some hundred kilobytes; nothing of them is read.
        with contextlib.suppress(TimeoutError):
            for number in range(1, 100_000):
                deaf.say({"id": number, "verb": "records", "start": 0, "end": 1000})
        begun_s = time.monotonic()
        for _ in range(20):
            assert "ok" in good.ask(*appending(heartbeat()))
        assert time.monotonic() - begun_s < 5
        in_flight = served.ask_loop(lambda: [len(one._tasks) for one in served.socket.peers.connections])
        # One chunk of what was read may begin more than the limit, and no more.
        assert max(in_flight) < IN_FLIGHT_MAX * 3


def test_what_waits_at_the_socket_is_bounded_over_all_connections(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.ledger.remote.peers.RECEIVED_BYTES_MAX", 100_000)
    with served.peer() as greedy, served.peer() as good:
        with contextlib.suppress(ConnectionError):
            greedy.socket.sendall(wire.encode({"id": 1, "verb": "put", "media": "a/b"}, bytes(200_000))[:-1])
        assert greedy.is_cut_off()
        until_gone(served, 1)
        assert served.socket.peers.received_bytes == 0
        assert "ok" in good.ask({"verb": "put", "media": "a/b"}, b"small")


def test_a_stop_answers_what_is_in_flight(tmp_path: Path) -> None:
    with Served(tmp_path, tmp_path / "l.sock") as served, served.peer() as peer:
        for number in range(1, 101):
            header, payload = appending(heartbeat(number))
            peer.say({"id": number, **header}, payload)
        peer.hear()
        served.run(served.socket.stop())
        for _ in range(99):
            assert "ok" in peer.hear().header
        assert peer.is_cut_off()
        assert not served.path.exists()


def test_a_socket_that_was_put_in_our_place_is_left_alone(tmp_path: Path) -> None:
    with Served(tmp_path, tmp_path / "l.sock") as served, socket.socket(socket.AF_UNIX) as other:
        served.path.unlink()
        other.bind(str(served.path))
        served.run(served.socket.stop())
        assert served.path.exists()


def test_a_socket_is_made_for_its_owner_alone_unless_said_otherwise(served: Served, tmp_path: Path) -> None:
    assert served.path.stat().st_mode & 0o777 == 0o600
    other = LedgerSocket(tmp_path / "o.sock", Verbs(served.ledger, served.data), served.role_of)
    other.claim(0o666)
    assert (tmp_path / "o.sock").stat().st_mode & 0o777 == 0o666
    served.run(other.stop())


def test_what_is_in_the_way_is_not_removed_unless_it_is_a_dead_socket(served: Served, tmp_path: Path) -> None:
    def claim(path: Path) -> None:
        one = LedgerSocket(path, Verbs(served.ledger, served.data), served.role_of)
        one.claim()
        served.run(one.stop())

    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, words in (
        ("file", "no socket"),
        ("link", "no socket"),
        ("l.sock", "another process"),
        ("x" * 120, "longer"),
    ):
        with pytest.raises(SettingsError, match=words):
            claim(tmp_path / name)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead"))
    claim(tmp_path / "dead")


def test_peers_are_told_of_new_checkpoints(served: Served) -> None:
    ledger = RemoteLedger.connect_once(served.path)
    size = ledger.head().size
    ledger.append_blocking(heartbeat())
    served.ledger.publish_blocking()
    deadline_s = time.monotonic() + 60
    while ledger.head().size == size:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    ledger.close()
