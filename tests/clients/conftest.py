"""A gateway before all the servers, and what each client says that went through it."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from scripts import clients
from tests.clients.serving import Serving, bridged, customers, everything
from tests.live.harness.gateway import Gateway
from tests.live.harness.world import SAID_BY_SERVER, World, make_world

STDIO = ("filesystem", "memory", "git", "sqlite", "time")
EXPIRES_S = 90  # the age at which the other holds of the test are decided
BRIEF = f"""rules:
  - id: brief
    description: Nobody decides in time.
    method: tools/call
    name: [remove_customer]
    approver_groups: [mcp-approvers]
    expires_s: {EXPIRES_S}
"""


@pytest.fixture(scope="session")
def ready() -> None:
    if clients.APART.is_ready():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(".clients is missing, and this is CI: run make clients before the tests")
    pytest.skip(".clients is not here: make clients has not been run, or could not")


class Scene(NamedTuple):
    """What the clients of one module talk to. ``customers`` says what it carried out."""

    world: World
    gateway: Gateway
    customers: Serving
    folder: Path

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.gateway.port}{path}"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("world"))
    approval = world.rules / "approval.yaml"
    approval.write_text(approval.read_text().replace("rules:\n", BRIEF, 1))
    return world


@pytest.fixture(scope="session")
def scene(ready: None, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The customers alone: enough for holds."""
    folder = tmp_path_factory.mktemp("scene")
    with contextlib.ExitStack() as stack:
        server = _ended(stack, customers(folder / "customers"))
        port = server.said_port()
        rules = [_entry("customers", port, {"/customers/mcp": "/mcp"})]
        yield Scene(world, _gateway(stack, world, rules, port, folder), server, folder)


@pytest.fixture(scope="session")
def town(ready: None, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Every server: the customers, `everything` on two transports, and five that speak stdio behind a bridge."""
    folder = tmp_path_factory.mktemp("town")
    _furnish(folder)
    with contextlib.ExitStack() as stack:
        server = _ended(stack, customers(folder / "customers"))
        streamable = _ended(stack, everything(folder / "streamable", "streamableHttp"))
        sse = _ended(stack, everything(folder / "sse", "sse"))
        bridge, bridge_port = bridged(folder)
        stack.callback(bridge.end)
        rules = [
            _entry("customers", server.said_port(), {"/customers/mcp": "/mcp"}),
            _entry("everything", streamable.said_port(), {"/everything/mcp": "/mcp"}),
            _entry("everything-sse", sse.said_port(), {"/everything/sse": "/sse"}),
            *(_entry(name, bridge_port, {f"/{name}/mcp": f"/servers/{name}/mcp"}) for name in STDIO),
        ]
        yield Scene(world, _gateway(stack, world, rules, server.said_port(), folder), server, folder)


def _ended(stack: contextlib.ExitStack, serving: Serving) -> Serving:
    stack.callback(serving.end)
    return serving


def _entry(name: str, port: int, paths: dict[str, str]) -> str:
    lines = "".join(f"\n      - {{path: {path}, upstream_path: {upstream}}}" for path, upstream in paths.items())
    return f"  - id: {name}\n    upstream: http://127.0.0.1:{port}\n    paths:{lines}\n"


def _gateway(stack: contextlib.ExitStack, world: World, entries: list[str], port: int, folder: Path) -> Gateway:
    (world.rules / "servers.yaml").write_text("version: 1\nservers:\n" + "".join(entries))
    gateway = Gateway(world, port, folder / "gateway", options=["-w", str(folder / "flows.mitm")])
    stack.callback(gateway.kill)
    return gateway.ready()


def _furnish(folder: Path) -> None:
    """A card number where each server of the bridge finds it, but for the one of the time."""
    (folder / "customer.txt").write_text(f"paid with {SAID_BY_SERVER}\n")
    entity = f'{{"type":"entity","name":"C-1","entityType":"customer","observations":["paid with {SAID_BY_SERVER}"]}}\n'
    (folder / "memory.jsonl").write_text(entity)
    with contextlib.closing(sqlite3.connect(folder / "test.db")) as database:
        database.execute("CREATE TABLE customers (note TEXT)")
        database.execute("INSERT INTO customers VALUES (?)", (f"paid with {SAID_BY_SERVER}",))
        database.commit()
    author = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    commit = ["commit", "-q", "--allow-empty", "-m", f"paid with {SAID_BY_SERVER}"]
    for command in (["init", "-q"], [*author, *commit]):
        (folder / "repository").mkdir(exist_ok=True)
        subprocess.run(["git", *command], cwd=folder / "repository", check=True, capture_output=True)
