"""`restore: caller`, live: real clients, mitmdump and a real server that tells a mail address and takes one."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from scripts.demo_world.agent import Era, agent, text_of
from scripts.demo_world.processes import Child, child_environment, listening_socket
from tests.live.harness.contacts_server import ADDRESS, NUMBER
from tests.live.harness.gateway import Gateway
from tests.live.harness.world import World

pytestmark = pytest.mark.live

CHANGES = {
    "  - entity: EMAIL_ADDRESS\n    operator: pseudonym\n": (
        "  - entity: EMAIL_ADDRESS\n    operator: pseudonym\n    restore: caller\n"
    ),
    "  - entity: CREDIT_CARD\n    operator: keep_last\n    keep: 4\n": (
        "  - entity: CREDIT_CARD\n    operator: pseudonym\n    restore: caller\n    forward: to_client\n"
    ),
}


@pytest.fixture(scope="module")
def gateway(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("restoring")
    shutil.copytree(world.rules, folder / "rules")
    rules = folder / "rules" / "masking.yaml"
    text = rules.read_text("utf-8")
    for before, after in CHANGES.items():
        assert before in text
        text = text.replace(before, after)
    rules.write_text(text, "utf-8")
    with listening_socket() as listener, (folder / "server.log").open("wb") as log:
        fd, port = listener.fileno(), int(listener.getsockname()[1])
        argv = [sys.executable, "-m", "tests.live.harness.contacts_server", "--fd", str(fd)]
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[fd], env=child_environment({})
        )
    server = Child("contacts", process, folder / "server.log")
    flows = ["-w", str(folder / "gateway.mitm")]
    gateway = Gateway(World(folder, world.key), port, folder / "gateway", options=flows)
    try:
        yield gateway.ready()
    finally:
        gateway.kill()
        server.stop()


def digest(address: str, query: str = "", card: int = 0) -> str:
    return hashlib.sha256(f"{address}|{query}|{card}".encode()).hexdigest()


def written(gateway: Gateway) -> bytes:
    folder = gateway.data.parents[1]
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("era", Era)
async def test_a_masked_argument_works_and_no_value_is_seen_or_kept(gateway: Gateway, world: World, era: Era) -> None:
    token = world.token("mcp-users", sub=f"u-{era.name}")
    async with agent(f"http://127.0.0.1:{gateway.port}/mcp", token, era) as client:
        note = text_of(await client.call_tool("get_note", {"name": "Bob"}))
        assert ADDRESS not in note
        mask = note.removeprefix("Bob reads ").removesuffix(" daily")
        assert mask.startswith("<EMAIL_ADDRESS_")
        query = json.dumps({"from": mask})
        said = text_of(await client.call_tool("get_mailbox", {"address": mask, "query": query}))
        assert said == digest(ADDRESS, json.dumps({"from": ADDRESS}))
    async with agent(f"http://127.0.0.1:{gateway.port}/mcp", world.token("mcp-users", sub="u-eve"), era) as client:
        said = text_of(await client.call_tool("get_mailbox", {"address": mask}))
        assert said == digest(mask)
    assert ADDRESS.encode() not in written(gateway)


@pytest.mark.parametrize("era", Era)
async def test_structured_content_satisfies_its_schema_and_comes_back(gateway: Gateway, world: World, era: Era) -> None:
    token = world.token("mcp-users", sub=f"u-form-{era.name}")
    async with agent(f"http://127.0.0.1:{gateway.port}/mcp", token, era) as client:
        await client.list_tools()
        # The SDK raises where the content does not satisfy the schema that the list showed.
        told = (await client.call_tool("get_contact", {"name": "Bob"})).structured_content
        assert told is not None
        assert str(told["email"]).endswith("@masked.example")
        assert told["card"] != NUMBER
        assert told["card"] > 10**15
        said = text_of(await client.call_tool("get_mailbox", {"address": told["email"], "card": told["card"]}))
        assert said == digest(ADDRESS, card=NUMBER)
    calls = [record["mask"].get("restored") for record in gateway.records("call")]
    assert {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1} in calls
    assert str(NUMBER).encode() not in written(gateway)
