"""What no test can be asked to do gently: SIGKILL, a full disk, clients that hammer before the gateway is ready."""

import contextlib
import itertools
import json
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.live.harness.approver import approve
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway, free_port, locked
from tests.live.harness.upstream import Upstream, answers
from tests.live.harness.wire import Wire, request
from tests.live.harness.world import LOOSE, PATIENCE_S, ROOT, SAID_BY_CALLER, SAID_BY_SERVER, World, call, until

pytestmark = pytest.mark.live

KILLS = 4
FILE_BYTES_MAX = 1_500_000


@contextlib.contextmanager
def running(world: World, upstream: Upstream, folder: Path, **more: Any) -> Iterator[Bench]:
    """A gateway in ``folder``, which may hold what an earlier one left."""
    gateway = Gateway(world, upstream.port, folder, **more)
    bench = Bench(gateway, upstream, world)
    try:
        gateway.ready()
        yield bench
    finally:
        bench.close()
        gateway.kill()


def numbers_heard(upstream: Upstream) -> set[int]:
    """The ids of the calls that the server heard in full."""
    found: set[int] = set()
    for talk in upstream.talks:
        for part in bytes(talk.heard).split(b"\r\n\r\n")[1:]:
            with contextlib.suppress(ValueError):
                found.add(json.JSONDecoder().raw_decode(part.decode())[0]["id"])
    return found


def recorded(gateway: Gateway) -> set[int]:
    return {int(record["rpc"]["id"]) for record in gateway.records("call")}


def hammer(world: World, port: Callable[[], int], stop: threading.Event, numbers: Iterator[int]) -> list[bytearray]:
    """Call as fast as it goes until told to stop; what came back."""
    token = world.token("mcp-users")
    heard: list[bytearray] = []
    while not stop.is_set():
        with contextlib.suppress(OSError, AssertionError), Wire(port()) as wire:
            heard.append(wire.heard)
            while not stop.is_set():
                wire.send(request(token, call(call_id=next(numbers))))
                wire.answer()
    return heard


@contextlib.contextmanager
def hammered(world: World, port: Callable[[], int], numbers: Iterator[int], count: int) -> Iterator[list[bytearray]]:
    """Clients that hammer ``port`` meanwhile; the list has what they heard, once they have stopped."""
    stop = threading.Event()
    heard: list[bytearray] = []
    threads = [
        threading.Thread(target=lambda: heard.extend(hammer(world, port, stop, numbers)), daemon=True)
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)


def verify_ledger(gateway: Gateway) -> str:
    command = [sys.executable, "scripts/ledger.py", "--data", str(gateway.data), "verify"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Counter:
    """Numbers for many threads."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return next(self._count)  # one step in CPython, so no number comes twice


def test_after_sigkill_no_call_that_went_out_is_missing_from_the_ledger(
    world: World, shared_upstream: Upstream, tmp_path: Path
) -> None:
    shared_upstream.begin()
    numbers = Counter()
    for _ in range(KILLS):
        before = len(numbers_heard(shared_upstream))
        with running(world, shared_upstream, tmp_path) as bench:
            port = bench.gateway.port
            with hammered(world, lambda: port, numbers, 3) as heard:  # noqa: B023 -- called within this turn only
                until(lambda: len(numbers_heard(shared_upstream)) >= before + 25, "calls go out")  # noqa: B023 -- same
                bench.gateway.process.kill()
            assert not any(SAID_BY_SERVER.encode() in part for part in heard)
            sent, written = numbers_heard(shared_upstream), recorded(bench.gateway)
            assert sent <= written, f"{sorted(sent - written)} went out unrecorded"
    with running(world, shared_upstream, tmp_path) as bench:
        assert bench.ask().status == 200
        bench.gateway.terminate()
        closed = {
            ref for typ in ("reply", "call.lost") for record in bench.gateway.records(typ) for ref in record["ref"]
        }
        assert {record["n"] for record in bench.gateway.records("call")} <= closed
        assert [record["clean"] for record in bench.gateway.records("ledger.start")[1:]] == [False] * KILLS
        verify_ledger(bench.gateway)


def test_while_the_gateway_starts_nothing_passes_that_is_not_recorded(
    world: World, shared_upstream: Upstream, tmp_path: Path
) -> None:
    shared_upstream.begin()
    port = free_port()
    gateway = Gateway(world, shared_upstream.port, tmp_path, port=port)
    try:
        with hammered(world, lambda: port, Counter(), 3) as heard:
            gateway.ready()
            until(lambda: len(numbers_heard(shared_upstream)) >= 20, "calls go out")
            gateway.terminate()
    finally:
        gateway.kill()
    assert heard
    assert not any(SAID_BY_SERVER.encode() in part or LOOSE in part for part in heard)
    assert SAID_BY_CALLER.encode() not in shared_upstream.heard()
    assert numbers_heard(shared_upstream) <= recorded(gateway)


def small_files() -> None:
    """No file may grow beyond the limit: what a full disk does to a database, without mounting one."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))


def until_it_refuses(bench: Bench) -> int:
    """Fill the disk by calls until the gateway cannot record the next; how many it took."""
    note = "x" * 30_000
    for count in range(400):
        answer = bench.ask(call(arguments={"note": note}))
        if answer.status != 200:
            return count
    raise AssertionError("the disk was never full")


def assert_nothing_passes(bench: Bench) -> None:
    bench.upstream.begin(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + LOOSE))
    for _ in range(3):
        answer = bench.ask()
        assert answer.status == 503
        assert b"cannot do its duty" in answer.body
    assert bench.ask(method="GET").status == 503
    assert bench.upstream.heard() == b""
    bench.check_nothing_leaked()


def test_with_files_that_cannot_grow_nothing_passes_either_way(
    world: World, shared_upstream: Upstream, tmp_path: Path
) -> None:
    shared_upstream.begin()
    with running(world, shared_upstream, tmp_path, preexec=small_files) as bench:
        assert until_it_refuses(bench) > 0
        sent = shared_upstream.heard().count(b"POST /mcp")
        assert sent <= len(bench.gateway.records("call"))
        assert_nothing_passes(bench)
        assert bench.gateway.process.poll() is None
        bench.gateway.kill()
    verify_ledger(bench.gateway)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of three megabytes; None where this user may not mount one, and files are kept small instead."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        yield None
        return
    (tmp_path / "data").symlink_to(disk)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    return filler


def test_with_the_disk_full_nothing_passes_and_a_restart_with_room_goes_on(
    world: World, shared_upstream: Upstream, tmp_path: Path, small_disk: Path | None
) -> None:
    shared_upstream.begin()
    with running(world, shared_upstream, tmp_path, preexec=None if small_disk else small_files) as bench:
        filler = fill(small_disk) if small_disk else tmp_path / "no-filler"
        until_it_refuses(bench)
        assert_nothing_passes(bench)
    filler.unlink(missing_ok=True)
    with running(world, shared_upstream, tmp_path) as bench:
        bench.check()
        assert bench.gateway.terminate() == 0
        verify_ledger(bench.gateway)


def test_a_database_that_is_locked_too_long_refuses_every_call_until_a_restart(
    world: World, shared_upstream: Upstream, tmp_path: Path
) -> None:
    with running(world, shared_upstream, tmp_path) as bench:
        with locked(bench.gateway):
            shared_upstream.begin()
            assert bench.ask().status == 503
        assert_nothing_passes(bench)
    with running(world, shared_upstream, tmp_path) as bench:
        bench.check()


def test_no_planted_value_is_kept_anywhere(world: World, shared_upstream: Upstream, tmp_path: Path) -> None:
    shared_upstream.begin()
    dump = tmp_path / "flows.mitm"
    with running(world, shared_upstream, tmp_path, options=["-w", str(dump), "--flow-detail", "4"]) as bench:
        assert bench.ask(call(arguments={"note": SAID_BY_CALLER, "deep": [{SAID_BY_CALLER: 1}]})).status in (200, 400)
        assert bench.ask(call(f"get {SAID_BY_CALLER}")).status == 200
        bench.ask(call(call_id=SAID_BY_CALLER))
        bench.ask(headers=[("User-Agent", SAID_BY_CALLER), ("X-Note", SAID_BY_CALLER)])
        bench.ask(f'{{"broken": "{SAID_BY_CALLER}"'.encode())
        bench.tell(f"POST /mcp HTTP/1.1\r\n{SAID_BY_CALLER}\r\n\r\n".encode())
        with bench.wire() as wire:
            wire.send(bench.request(call("delete_customer", {"note": SAID_BY_CALLER})))
            approve(bench.gateway, world)
            assert wire.answer().status == 200
        assert bench.gateway.terminate() == 0
        token = bench.token.encode()
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert kept[dump].count(b"the card is ************1881") > 0
    for path, data in kept.items():
        for raw in (SAID_BY_CALLER.encode(), SAID_BY_SERVER.encode(), token):
            assert raw not in data, f"{path.name} holds {raw!r}"
