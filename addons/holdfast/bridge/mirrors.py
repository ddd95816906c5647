"""The headers with which a request of MCP 2026-07-28 repeats its body, for clients that know of no headers."""

from typing import Final

from holdfast.bridge.message import member
from holdfast.call import META_VERSION
from holdfast.jsontext import Json, JsonObject
from holdfast.wireheaders import encode

NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ANNOTATION: Final = "x-mcp-header"  # MCP 2026-07-28, basic/transports, custom headers
_DEPTH_MAX: Final = 16
_TOOLS_MAX: Final = 5_000

type Path = tuple[str, ...]


class Mirrors:
    """Makes the headers of a request; learns from `tools/list` which arguments have one."""

    def __init__(self) -> None:
        self._of_tool: dict[str, dict[Path, str]] = {}

    def learn(self, message: JsonObject) -> None:
        """Take in the schemas, where ``message`` is the reply to a `tools/list`."""
        tools = member(message, "result", "tools")
        for tool in tools if isinstance(tools, list) else []:
            name = tool.get("name") if isinstance(tool, dict) else None
            if isinstance(tool, dict) and isinstance(name, str) and len(self._of_tool) < _TOOLS_MAX:
                self._of_tool[name] = dict(_annotated(tool.get("inputSchema"), ()))

    def headers(self, message: JsonObject) -> list[tuple[str, str]]:
        """The headers that repeat a request or notification of the modern era."""
        version, method = member(message, "params", "_meta", META_VERSION), message.get("method")
        if not isinstance(version, str) or not isinstance(method, str):
            return []
        headers = [("mcp-protocol-version", version), ("mcp-method", method)]
        name = member(message, "params", NAMED[method]) if method in NAMED else None
        if isinstance(name, str):
            headers.append(("mcp-name", encode(name)))
        if method == "tools/call" and isinstance(name, str):
            for path, token in self._of_tool.get(name, {}).items():
                text = _text(member(message, "params", "arguments", *path))
                headers += [] if text is None else [(f"mcp-param-{token.lower()}", encode(text))]
        return headers


def _annotated(schema: Json, path: Path) -> list[tuple[Path, str]]:
    """Where in the arguments a value has a header, and its name: only what `properties` lead to, one below another."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or len(path) >= _DEPTH_MAX:
        return []
    found: list[tuple[Path, str]] = []
    for name, inner in properties.items():
        token = inner.get(_ANNOTATION) if isinstance(inner, dict) else None
        found += [((*path, name), token)] if isinstance(token, str) else []
        found += _annotated(inner, (*path, name))
    return found


def _text(value: Json) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
