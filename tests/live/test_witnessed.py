"""A real gateway and a real witness: with `refuse_after`, nothing goes out that nobody outside vouches for."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway, free_port
from tests.live.harness.upstream import Upstream
from tests.live.harness.wire import Wire, request
from tests.live.harness.world import PATIENCE_S, ROOT, World, call, make_world, until

from holdfast.ledger.keys import open_keys
from holdfast.witness.store import open_outside

pytestmark = pytest.mark.live

RULES = "version: 1\nevery: 10s\nrefuse_after: 20s\nwitnesses:\n  - name: audit\n    url: {url}\n    vkey: {vkey}\n"


def witness(folder: Path, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "witness.py"), "--dir", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    command = [sys.executable, str(ROOT / "scripts" / "witness.py"), "--dir", str(folder), "serve"]
    process = subprocess.Popen(
        [*command, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def asked(world: World, gateway: Gateway, number: int) -> bytes:
    with Wire(gateway.port) as wire:
        wire.send(request(world.token("mcp-users"), call(call_id=number)))
        wire.answer()
        return bytes(wire.heard)


def vouched(data: Path) -> list[int]:
    with open_outside(data) as outside:
        return outside.cosigned_sizes()


def test_calls_wait_for_a_witness_and_pass_once_it_vouches(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    data, port = tmp_path / "gateway" / "data", free_port()
    data.mkdir(parents=True)
    data.chmod(0o700)
    keys = open_keys(data, origin="gw.example.com/ledger/live")
    said = witness(tmp_path / "witness", "init", "--name", "audit.example.com/w1")
    vkey = next(word for word in said.split() if word.startswith("audit.example.com/w1+"))
    witness(tmp_path / "witness", "add-log", "--vkey", keys.verifier.to_text())
    (world.rules / "witnesses.yaml").write_text(RULES.format(url=f"http://127.0.0.1:{port}", vkey=vkey))
    upstream = Upstream()
    gateway = Gateway(world, upstream.port, tmp_path / "gateway")
    bench = Bench(gateway, upstream, world)
    try:
        gateway.ready()
        refused = asked(world, gateway, 1)
        assert refused.startswith(b"HTTP/1.1 503"), refused
        assert not upstream.talks
        with serving(tmp_path / "witness", port):
            until(lambda: vouched(data), "the witness vouches")
            assert asked(world, gateway, 2).startswith(b"HTTP/1.1 200")
        assert gateway.terminate() == 0
    finally:
        bench.close()
        gateway.kill()
    assert [record["rpc"]["id"] for record in gateway.records("call")] == [2]
