"""stdio at both ends: a client over stdio, the bridge, the gateway, the other bridge, a real server over stdio."""

import asyncio
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import mcp.client.session
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import ElicitRequestParams, ElicitResult
from scripts.demo_world.agent import Era, agent, text_of
from scripts.demo_world.processes import child_environment
from tests.live.harness import warm
from tests.live.harness.gateway import READY_S
from tests.live.harness.world import PATIENCE_S, ROOT, World, until

from holdfast import jsontext
from holdfast.ledger.reader import open_reader

pytestmark = pytest.mark.live

SERVER: Final = [sys.executable, "-m", "tests.live.harness.sdk_server", "--name", "desk"]
_LISTENS: Final = re.compile(r"listening at 127\.0\.0\.1:(\d+)")
_PID: Final = re.compile(r"in process (\d+)")


class Run:
    """`scripts/run.py` as somebody typed it."""

    def __init__(self, world: World, folder: Path, *options: str, command: list[str] = SERVER) -> None:
        self.data = folder / "data"
        self._log_path = folder / "log.txt"
        warm.lend(self.data)
        argv = [sys.executable, str(ROOT / "scripts" / "run.py"), "--stdio", "--rules", str(world.rules)]
        argv += ["--data", str(self.data), "--port", "0", "--cwd", str(ROOT), *options, "--", *command]
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env=child_environment({"NO_COLOR": "1", "SECRET_OF_OURS": "hush", "FOR_THE_SERVER": "told"}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def log(self) -> str:
        return self._log_path.read_text("utf-8", "replace")

    def ready(self) -> "Run":
        until(lambda: " guards " in self.log() or self.process.poll() is not None, "it guards", within_s=READY_S)
        assert self.process.poll() is None, self.log()
        return self

    @property
    def url(self) -> str:
        found = _LISTENS.search(self.log())
        assert found, self.log()
        return f"http://127.0.0.1:{found[1]}/mcp"

    def records(self, typ: str) -> list[dict[str, Any]]:
        with open_reader(self.data) as reader:
            bodies: list[Any] = [jsontext.parse(entry) for _, entry in reader.records()]
        return [body for body in bodies if body["typ"] == typ]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


ASKING: Final = """
  - id: the-desk-may-ask
    description: The desk may ask its users for a color.
    effect: allow
    from: server
    method: elicitation/create
  - id: server-requests
"""


@pytest.fixture(autouse=True)
def patient_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    # After 10 s the SDK takes a server whose process is slow to start for one that knows no version without sessions.
    monkeypatch.setattr(mcp.client.session, "DISCOVER_TIMEOUT_SECONDS", PATIENCE_S)


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("rules")
    access = Path(shutil.copytree(world.rules, folder / "rules")) / "access.yaml"
    access.write_text(access.read_text().replace("\n  - id: server-requests\n", ASKING, 1))
    world = World(folder, world.key)
    # PYTHONPATH is named, since the server is a module of this project.
    running = Run(world, tmp_path_factory.mktemp("run"), "--env", "FOR_THE_SERVER", "--env", f"PYTHONPATH={ROOT}")
    try:
        yield running.ready()
    finally:
        running.stop()


@pytest.fixture
def token_file(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(world.token("mcp-users", sub="u-stdio"))
    return path


async def answer_red(context: Any, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"color": "red"})


@asynccontextmanager
async def stdio_agent(run: Run, token_file: Path, era: Era) -> AsyncIterator[Client]:
    """The SDK's client, which believes that it has started a stdio server."""
    bridge = StdioServerParameters(
        command=sys.executable,
        args=[str(ROOT / "scripts" / "stdio.py"), "connect", run.url, "--token-file", str(token_file)],
    )
    async with Client(stdio_client(bridge), mode=era.value, elicitation_callback=answer_red) as client:
        yield client


@pytest.mark.parametrize("era", Era)
async def test_a_stdio_client_reaches_a_stdio_server_through_the_gateway(run: Run, token_file: Path, era: Era) -> None:
    async with stdio_agent(run, token_file, era) as client:
        tools = await client.list_tools()
        assert "get_name" in [tool.name for tool in tools.tools]
        first, second = [text_of(await client.call_tool("get_name", {})) for _ in range(2)]
    assert first == second
    assert first.startswith("desk in process")
    calls = [record for record in run.records("call") if record["mcp"].get("name") == "get_name"]
    assert [record["who"]["sub"] for record in calls[-2:]] == ["u-stdio", "u-stdio"]
    assert calls[-1]["mcp"]["version"] == era.version
    assert calls[-1]["call"] in [record["call"] for record in run.records("reply")]


@pytest.mark.parametrize("era", Era)
async def test_what_the_server_says_in_the_middle_of_a_call_comes_in_order(
    run: Run, token_file: Path, era: Era
) -> None:
    steps: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async with stdio_agent(run, token_file, era) as client:
        result = await client.call_tool("get_steps", {}, progress_callback=note)
    assert (text_of(result), steps) == ("two steps", [1, 2])


async def test_what_the_server_asks_in_the_middle_of_a_call_is_answered_by_the_clients_user(
    run: Run, token_file: Path
) -> None:
    async with stdio_agent(run, token_file, Era.HANDSHAKE) as client:
        assert text_of(await client.call_tool("get_color", {})) == "red"
    asked = [record for record in run.records("call") if record["rpc"].get("method") == "elicitation/create"]
    assert asked[-1]["rpc"]["dir"] != run.records("call")[0]["rpc"]["dir"]


async def test_each_session_has_a_process_of_its_own_and_a_caller_without_sessions_has_one(
    run: Run, world: World
) -> None:
    async def pids(era: Era, sub: str) -> list[str]:
        token = world.token("mcp-users", sub=sub)
        async with agent(run.url, token, era) as one, agent(run.url, token, era) as other:
            said = [text_of(await client.call_tool("get_name", {})) for client in (one, other, one)]
        return [found[1] for text in said if (found := _PID.search(text))]

    first, second, again = await pids(Era.HANDSHAKE, "u-ann")
    assert (first == again, first == second) == (True, False)
    ann = await pids(Era.STATELESS, "u-ann")
    bob = await pids(Era.STATELESS, "u-bob")
    assert len({*ann}) == len({*bob}) == 1
    assert {*ann}.isdisjoint(bob)


async def test_calls_of_one_caller_at_once_do_not_meet(run: Run, world: World) -> None:
    """Both clients count their requests from the same number, and share a process."""
    token = world.token("mcp-users", sub="u-twice")
    async with agent(run.url, token, Era.STATELESS) as one, agent(run.url, token, Era.STATELESS) as other:
        asked = [client.call_tool("get_steps", {}) for client in (one, other) for _ in range(5)]
        results = await asyncio.gather(*asked)
    assert [text_of(result) for result in results] == ["two steps"] * 10


async def test_a_process_ends_with_its_session(run: Run, world: World) -> None:
    async with agent(run.url, world.token("mcp-users", sub="u-end"), Era.HANDSHAKE) as client:
        found = _PID.search(text_of(await client.call_tool("get_name", {})))
        assert found
        assert Path(f"/proc/{found[1]}").exists() or sys.platform != "linux"
    until(lambda: not _runs(int(found[1])), "the process has ended")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_session_whose_process_dies_is_over_and_its_client_is_told(run: Run, world: World) -> None:
    async with agent(run.url, world.token("mcp-users", sub="u-dead"), Era.HANDSHAKE) as client:
        found = _PID.search(text_of(await client.call_tool("get_name", {})))
        assert found
        os.kill(int(found[1]), signal.SIGKILL)
        with pytest.raises(Exception, match=r"Session terminated|process has ended"):
            await client.call_tool("get_name", {})


async def test_the_server_sees_what_was_named_and_nothing_else_of_our_environment(run: Run, world: World) -> None:
    async with agent(run.url, world.token("mcp-users"), Era.HANDSHAKE) as client:
        for variable, value in (("FOR_THE_SERVER", "told"), ("SECRET_OF_OURS", "(not set)")):
            assert text_of(await client.call_tool("get_variable", {"variable": variable})) == value


def test_nobody_else_on_the_machine_uses_the_server_around_the_gateway(run: Run) -> None:
    found = re.search(r"reverse proxy to http://127\.0\.0\.1:(\d+)", run.log())
    assert found
    for secret in (None, "Bearer guess"):
        connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=PATIENCE_S)
        headers = {"content-type": "application/json"} | ({"authorization": secret} if secret else {})
        connection.request("POST", "/mcp", b'{"jsonrpc":"2.0","id":1,"method":"initialize"}', headers)
        assert connection.getresponse().status == 401
        connection.close()


def test_run_ends_in_order_and_takes_every_process_with_it(world: World, tmp_path: Path) -> None:
    running = Run(world, tmp_path, "--env", f"PYTHONPATH={ROOT}").ready()

    async def use() -> int:
        async with agent(running.url, world.token("mcp-users"), Era.STATELESS) as client:
            found = _PID.search(text_of(await client.call_tool("get_name", {})))
            assert found
            return int(found[1])

    try:
        pid = asyncio.run(use())
        assert _runs(pid)
    finally:
        ended = running.stop()
    assert ended == 0
    assert not _runs(pid)
    assert running.records("ledger.stop")
