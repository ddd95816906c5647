"""The fixture, started by itself and behind a real gateway, as the suite meets it.

The gateway is as shipped, but for who may do what: everything that the fixture does is allowed, in both directions,
and nothing is held. Identity, masking and Records are what they are for everybody.
"""

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.apart.folder import ROOT
from tests.conformance.front import Front
from tests.live.harness.gateway import Gateway, free_port
from tests.live.harness.world import World, make_world, until

STARTS_S: Final = 90
_ACCESS: Final = """\
version: 1
rules:
  - {id: everything-asked, description: All that the suite asks., effect: allow, method: "*"}
  - {id: everything-served, description: All that the fixture asks back., effect: allow, from: server, method: "*"}
"""
_APPROVAL: Final = "version: 1\napprovers: []\nrules: []\n"


@contextlib.contextmanager
def fixture(folder: Path) -> Iterator[int]:
    """The fixture on its own; yields its port."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "tests.conformance.fixture", "--port", str(port)]
    with (folder / "fixture.txt").open("wb") as log:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until(lambda: _answers(port), "the fixture answers", within_s=STARTS_S)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/mcp", timeout=1).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextlib.contextmanager
def gateway_before(port: int, folder: Path) -> Iterator[tuple[int, Gateway]]:
    """A gateway before the server on ``port``; yields the port of the proxy in front of it, and the gateway."""
    world = permissive_world(folder)
    with Front(world.token("suite")) as front:
        # To whoever comes, the front's address is the gateway's.
        resource = f"holdfast_resource=http://127.0.0.1:{front.port}"
        gateway = Gateway(world, port, folder, options=["--set", resource])
        try:
            front.behind = gateway.ready().port
            yield front.port, gateway
        finally:
            gateway.terminate()


def permissive_world(folder: Path) -> World:
    """A folder with the shipped rules, and everything allowed."""
    world = make_world(folder)
    (world.rules / "access.yaml").write_text(_ACCESS, "utf-8")
    (world.rules / "approval.yaml").write_text(_APPROVAL, "utf-8")
    return world
