"""Each client with real servers behind a real gateway: lists, calls, masks, a refusal that it survives, the Records."""

from typing import Any, NamedTuple

import pytest
from tests.clients.conftest import STDIO, Scene
from tests.clients.matrix import CLIENTS, Client, talking
from tests.live.harness.world import SAID_BY_SERVER, in_parallel

pytestmark = pytest.mark.live

MASK = "************1881"
LIST = {"do": "list"}
NAMES = [client.name for client in CLIENTS]
# `everything` speaks no version of the modern era, so that a client says the same in both.
ONCE = [name for name in NAMES if not name.endswith(("-handshake", "-modern"))]
EVERYTHING = ("/everything/mcp", "/everything/sse")


def call(name: str, **arguments: object) -> dict[str, Any]:
    return {"do": "call", "name": name, "arguments": arguments}


CUSTOMERS = [
    LIST,
    call("get_customer", customer_id="C-1"),
    call("search_customers", customer_id="C-1", note=SAID_BY_SERVER),
    call("purge_customers", customer_id="C-1"),
    call("get_customer", customer_id="C-2"),
]
ECHOES = [LIST, call("echo", message=f"paid with {SAID_BY_SERVER}"), call("get-env"), call("echo", message="I live")]


class Said(NamedTuple):
    """What one client said of one server, and as whom it asked."""

    agreed: dict[str, Any]
    lines: list[dict[str, Any]]
    sub: str
    errors: str


@pytest.fixture(scope="module")
def said(town: Scene) -> dict[tuple[str, str], Said]:
    """Everything that every client says, by name and path; a few talk at a time."""
    talks = [(client, "/customers/mcp", CUSTOMERS) for client in CLIENTS]
    talks += [(client, path, ECHOES) for client in CLIENTS for path in EVERYTHING if client.name in ONCE]

    def talk(one: tuple[Client, str, list[dict[str, Any]]]) -> tuple[tuple[str, str], Said]:
        client, path, steps = one
        sub = f"{client.name}{path}"
        with talking(client, town.url(path), town.world.token("mcp-users", sub=sub), steps, town.folder) as talk:
            agreed, *lines = talk.ended()
            return (client.name, path), Said(agreed, lines, sub, talk.errors())

    return dict(in_parallel(talk, talks, 2))


def judged(town: Scene, sub: str) -> list[tuple[str, str, str]]:
    """The decisions about the calls of ``sub``, as the ledger has them: typ, effect or rule, tool."""
    return [
        (one["typ"], one["dec"]["effect"] if one["typ"] == "call" else one["rule"], one["mcp"]["name"])
        for one in town.gateway.records()
        if one["typ"] in ("call", "refused") and one["who"]["sub"] == sub and one["rpc"]["method"] == "tools/call"
    ]


def asks_for_the_hidden(name: str) -> bool:
    """Inspector looks a tool up in the list first, and does not ask for one that the list hides from its Caller."""
    return not name.startswith("inspector")


def was_refused(name: str, line: dict[str, Any]) -> bool:
    if asks_for_the_hidden(name):
        return bool(line["error"]) and "Rule: dangerous-tools" in line["text"]
    return "tool_not_found" in line["raised"]


@pytest.mark.parametrize("name", NAMES)
def test_a_client_lists_calls_is_masked_refused_and_lives(
    name: str, said: dict[tuple[str, str], Said], town: Scene
) -> None:
    one = said[name, "/customers/mcp"]
    listed, got, searched, purged, again = one.lines
    assert listed["tools"] == ["get_customer", "search_customers", "delete_customer", "remove_customer"], one
    assert got["text"] == f"customer C-1 paid with {MASK}"
    assert searched["text"] == f"searched C-1 for {MASK}"
    assert was_refused(name, purged)
    assert again["text"] == f"customer C-2 paid with {MASK}"
    assert judged(town, one.sub) == [
        ("call", "allow", "get_customer"),
        ("call", "allow", "search_customers"),
        *([("refused", "dangerous-tools", "purge_customers")] if asks_for_the_hidden(name) else []),
        ("call", "allow", "get_customer"),
    ]


@pytest.mark.parametrize("path", EVERYTHING)
@pytest.mark.parametrize("name", ONCE)
def test_a_client_and_the_everything_server_understand_each_other(
    name: str, path: str, said: dict[tuple[str, str], Said], town: Scene
) -> None:
    one = said[name, path]
    listed, masked, refused, again = one.lines
    assert "echo" in listed["tools"], one
    assert "get-env" not in listed["tools"]
    assert masked["text"] == f"Echo: paid with {MASK}"
    assert was_refused(name, refused)
    assert again["text"] == "Echo: I live"
    assert judged(town, one.sub) == [
        ("call", "allow", "echo"),
        *([("refused", "dangerous-tools", "get-env")] if asks_for_the_hidden(name) else []),
        ("call", "allow", "echo"),
    ]


ONE_CALL = {
    "filesystem": ("read_text_file", {"path": "{folder}/customer.txt"}),
    "memory": ("read_graph", {}),
    "git": ("git_log", {"repo_path": "{folder}/repository"}),
    "sqlite": ("read_query", {"query": "SELECT note FROM customers"}),
    "time": ("convert_time", {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}),
}


@pytest.mark.parametrize("server", STDIO)
def test_a_server_that_speaks_stdio_answers_behind_a_bridge(server: str, town: Scene) -> None:
    name, wanted = ONE_CALL[server]
    arguments = {key: value.format(folder=town.folder) for key, value in wanted.items()}
    token = town.world.token("mcp-users", "mcp-admins", sub=f"reader-of-{server}")
    (client,) = (one for one in CLIENTS if one.name == "python-2")
    with talking(client, town.url(f"/{server}/mcp"), token, [LIST, call(name, **arguments)], town.folder) as talk:
        _, listed, answered = talk.ended()
    assert name in listed["tools"], talk.errors()
    assert not answered["error"], answered
    assert ("21:00" if server == "time" else f"paid with {MASK}") in answered["text"]
    assert judged(town, f"reader-of-{server}") == [("call", "allow", name)]


def test_every_client_agreed_on_the_version_that_it_was_meant_to(said: dict[tuple[str, str], Said]) -> None:
    agreed = {name: said[name, "/customers/mcp"].agreed["version"] for name in NAMES if "inspector" not in name}
    modern = {"python-2", "fastmcp", "typescript-2"}
    assert agreed == {name: "2026-07-28" if name in modern else "2025-11-25" for name in agreed}


def test_inspector_asked_in_both_eras(said: dict[tuple[str, str], Said], town: Scene) -> None:
    for name, version in (("inspector", "2025-11-25"), ("inspector-modern", "2026-07-28")):
        sub = said[name, "/customers/mcp"].sub
        asked = [one for one in town.gateway.records("call") if one["who"]["sub"] == sub and one["mcp"].get("name")]
        assert {one["mcp"]["version"] for one in asked} == {version}


def test_no_card_number_went_past_the_gateway_or_was_kept(said: dict[tuple[str, str], Said], town: Scene) -> None:
    heard = repr(said) + repr(town.customers.lines()) + town.gateway.log()
    kept = [path for path in (town.folder / "gateway").rglob("*") if path.is_file()] + [town.folder / "flows.mitm"]
    for raw in (SAID_BY_SERVER, SAID_BY_SERVER.replace(" ", "")):
        assert raw not in heard
        assert [path.name for path in kept if raw.encode() in path.read_bytes()] == []
