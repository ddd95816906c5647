"""Several servers behind one gate: the path decides, and nothing of one server counts at another."""

import dataclasses

import pytest
from tests.gate.works import Works, result, said, token, tool

from holdfast import jsontext
from holdfast.exchange import Answer, Head, Peer, Request, Upstream
from holdfast.passage import Admission
from holdfast.policy.names import Names, Reading
from holdfast.policy.scope import Who
from holdfast.policy.servers import Kind, Server
from holdfast.streams import EventStream

CRM = Server(
    "crm",
    Upstream("crm", 3000, tls=False),
    {"/crm/mcp": "/mcp", "/crm/sse": "/sse"},
    credential=("authorization", "Bearer crm"),
)
DOCS = Server(
    "docs",
    Upstream("docs.example", 443, tls=True),
    {"/docs/mcp": "/docs/mcp"},
    credential=("x-api-key", "docs-key"),
    callers=Who(groups=Names.of(["writers"], Reading.NARROW)),
)
MODELS = Server("models", Upstream("models", 80, tls=False), {"/v1/messages": "/v1/messages"}, kind=Kind.LLM)
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
INITIALIZED = {"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": "2025-11-25", "capabilities": {}}}


@pytest.fixture
def works(works: Works) -> Works:
    return works.with_servers(CRM, DOCS, MODELS)


def writer(works: Works) -> str:
    return token(works.clock, groups=("mcp-users", "writers"))


async def asked(works: Works, path: str, message: object, *headers: tuple[str, str]) -> Admission | Answer:
    return await works.gate.admit(works.post(message, *headers, who=writer(works), path=path), works.screen)


async def admitted(works: Works, path: str, message: object, *headers: tuple[str, str]) -> Admission:
    admission = await asked(works, path, message, *headers)
    assert isinstance(admission, Admission), admission
    return admission


async def open_session(works: Works, path: str, session: str) -> None:
    admission = await admitted(works, path, INITIALIZE)
    answer = await works.release(admission, INITIALIZED, ("mcp-session-id", session))
    assert answer.status == 200


async def test_the_path_decides_where_a_call_goes_and_with_which_credential(works: Works) -> None:
    crm = (await admitted(works, "/crm/mcp", tool("get_customer"))).outgoing
    docs = (await admitted(works, "/docs/mcp", tool("get_customer"))).outgoing
    assert (crm.upstream, crm.path, dict(crm.headers)["host"]) == (CRM.upstream, "/mcp", "crm:3000")
    assert (docs.upstream, docs.path, dict(docs.headers)["host"]) == (DOCS.upstream, "/docs/mcp", "docs.example")
    assert dict(crm.headers)["authorization"] == "Bearer crm"
    assert dict(docs.headers)["x-api-key"] == "docs-key"
    assert "authorization" not in dict(docs.headers)
    assert "x-api-key" not in dict(crm.headers)
    assert [record["dst"] for record in works.records()] == [
        {"server": "crm", "host": "crm:3000", "path": "/crm/mcp"},
        {"server": "docs", "host": "docs.example", "path": "/docs/mcp"},
    ]


async def test_no_header_of_a_client_leads_elsewhere(works: Works) -> None:
    elsewhere = (("x-forwarded-host", "docs.example"), ("forwarded", "host=docs.example"), ("x-api-key", "mine"))
    admission = await admitted(works, "/crm/mcp", tool("get_customer"), *elsewhere)
    assert admission.outgoing.upstream == CRM.upstream
    assert dict(admission.outgoing.headers)["host"] == "crm:3000"
    assert "x-api-key" not in dict(admission.outgoing.headers)
    refused = await asked(works, "/crm/mcp", tool("get_customer"), ("host", "docs.example"))
    assert isinstance(refused, Answer)
    assert refused.status == 403


@pytest.mark.parametrize("path", ["/mcp", "/crm", "/crm/mcp/", "/crm/../docs/mcp", "/docs/mcp/x"])
async def test_a_path_of_no_server_is_refused_and_its_record_names_none(works: Works, path: str) -> None:
    answer = await asked(works, path, tool("get_customer"))
    assert isinstance(answer, Answer)
    assert answer.status == 404
    (record,) = works.records()
    assert (record["cause"], "dst" in record) == ("not_found", False)


async def test_a_caller_who_may_not_use_a_server_is_refused_by_rule(works: Works) -> None:
    answer = await works.gate.admit(works.post(tool("get_customer"), path="/docs/mcp"), works.screen)
    assert "this server is not for this caller. Rule: docs" in said(answer)
    assert isinstance(answer, Answer)
    assert answer.status == 200
    (record,) = works.records()
    assert (record["typ"], record["cause"], record["rule"]) == ("refused", "denied_by_rule", "docs")
    assert isinstance(
        await works.gate.admit(works.post(tool("get_customer"), path="/crm/mcp"), works.screen), Admission
    )


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_caller_who_may_not_use_a_server_gets_no_stream_of_it(works: Works, method: str) -> None:
    headers = (("accept", "text/event-stream"), ("authorization", f"Bearer {token(works.clock)}"))
    answer = await works.gate.admit(Request(method, "/docs/mcp", headers, b"", Peer("192.0.2.1", 1)), works.screen)
    assert isinstance(answer, Answer)
    assert answer.status == 403
    assert works.types() == ["refused"]


async def test_a_session_of_one_server_is_none_at_another(works: Works) -> None:
    await open_session(works, "/crm/mcp", "s-1")
    answer = await asked(works, "/docs/mcp", tool("get_customer"), ("mcp-session-id", "s-1"))
    assert isinstance(answer, Answer)
    assert answer.status == 404
    await admitted(works, "/crm/mcp", tool("get_customer"), ("mcp-session-id", "s-1"))


async def test_two_servers_that_give_out_one_session_id_do_not_meet(works: Works) -> None:
    await open_session(works, "/crm/mcp", "s-1")
    await open_session(works, "/docs/mcp", "s-1")
    crm = await admitted(works, "/crm/mcp", tool("get_customer", 7), ("mcp-session-id", "s-1"))
    docs = await admitted(works, "/docs/mcp", tool("get_customer", 7), ("mcp-session-id", "s-1"))
    for admission in (docs, crm):
        assert (await works.release(admission, result("done", 7))).status == 200
    assert len({str(record["sid"]) for record in works.records() if record["typ"] == "session.opened"}) == 2


async def test_what_one_server_says_of_a_tool_is_nothing_about_another_server(works: Works) -> None:
    listing = await admitted(works, "/crm/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    tools = [{"name": "get_customer", "annotations": {"readOnlyHint": True}}]
    await works.release(listing, {"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}})
    catalogs = works.stations.catalogs
    assert catalogs.of("crm").annotations("get_customer") is not None
    assert catalogs.of("docs").annotations("get_customer") is None


async def test_a_server_that_announces_an_address_is_asked_there_by_its_own_clients_only(works: Works) -> None:
    headers = (("accept", "text/event-stream"), ("authorization", f"Bearer {writer(works)}"))
    admission = await works.gate.admit(Request("GET", "/crm/sse", headers, b"", Peer("192.0.2.1", 1)), works.screen)
    assert isinstance(admission, Admission)
    assert admission.outgoing.path == "/sse"
    stream = EventStream(works.gate, admission, works.screen)
    out = await stream.release([b"event: endpoint\ndata: /docs/mcp?session_id=abc\n\n"])
    assert out == b"event: endpoint\ndata: /crm/sse?session_id=abc\n\n"
    call = await admitted(works, "/crm/sse?session_id=abc", tool("get_customer"))
    assert (call.outgoing.upstream, call.outgoing.path) == (CRM.upstream, "/docs/mcp?session_id=abc")
    answer = await asked(works, "/docs/mcp?session_id=abc", tool("get_customer"))
    assert isinstance(answer, Answer)
    assert answer.status == 404


async def test_each_endpoint_has_metadata_of_its_own(works: Works) -> None:
    for path, status in (("/crm/mcp", 200), ("/docs/mcp", 200), ("", 200), ("/mcp", 404)):
        target = f"/.well-known/oauth-protected-resource{path}"
        answer = await works.gate.admit(Request("GET", target, (), b"", Peer("192.0.2.1", 1)), works.screen)
        assert isinstance(answer, Answer)
        assert answer.status == status
        if status == 200:
            document = jsontext.parse(answer.body)
            assert isinstance(document, dict)
            assert document["resource"] == f"http://gw.example.com{path}"


async def test_a_caller_without_a_credential_is_shown_the_metadata_of_the_endpoint(works: Works) -> None:
    request = Request("POST", "/crm/mcp", (("content-type", "application/json"),), b"{}", Peer("192.0.2.1", 1))
    answer = await works.gate.admit(request, works.screen)
    assert isinstance(answer, Answer)
    assert "/.well-known/oauth-protected-resource/crm/mcp" in dict(answer.headers)["www-authenticate"]
    assert works.records()[0]["dst"] == {"server": "crm", "host": "crm:3000", "path": "/crm/mcp"}


async def test_what_is_said_to_an_mcp_server_is_nothing_for_an_llm_api(works: Works) -> None:
    answer = await asked(works, "/v1/messages", tool("get_customer"))
    assert isinstance(answer, Answer)
    assert answer.status == 403
    assert works.types() == ["refused"]


async def test_a_server_may_be_told_who_asks_by_a_digest_that_is_no_name(works: Works) -> None:
    told = dataclasses.replace(CRM, caller_header="x-holdfast-caller")
    other = dataclasses.replace(DOCS, caller_header="x-holdfast-caller", callers=Who())
    works.with_servers(told, other)
    ann, bob = (token(works.clock, sub=sub) for sub in ("ann", "bob"))
    asked = [("/crm/mcp", ann), ("/crm/mcp", ann), ("/crm/mcp", bob), ("/docs/mcp", ann)]
    said = []
    for path, who in asked:
        request = works.post(tool("get_customer"), ("x-holdfast-caller", "forged"), who=who, path=path)
        admission = await works.gate.admit(request, works.screen)
        assert isinstance(admission, Admission)
        said += [value for name, value in admission.outgoing.headers if name == "x-holdfast-caller"]
    assert len(said) == 4
    assert said[0] == said[1]
    assert len({*said}) == 3
    assert not any("ann" in value or "forged" in value for value in said)


async def test_a_reply_is_masked_and_written_for_the_server_that_was_asked(works: Works) -> None:
    admission = await admitted(works, "/docs/mcp", tool("get_customer"))
    answer = await works.gate.release(
        admission, Head(200, (("content-type", "application/json"),)), jsontext.wire(result("done")), works.screen
    )
    assert answer.status == 200
    reply = works.records()[-1]
    assert (reply["typ"], reply["dst"]) == ("reply", {"server": "docs", "host": "docs.example", "path": "/docs/mcp"})
