"""The headers that repeat the body of a request: what MCP 2026-07-28 wants of a client over HTTP."""

from holdfast.bridge.mirrors import Mirrors
from holdfast.jsontext import JsonObject

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


def request(method: str, **params: object) -> JsonObject:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": META, **params}}  # type: ignore[dict-item] # JSON


def test_a_request_repeats_its_version_method_and_name() -> None:
    mirrors = Mirrors()
    assert mirrors.headers(request("tools/call", name="get")) == [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "get"),
    ]
    assert mirrors.headers(request("resources/read", uri="file:///ü"))[2] == ("mcp-name", "=?base64?ZmlsZTovLy/DvA==?=")
    assert len(mirrors.headers(request("tools/list"))) == 2


def test_a_request_of_the_handshake_era_repeats_nothing() -> None:
    assert Mirrors().headers({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get"}}) == []


def test_an_argument_whose_schema_says_so_is_repeated() -> None:
    mirrors = Mirrors()
    inner = {"properties": {"id": {"type": "integer", "x-mcp-header": "Tenant"}}}
    schema = {"properties": {"flag": {"type": "boolean", "x-mcp-header": "Flag"}, "who": inner, "note": {}}}
    listed: JsonObject = {"id": 1, "result": {"tools": [{"name": "get", "inputSchema": schema}, 3, {"name": 4}]}}  # type: ignore[dict-item] # JSON
    mirrors.learn(listed)
    arguments = {"flag": True, "who": {"id": 7}, "note": "x"}
    assert mirrors.headers(request("tools/call", name="get", arguments=arguments))[3:] == [
        ("mcp-param-flag", "true"),
        ("mcp-param-tenant", "7"),
    ]
    assert mirrors.headers(request("tools/call", name="get", arguments={"who": 3}))[3:] == []
    assert mirrors.headers(request("tools/call", name="other", arguments=arguments))[3:] == []
