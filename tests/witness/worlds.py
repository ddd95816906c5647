"""Logs, witnesses and their HTTP for the tests of this folder: real bytes, real sockets on loopback."""

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import tornado.httpserver
import tornado.netutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.clock import Clock
from holdfast.ledger import note, tree
from holdfast.witness import cosignature, protocol
from holdfast.witness.rules import WitnessRule, WitnessRules
from holdfast.witness.server import folder, web
from holdfast.witness.server.judge import Answer, Judge
from holdfast.witness.server.store import Store

ROOT = Path(__file__).parents[2]
ORIGIN = "gw.example.com/ledger/n1"
NAME = "witness.example.com/w1"
SCRIPT = ROOT / "scripts" / "witness.py"


def private_key(word: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(word.encode()).digest())


@dataclasses.dataclass
class Log:
    """A log whose owner signs whatever they like."""

    origin: str = ORIGIN
    private: Ed25519PrivateKey = dataclasses.field(default_factory=lambda: private_key("log"))
    leaves: list[bytes] = dataclasses.field(default_factory=list)

    @property
    def key(self) -> note.VerifierKey:
        return note.VerifierKey(self.origin, self.private.public_key().public_bytes_raw())

    def grown(self, count: int, word: str = "honest") -> "Log":
        more = [tree.leaf_hash(f"{word} {index}".encode()) for index in range(len(self.leaves), count)]
        return dataclasses.replace(self, leaves=[*self.leaves, *more])

    def checkpoint(self, size: int | None = None) -> bytes:
        size = len(self.leaves) if size is None else size
        text = note.Checkpoint(self.origin, size, tree.root_of(self.leaves[:size])).to_text()
        return note.sign_note(text, self.key, self.private.sign).to_text().encode()

    def proof(self, old: int, size: int | None = None) -> tuple[bytes, ...]:
        size = len(self.leaves) if size is None else size
        return tree.consistency_proof(old, size, tree.nodes_of(self.leaves)) if 0 < old < size else ()

    def submission(self, old: int, size: int | None = None) -> bytes:
        return protocol.Submission(old, self.proof(old, size), self.checkpoint(size)).to_bytes()


@dataclasses.dataclass
class Served:
    """A witness that answers at ``url``."""

    url: str
    key: cosignature.CosignerKey

    def rules(self, **more: object) -> WitnessRules:
        return WitnessRules((self.rule(),), quorum=1, **more)  # type: ignore[arg-type] # what the test names

    def rule(self, name: str = "audit") -> WitnessRule:
        return WitnessRule(name, self.url, self.key)

    def post(self, body: bytes, path: str = protocol.PATH) -> tuple[int, str, bytes]:
        return asked(self.url, "POST", path, body)

    def get(self, path: str) -> tuple[int, str, bytes]:
        return asked(self.url, "GET", path)


def asked(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.headers.get("Content-Type", ""), response.read()


_OPENED: list[Store] = []


def opened(directory: Path) -> Store:
    """A witness's database, which the end of the test closes."""
    store = Store.open(directory)
    _OPENED.append(store)
    return store


def close_all() -> None:
    """Close what :func:`opened` opened."""
    while _OPENED:
        _OPENED.pop().close()


def make_witness(directory: Path, clock: Clock, *logs: Log, name: str = NAME) -> Judge:
    """A witness in ``directory`` that watches ``logs``."""
    signer = folder.open_signer(directory) if (directory / folder.KEY_FILE).exists() else folder.create(directory, name)
    store = opened(directory)
    for log in logs:
        store.add_log(log.origin, log.key, clock.now_at())
    return Judge(store, signer, clock)


def key_in(directory: Path) -> cosignature.CosignerKey:
    return folder.read_vkey(directory)


@contextlib.contextmanager
def serving(judge: Judge, key: cosignature.CosignerKey) -> Iterator[Served]:
    """The witness's own HTTP, on a thread of this process, so that its clock is the test's."""
    with on_a_loop(lambda: tornado.httpserver.HTTPServer(web.application(judge))) as url:
        yield Served(url, key)


@contextlib.contextmanager
def on_a_loop(make: Callable[[], tornado.httpserver.HTTPServer]) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    started: threading.Event = threading.Event()
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    servers: list[tornado.httpserver.HTTPServer] = []

    async def begin() -> None:
        server = make()
        server.add_sockets(sockets)
        servers.append(server)
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(servers[0].close_all_connections())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait(10)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(servers[0].stop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class Scripted(Judge):
    """A witness that answers what the test says. For one thread, like the real one."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.bodies: list[bytes] = []

    def add_checkpoint(self, body: bytes) -> Answer:
        self.bodies.append(body)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextlib.contextmanager
def process(directory: Path, *command: str) -> Iterator[tuple[subprocess.Popen[str], Served]]:
    """`scripts/witness.py serve` in a process of its own, or another ``command`` that serves the same folder."""
    start = command or (sys.executable, str(SCRIPT), "--dir", str(directory), "serve", "--listen", "127.0.0.1:0")
    child = subprocess.Popen(start, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path()})
    assert child.stderr is not None
    try:
        url = None
        while url is None:
            line = child.stderr.readline()
            assert line, "the witness ended before it listened"
            found = re.search(r"listening on (http://\S+)", line)
            url = found[1] if found else None
        yield child, Served(url, key_in(directory))
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(10)
        child.stderr.close()


def path() -> str:
    return f"{ROOT / 'addons'}{os.pathsep}{ROOT}"


def decode(text: str) -> bytes:
    return base64.b64decode(text)
