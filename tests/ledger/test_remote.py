import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.ledger.ledgers import call, call_body, heartbeat, open_ledger, used_call
from tests.ledger.served import WAIT_S, Served

from holdfast.afterwards import left_open
from holdfast.approval.dsse import pae
from holdfast.approval.statement import PAYLOAD_TYPE
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.access import Writable
from holdfast.ledger.remote.remote import AWAY, RemoteLedger
from holdfast.ledger.remote.verbs import Role
from holdfast.ledger.verify import verify


def until[T](look: Callable[[], T]) -> T:
    deadline_s = time.monotonic() + WAIT_S
    while not (found := look()):
        assert time.monotonic() < deadline_s
        time.sleep(0.005)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def served(data: Path, tmp_path: Path) -> Iterator[Served]:
    with Served(data, tmp_path / "l.sock") as served:
        yield served


@pytest.fixture
def remote(served: Served) -> Iterator[RemoteLedger]:
    remote = RemoteLedger.connect(served.path)
    yield remote
    remote.close()


def test_what_is_appended_over_the_socket_is_in_the_ledger(served: Served, remote: RemoteLedger) -> None:
    first, second = remote.append_blocking(call("masked"), used_call())
    with open_reader(served.data) as reader:
        assert reader.leaves(first.index, second.index + 1) == [bytes.fromhex(one.leaf_hex) for one in (first, second)]
    assert remote.publish_blocking() == remote.head() == served.ledger.head()
    assert remote.put_object_blocking("a/b", b"kept") == served.ledger.put_object_blocking("a/b", b"kept")
    assert verify(served.data, None, []).payloads == 1


async def test_callers_of_an_event_loop_wait_side_by_side(served: Served, remote: RemoteLedger) -> None:
    receipts = await asyncio.gather(*(remote.append(call(str(number))) for number in range(300)))
    assert len({receipt.index for (receipt,) in receipts}) == 300
    assert (await remote.publish()).size == 301
    assert await remote.put_object("a/b", b"x") == served.ledger.put_object_blocking("a/b", b"x")


BAD: tuple[tuple[Draft, ...], ...] = (
    (),
    tuple(heartbeat() for _ in range(129)),
    (Draft("mood", {}),),
    (Draft("ledger.heartbeat", {"counters": {"calls": -1}}),),
    (Draft("ledger.heartbeat", {"counters": {}, "more": 1}),),
    (Draft("call", call_body(), {"req": Payload("a\nb", b"")}),),
    (Draft("call", call_body(), {"mask": Payload("a/b", b"")}),),
    (Draft("call", call_body(appr={"id": "x", "use": 1})),),
    (Draft("reply", {"call": call_body()["call"], "ref": [99], "out": {"ok": True}}),),
)


@pytest.mark.parametrize("drafts", BAD)
def test_a_refused_append_is_refused_in_the_same_words(
    served: Served, remote: RemoteLedger, drafts: tuple[Draft, ...]
) -> None:
    said: list[str] = []
    ledgers: tuple[Writable, ...] = (served.ledger, remote)
    for ledger in ledgers:
        with pytest.raises(LedgerError) as caught:
            ledger.append_blocking(*drafts)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert remote.healthy()


def test_an_approval_is_used_once_whoever_asks(served: Served, remote: RemoteLedger) -> None:
    served.ledger.append_blocking(used_call())
    with pytest.raises(LedgerError, match="has been used before"):
        remote.append_blocking(used_call())


def test_records_and_what_was_left_open_are_read_over_the_socket(data: Path, tmp_path: Path) -> None:
    ledger = open_ledger(data)
    for number in range(60):
        ledger.append_blocking(*(call(str(number)) for _ in range(50)))
    ledger.close()
    with Served(data, tmp_path / "l.sock") as served, open_reader(data) as reader:
        remote = RemoteLedger.connect_once(served.path)
        assert list(remote.records(0, 5000)) == list(reader.records())
        assert list(remote.records(17, 19)) == list(reader.records(17, 19))
        found = left_open(remote.records, remote.previous.size)
        assert found == left_open(reader.records, reader.size())
        assert len(found.calls) == 3000
        remote.close()


def test_each_gateway_learns_how_it_finds_the_ledger(data: Path, tmp_path: Path) -> None:
    gw: JsonObject = {"gw": {"version": "1"}, "prev": {"size": 0, "root": "0" * 64}, "clean": True}
    own: JsonObject = {"process": "gateway"}
    bodies: dict[str, JsonObject] = {"ledger.start": gw | own, "ledger.stop": own}
    with Served(data, tmp_path / "l.sock") as served:
        served.ledger.append_blocking(Draft("ledger.start", {**gw, "process": "writer"}))
        for typ, clean in (("ledger.start", True), ("ledger.stop", False), ("ledger.heartbeat", True)):
            remote = RemoteLedger.connect_once(served.path)
            assert remote.previous.clean is clean
            assert remote.previous.size == remote.head().size
            remote.append_blocking(heartbeat() if typ == "ledger.heartbeat" else Draft(typ, bodies[typ]))
            remote.close()


def test_the_moment_the_writer_is_gone_nothing_can_be_appended(data: Path, tmp_path: Path) -> None:
    with Served(data, tmp_path / "l.sock") as served:
        remote = RemoteLedger.connect(served.path)
        assert remote.healthy()
    until(lambda: not remote.healthy())
    with pytest.raises(LedgerError, match=AWAY):
        remote.append_blocking(heartbeat())
    with pytest.raises(LedgerError, match=AWAY):
        asyncio.run(remote.append(heartbeat()))
    remote.close()
    with pytest.raises(LedgerError, match="closed"):
        remote.append_blocking(heartbeat())


def test_when_the_writer_is_back_what_was_left_is_taken_up_before_anybody_else_appends(
    data: Path, tmp_path: Path
) -> None:
    path, may_end, refused = tmp_path / "l.sock", threading.Event(), Future[str]()

    gateway: RemoteLedger

    def take_up() -> None:
        gateway.append_blocking(heartbeat(4711))
        assert not gateway.healthy()
        with ThreadPoolExecutor(1) as pool:
            error = pool.submit(gateway.append_blocking, heartbeat()).exception()
        refused.set_result(str(error))
        assert may_end.wait(WAIT_S)

    with Served(data, path) as served:
        gateway = RemoteLedger.connect(path)
        gateway.on_return(take_up)
        assert served.ledger.head().size == gateway.head().size
    with Served(data, path) as served, open_reader(data) as reader:
        assert refused.result(WAIT_S) == AWAY
        assert b"4711" in reader.record(reader.size() - 1)
        may_end.set()
        until(gateway.healthy)
        gateway.append_blocking(heartbeat())
        gateway.close()


def test_a_return_that_cannot_be_taken_up_is_tried_again(data: Path, tmp_path: Path) -> None:
    tries: list[int] = []

    def take_up() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise LedgerError("not yet")

    with Served(data, tmp_path / "l.sock") as served:
        remote = RemoteLedger.connect(served.path)
        remote.on_return(take_up)
    with Served(data, tmp_path / "l.sock"):
        until(remote.healthy)
        assert len(tries) == 3
        remote.close()


def test_a_writer_that_comes_back_with_another_ledger_is_not_taken(data: Path, tmp_path: Path) -> None:
    with Served(data, tmp_path / "l.sock") as served:
        served.ledger.append_blocking(heartbeat())
        remote = RemoteLedger.connect(served.path)
    other = tmp_path / "other"
    other.mkdir()
    with Served(other, tmp_path / "l.sock"):  # the same name, fewer Records
        until(lambda: remote._thread is not None and not remote._thread.is_alive())
        assert not remote.healthy()
        with pytest.raises(LedgerError, match="another ledger, or with one that lost Records"):
            remote.append_blocking(heartbeat())
    remote.close()


def test_a_gateway_may_not_erase_or_rotate_over_the_socket(served: Served) -> None:
    served.socket.peers.role_of = lambda _uid: Role.GATEWAY
    remote = RemoteLedger.connect_once(served.path)
    with pytest.raises(LedgerError, match="may not ask that"):
        remote.erase_blocking(["x"], basis="request", reason="r", operator=None)
    with pytest.raises(LedgerError, match="may not ask that"):
        remote.rotate_blocking(overlap_s=0, reason="r", operator=None)
    with pytest.raises(LedgerError, match="no statement of approval"):
        remote.sign_statement(PAYLOAD_TYPE, pae(PAYLOAD_TYPE, b"{}"))
    remote.close()


def test_a_rotation_over_the_socket_changes_the_key_that_the_gateway_knows(
    served: Served, remote: RemoteLedger
) -> None:
    before = remote.verifier()
    new = remote.rotate_blocking(overlap_s=3600, reason="yearly", operator=None)
    assert new == served.ledger.verifier() != before
    until(lambda: remote.verifier() == new)
    with open_reader(served.data) as reader:
        assert any(b"ledger.rotated" in entry and b'"operator":{"name":' in entry for _, entry in reader.records())


def test_a_caller_that_is_cancelled_leaves_the_others_alone(served: Served, remote: RemoteLedger) -> None:
    async def appends() -> None:
        waiting = asyncio.ensure_future(remote.append(heartbeat()))
        await asyncio.sleep(0)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await remote.append(heartbeat())

    asyncio.run(appends())
    assert remote.healthy()
