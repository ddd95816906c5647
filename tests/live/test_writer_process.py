"""A real gateway over a writer that runs apart; as root under two users of their own, as it is meant to be run."""

import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Talk, Upstream, reply_to
from tests.live.harness.wire import request
from tests.live.harness.world import PATIENCE_S, ROOT, World, call, make_world, until

from holdfast.clock import SystemClock
from holdfast.evidence.files.entry import parse_entry
from holdfast.evidence.story.gaps import GapFinder
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.access import open_for_command
from holdfast.ledger.verify import verify

WRITER_UID: Final = 64_001
PROXY_UID: Final = 64_002
STRANGER_UID: Final = 64_003
MASKING: Final = "version: 1\nentities: [{entity: US_SSN}, {entity: CREDIT_CARD}]\n"  # a first start compiles little
IS_ROOT: Final = os.geteuid() == 0
needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root can act as another user")


@functools.cache
def have_two_users() -> bool:
    """Whether gateway and writer can run as users of their own: root may switch, if others may run this Python."""
    if not IS_ROOT:
        return False
    try:
        return subprocess.run([sys.executable, "-c", ""], user=PROXY_UID, check=False).returncode == 0
    except PermissionError:
        return False


def become(uid: int) -> Callable[[], None] | None:
    """What makes a child process run as ``uid``; nothing where that is not possible."""

    def drop() -> None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)

    return drop if have_two_users() else None


def as_user(uid: int, code: str, *arguments: str) -> list[str]:
    """The words that a process of ``uid`` prints; it becomes that user once it has imported what it needs."""
    start = (
        "import _strptime, os, socket, sys\n"
        "sys.path.insert(0, sys.argv.pop(1))\n"
        "from pathlib import Path\n"
        "from holdfast.ledger.draft import Draft\n"
        "from holdfast.ledger.remote.remote import RemoteLedger\n"
        f"os.setgroups([]); os.setgid({uid}); os.setuid({uid})\n"
    )
    command = [sys.executable, "-c", start + code, str(ROOT / "addons"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class Writer:
    """`ledger.py serve` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "ledger"
        self.socket = folder / "run" / "ledger.sock"
        for one in (self.data, self.socket.parent):
            one.mkdir()
            if have_two_users():
                os.chown(one, WRITER_UID, WRITER_UID)
        self.data.chmod(0o700)
        self._log = folder / "writer.txt"
        self.process = self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "scripts" / "ledger.py"), "--data", str(self.data), "serve"]
        command += ["--socket", str(self.socket), "--allow-uid", str(PROXY_UID)]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=become(WRITER_UID),  # noqa: PLW1509 -- no thread of ours holds a lock that the child needs
            )
        until(lambda: b"is served at" in self._log.read_bytes() or process.poll() is not None, "it serves")
        assert process.poll() is None, self._log.read_text()
        return process

    def start(self) -> None:
        self.process = self._begin()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def records(self, typ: str | None = None) -> list[dict[str, Any]]:
        with open_reader(self.data) as reader:
            bodies = [json.loads(entry) for _, entry in reader.records()]
        return [body for body in bodies if typ is None or body["typ"] == typ]

    def gaps(self) -> list[str]:
        finder = GapFinder()
        with open_reader(self.data) as reader:
            entries = [parse_entry(index, data) for index, data in reader.records()]
        return [gap.kind for entry in entries for gap in finder.add(entry)]


class Apart:
    """A gateway, its writer, and what talks to them."""

    def __init__(self, folder: Path, upstream: Upstream) -> None:
        self.writer = Writer(folder)
        self.world: World = make_world(folder, MASKING)
        home = folder / "gw"
        home.mkdir()
        if have_two_users():
            os.chown(home, PROXY_UID, PROXY_UID)
            for path in (folder / "rules", *(folder / "rules").rglob("*"), folder / "keys.json"):
                path.chmod(0o755 if path.is_dir() else 0o644)
            (home / "conf").mkdir()
            os.chown(home / "conf", PROXY_UID, PROXY_UID)
        self.gateway = Gateway(
            self.world,
            upstream.port,
            home,
            options=["--set", f"holdfast_ledger={self.writer.socket}"],
            preexec=become(PROXY_UID),
            cold=True,  # its folder is another user's
        )
        self.upstream = upstream

    def status(self) -> int:
        """What a client is answered now."""
        with Bench(self.gateway, self.upstream, self.world).wire() as wire:
            self.upstream.begin()
            wire.send(request(self.world.token("mcp-users"), call()))
            return wire.answer().status


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    # Not below pytest's own folder, which no other user may enter.
    folder = Path(tempfile.mkdtemp(prefix="hf-"))
    folder.chmod(0o755)
    upstream = Upstream()
    with contextlib.ExitStack() as after:
        after.callback(shutil.rmtree, folder)
        after.callback(upstream.close)
        apart = Apart(folder, upstream)
        after.callback(lambda: apart.writer.end(signal.SIGKILL))
        after.callback(apart.gateway.kill)
        apart.gateway.ready()
        yield apart


def test_a_call_passes_and_stands_in_the_writers_ledger(apart: Apart) -> None:
    before = len(apart.writer.records("reply"))
    assert apart.status() == 200
    assert len(apart.writer.records("reply")) == before + 1
    starts = [(record.get("process"), record["clean"]) for record in apart.writer.records("ledger.start")]
    assert starts == [("writer", True), ("gateway", True)]
    verify(apart.writer.data, None, [])


def test_the_gateways_folder_holds_no_ledger_and_no_key_that_signs(apart: Apart) -> None:
    names = {path.name for path in apart.gateway.data.rglob("*")}
    assert {"masking.key", "request.key", "origin"} <= names
    assert names.isdisjoint(("ledger.db", "payload.db", "ledger.pem", "checkpoints.log", "ledger.sock"))


@needs_root
def test_the_gateways_user_can_neither_open_nor_replace_the_ledger(apart: Apart) -> None:
    trying = (
        "for name in sys.argv[1:]:\n"
        "    for act in (lambda: open(name, 'rb'), lambda: os.unlink(name), lambda: os.rename(name, name + '.old')):\n"
        "        try: act(); print('DONE')\n"
        "        except OSError as error: print(type(error).__name__)\n"
    )
    names = ("ledger.db", "payload.db", "checkpoints.log", "keys/ledger.pem")
    paths = [str(apart.writer.data / name) for name in names]
    assert as_user(PROXY_UID, trying, *paths) == ["PermissionError"] * 12
    # A socket cannot be opened as a file by anybody.
    assert as_user(PROXY_UID, trying, str(apart.writer.socket)) == ["OSError", *["PermissionError"] * 2]


@needs_root
def test_a_process_of_another_user_gets_not_a_byte(apart: Apart) -> None:
    asking = (
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(60)\n"
        "try: s.sendall(bytes([0, 0, 0, 2, 0, 0, 0, 0]) + b'{}'); print(s.recv(1))\n"
        "except ConnectionError: print(b'')\n"
    )
    assert as_user(STRANGER_UID, asking, str(apart.writer.socket)) == ["b''"]
    assert apart.status() == 200


@needs_root
def test_the_gateways_user_may_append_but_not_erase_rotate_or_write_for_the_writer(apart: Apart) -> None:
    asking = (
        "ledger = RemoteLedger.connect_once(Path(sys.argv[1]))\n"
        "ledger.append_blocking(Draft('ledger.heartbeat', {'counters': {}}))\n"
        "stop = Draft('ledger.stop', {'process': 'writer'})\n"
        "shown = Draft('evidence.exported', {'export': {'digest': '0' * 64, 'first': 0, 'size': 1}})\n"
        "for ask in (\n"
        "    lambda: ledger.erase_blocking(['x'], basis='request', reason='r', operator=None),\n"
        "    lambda: ledger.rotate_blocking(overlap_s=0, reason='r', operator=None),\n"
        "    lambda: ledger.sign_statement('text/plain', b'DSSEv1 10 text/plain 1 x'),\n"
        "    lambda: ledger.append_blocking(stop),\n"
        "    lambda: ledger.append_blocking(shown),\n"
        "):\n"
        "    try: ask(); print('DONE')\n"
        "    except Exception as error: print(type(error).__name__)\n"
    )
    size = len(apart.writer.records())
    assert as_user(PROXY_UID, asking, str(apart.writer.socket)) == ["LedgerError"] * 5
    assert {record["typ"] for record in apart.writer.records()[size:]} == {"ledger.heartbeat"}


def test_nonsense_on_the_socket_harms_nobody(apart: Apart) -> None:
    said = (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 4096, bytes(8), b"\x00\x00\x00\x05\x00\x00\x00\x00[1,2]", b"\x00\x00")
    with contextlib.ExitStack() as after:
        for data in said * 2:
            strange = after.enter_context(socket.socket(socket.AF_UNIX))
            with contextlib.suppress(ConnectionError):
                strange.connect(str(apart.writer.socket))
                strange.sendall(data)
        assert apart.status() == 200


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_writer_that_ends_stops_everything_until_it_is_back(apart: Apart, number: signal.Signals) -> None:
    assert apart.status() == 200
    code = apart.writer.end(number)
    assert code == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    until(lambda: apart.status() == 503, "it refuses")
    apart.writer.start()
    until(lambda: apart.status() == 200, "it goes on")
    is_clean = number is signal.SIGTERM
    start = apart.writer.records("ledger.start")[-1]
    assert (start["process"], start["clean"]) == ("writer", is_clean)
    assert apart.writer.gaps()[-1] == ("stopped" if is_clean else "crashed")
    verify(apart.writer.data, None, [])


def test_a_reply_that_could_not_be_recorded_is_accounted_for_when_the_writer_is_back(apart: Apart) -> None:
    def script(talk: Talk) -> None:
        heard = talk.hear()
        apart.writer.end(signal.SIGKILL)
        if heard is not None:
            talk.say(reply_to(heard[1]))

    calls = len(apart.writer.records("call"))
    with Bench(apart.gateway, apart.upstream, apart.world).wire() as wire:
        apart.upstream.begin(script)
        wire.send(request(apart.world.token("mcp-users"), call()))
        assert wire.answer().status == 503
    apart.writer.start()
    lost = until(lambda: apart.writer.records("call.lost"), "it is accounted for")
    assert lost[-1]["ref"] == [apart.writer.records("call")[calls]["n"]]
    assert "writer was away" in lost[-1]["reason"]


def test_gateway_and_writer_stop_in_order_and_leave_no_gap_but_the_ones_they_name(apart: Apart) -> None:
    gaps = len(apart.writer.gaps())
    apart.gateway.terminate()
    assert apart.writer.end(signal.SIGTERM) == 0
    ends = [(record["typ"], record["process"]) for record in apart.writer.records()[-2:]]
    assert ends == [("ledger.stop", "gateway"), ("ledger.stop", "writer")]
    assert len(apart.writer.gaps()) == gaps
    assert verify(apart.writer.data, None, []).unsigned == 0


def test_a_command_writes_through_the_gateway_that_has_the_ledger_open(bench: Bench) -> None:
    export = Draft("evidence.exported", {"export": {"digest": "0" * 64, "first": 0, "size": 1}, "operator": {"uid": 7}})
    with open_for_command(bench.gateway.data, SystemClock()) as ledger:
        (receipt,) = ledger.append_blocking(export)
        assert ledger.publish_blocking().size > receipt.index
    written = bench.gateway.records("evidence.exported")[-1]
    assert (written["n"], written["operator"]["uid"]) == (receipt.index, os.geteuid())
    with contextlib.closing(sqlite3.connect(bench.gateway.data / "ledger.db")) as database:
        assert database.execute("SELECT count(*) FROM entries WHERE seq = ?", (receipt.index,)).fetchone() == (1,)
