"""The demo's MCP server does what it says for the SDK's client, in both eras, without a gateway."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts.demo_world import agent
from scripts.demo_world.agent import Era, Heard, text_of
from scripts.demo_world.people import CUSTOMERS
from scripts.demo_world.processes import listening_socket, running

pytestmark = [pytest.mark.live, pytest.mark.parametrize("era", list(Era))]


class Server:
    def __init__(self, url: str, executed_path: Path) -> None:
        self.url = url
        self._executed_path = executed_path

    def executed(self) -> list[str]:
        lines = self._executed_path.read_text("utf-8").splitlines() if self._executed_path.exists() else []
        return [json.loads(line)["tool"] for line in lines]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with listening_socket() as listener:
        fd = listener.fileno()
        argv = [sys.executable, "-m", "scripts.demo_world.customer_server", "--fd", str(fd)]
        paths = ["--database", str(folder / "customers.db"), "--executed", str(folder / "executed.jsonl")]
        with running("server", argv + paths, folder / "server.log", fds=[fd]):
            yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", folder / "executed.jsonl")


async def test_a_customer_is_read_with_all_details(server: Server, era: Era) -> None:
    async with agent.agent(server.url, "", era) as client:
        result = await client.call_tool("get_customer", {"customer_id": "C-1001"})
        assert client.protocol_version == era.version
    assert all(value in text_of(result) for value in CUSTOMERS[0].raw_values())


async def test_a_stream_tells_about_each_customer_before_it_ends(server: Server, era: Era) -> None:
    heard = Heard()
    async with agent.agent(server.url, "", era, heard) as client:
        heard.restart()
        await client.call_tool("recalculate_scores", {}, progress_callback=heard.on_progress)
        ended_s = heard.seconds()
    arrived_s = [at_s for at_s, _ in heard.events]
    assert len(arrived_s) == 2 * len(CUSTOMERS)
    assert arrived_s[0] < ended_s / 2
    assert any("SSN 219-09-9999" in text for _, text in heard.events)


async def test_searching_and_exporting_find_the_customers(server: Server, era: Era) -> None:
    async with agent.agent(server.url, "", era) as client:
        found = await client.call_tool("search_customers", {"text": "SE"})
        exported = await client.call_tool("export_customers", {"purpose": "audit"})
    assert "Mara Lindqvist" in text_of(found)
    assert text_of(exported).count("@example.com") >= len(CUSTOMERS)


async def test_what_was_executed_is_on_file(server: Server, era: Era) -> None:
    before = len(server.executed())
    async with agent.agent(server.url, "", era) as client:
        await client.call_tool("purge_logs", {"before": "2026-01-01"})
        gone = await client.call_tool("delete_customer", {"customer_id": "C-9", "reason": "no such customer"})
    assert text_of(gone).startswith("0 customer")
    assert server.executed()[before:] == ["purge_logs", "delete_customer"]


async def test_tools_say_how_dangerous_they_are(server: Server, era: Era) -> None:
    async with agent.agent(server.url, "", era) as client:
        tools = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    assert len(tools) == 6
    deleting, reading = tools["delete_customer"], tools["get_customer"]
    assert deleting
    assert deleting.destructive_hint
    assert reading
    assert reading.read_only_hint
