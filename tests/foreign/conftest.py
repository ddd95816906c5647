"""A package of a ledger that a foreign witness cosigned and a foreign authority stamped, for foreign verifiers."""

import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from scripts import foreign
from tests.evidence.world import MAYA, World, a_day

from holdfast.evidence.build import Wanted, build
from holdfast.evidence.making.period import Period
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import open_reader
from holdfast.witness.submit import submit_now

WITNESS = "witness.example.org/w1"
HEARTBEATS = 600  # so that the tree has full tiles, and more than one
STARTS_S = 20


def missing(what: str) -> None:
    """Skip for want of ``what``; where .ci/run has built it, that is a failure."""
    if os.environ.get("CI") == "true" and not foreign.is_ready():
        pytest.fail(f"{what} is missing, and this is CI: run make foreign before the tests")
    pytest.skip(f"{what} is not here: make foreign has not been run, or could not")


@pytest.fixture(scope="session")
def foreign_python() -> Path:
    """The environment's Python; the programs beside it are the foreign ones."""
    if not foreign.is_ready():
        missing(".foreign")
    return foreign.FOLDER / "bin" / "python"


@pytest.fixture(scope="session")
def programs(foreign_python: Path) -> dict[str, str]:
    """The environment in which the guide's commands run."""
    return {"PATH": f"{foreign_python.parent}:{os.environ['PATH']}", "HOLDFAST": str(foreign.ROOT), "LC_ALL": "C.UTF-8"}


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed here")
    return found


class Witness(NamedTuple):
    """A live `aics-witness`."""

    url: str
    vkey: str
    program: str
    config: Path

    def run(self, *arguments: str) -> str:
        command = [self.program, *arguments, "--config", str(self.config)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def witness(foreign_python: Path, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witness]:
    folder, port = tmp_path_factory.mktemp("witness"), free_port()
    program, config = str(foreign_python.parent / "aics-witness"), folder / "witness.json"
    made = Witness(f"http://127.0.0.1:{port}", "", program, config)
    vkey = made.run("init", "--name", WITNESS, "--listen", f"127.0.0.1:{port}").strip()
    key = world.keys.verifier
    made.run("add-log", "--origin", key.name, "--vkey", key.to_text())
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen([program, "serve", "--config", str(config)], stdout=log, stderr=log)
        try:
            wait_for(port)
            yield made._replace(vkey=vkey)
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int) -> None:
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        threading.Event().wait(0.05)
    pytest.fail("the witness did not start")


TSA_CONFIG = """\
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ordering = yes
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority(NamedTuple):
    """A time stamping authority: `openssl ts` behind HTTP."""

    url: str
    roots: Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority | None]:
    openssl = shutil.which("openssl")
    if openssl is None:
        yield None
        return
    program: str = openssl
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "tsa.cnf").write_text(TSA_CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    request = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=tsa.example.com"]
    usage = ["-addext", "extendedKeyUsage=critical,timeStamping", "-addext", "basicConstraints=critical,CA:TRUE"]
    files = ["-keyout", str(folder / "tsa.key"), "-out", str(folder / "tsa.pem"), "-days", "3650"]
    subprocess.run([openssl, "req", "-x509", *request, *usage, *files], check=True, capture_output=True)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            command = [program, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]
            subprocess.run(command, check=True, capture_output=True, cwd=folder)
            answer = (folder / "reply").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Authority(f"http://127.0.0.1:{server.server_port}/", folder / "tsa.pem")
        server.shutdown()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = a_day(tmp_path_factory.mktemp("ledger") / "data")
    for number in range(HEARTBEATS // 100):
        made.clock.advance(60)
        made.ledger.append_blocking(*(Draft("ledger.heartbeat", {"counters": {"calls": number}}) for _ in range(100)))
    made.ledger.publish_blocking()
    made.middle_at = made.clock.now_at()  # type: ignore[attr-defined] # where the second package begins
    made.clock.advance(60)
    made.read(MAYA)
    made.ledger.close()
    return made


class Packed(NamedTuple):
    """A package, unpacked beside what its verifier got from elsewhere: `log.vkey`, `witness.vkey`, `tsa-roots.pem`."""

    package: Path
    folder: Path
    sample: int


@pytest.fixture(scope="session")
def vouched(
    world: World, witness: Witness, authority: Authority | None, tmp_path_factory: pytest.TempPathFactory
) -> World:
    """The ledger, with its last checkpoint cosigned and stamped."""
    rules = tmp_path_factory.mktemp("rules")
    text = f"version: 1\nwitnesses:\n  - name: foreign\n    url: {witness.url}\n    vkey: {witness.vkey}\n"
    if authority is not None:
        shutil.copy(authority.roots, rules / "tsa-roots.pem")
        text += f"timestamps:\n  - name: tsa\n    url: {authority.url}\n    roots: tsa-roots.pem\n"
    (rules / "witnesses.yaml").write_text(text)
    for told in submit_now(world.folder, world.keys, rules):
        assert told.vouched is not None, told
    return world


def pack(world: World, parent: Path, wanted: Wanted, witness: Witness, authority: Authority | None) -> Packed:
    build(world.folder, parent / "package.zip", wanted=wanted, record=False)
    with zipfile.ZipFile(parent / "package.zip") as archive:
        archive.extractall(parent / "package")
    (parent / "log.vkey").write_text(world.keys.verifier.to_text() + "\n")
    (parent / "witness.vkey").write_text(witness.vkey + "\n")
    if authority is not None:
        shutil.copy(authority.roots, parent / "tsa-roots.pem")
    names = sorted((parent / "package" / "samples").glob("*.tlog-proof"))
    return Packed(parent / "package.zip", parent / "package", int(names[0].stem))


@pytest.fixture(scope="session")
def whole(
    vouched: World, witness: Witness, authority: Authority | None, tmp_path_factory: pytest.TempPathFactory
) -> Packed:
    wanted = Wanted(sample_count=3, nonce="auditor 1")
    return pack(vouched, tmp_path_factory.mktemp("whole"), wanted, witness, authority)


@pytest.fixture(scope="session")
def later(
    vouched: World, witness: Witness, authority: Authority | None, tmp_path_factory: pytest.TempPathFactory
) -> Packed:
    """A package whose range begins in the middle of the ledger."""
    period = Period(vouched.middle_at, None)  # type: ignore[attr-defined] # see world
    wanted = Wanted(period=period, sample_count=2, nonce="auditor 2")
    packed = pack(vouched, tmp_path_factory.mktemp("later"), wanted, witness, authority)
    assert (packed.folder / "ledger" / "checkpoint.start").exists()
    return packed


@pytest.fixture(scope="session")
def tiles(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from holdfast.ledger.commands.exporting import write_tiles  # noqa: PLC0415 -- beside its one use

    folder = tmp_path_factory.mktemp("tiles") / "log"
    with open_reader(world.folder) as reader:
        write_tiles(reader, folder)
    return folder
