"""Where the parts of an MCP message stand, and which of them the protocol itself reads.

Data is scanned, and masked in what travels. Protocol fields are scanned too, but masked only in what is kept: a masked
tool name, cursor or URI would break the call. Sources: the MCP schemas 2024-11-05 to 2026-07-28.
The messages of LLM APIs are in ``llm_shapes.py``.
"""

from collections.abc import Mapping
from typing import Final

from holdfast.masking.llm_shapes import LLM_SHAPES
from holdfast.masking.shape import Mode, Shape, protocol

_P: Final = Mode.PROTOCOL
_D: Final = Mode.DATA


_CONTENT: Final = {
    **protocol("type mimeType uri size id toolUseId isError"),
    "annotations": "annotations",
    "data": Mode.BLOB,
    "resource": "resource",
    "content": "content",
    "_meta": "meta",
}

SHAPES: Final[Mapping[str, Shape]] = {
    **LLM_SHAPES,
    "params": Shape(
        {
            **protocol(
                "name uri cursor protocolVersion capabilities level logger progressToken requestId taskId ref "
                "modelPreferences toolChoice includeContext mode url elicitationId requestState status ttl "
                "pollInterval createdAt lastUpdatedAt notifications"
            ),
            "_meta": "meta",
            "argument": "argument",
            "clientInfo": "implementation",
            "messages": "message",
            "tools": "tool",
            "requestedSchema": Mode.SCHEMA,
            "task": "task",
            "inputResponses": "results",
        }
    ),
    "result": Shape(
        {
            **protocol(
                "nextCursor protocolVersion capabilities isError resultType requestState role model stopReason action "
                "taskId status ttl pollInterval createdAt lastUpdatedAt supportedVersions"
            ),
            "_meta": "meta",
            "content": "content",
            "contents": "resource",
            "messages": "message",
            "tools": "tool",
            "resources": "resource",
            "resourceTemplates": "resource",
            "prompts": "prompt",
            "serverInfo": "implementation",
            "roots": "root",
            "task": "task",
            "tasks": "task",
            "inputRequests": "calls",
        }
    ),
    "error": Shape(protocol("code")),
    "calls": Shape(each="call"),
    "call": Shape({"method": _P, "params": "params"}),
    "results": Shape(each="result"),
    "meta": Shape(
        {
            **protocol(
                "progressToken traceparent tracestate io.modelcontextprotocol/protocolVersion "
                "io.modelcontextprotocol/clientCapabilities io.modelcontextprotocol/logLevel "
                "io.modelcontextprotocol/subscriptionId io.modelcontextprotocol/related-task"
            ),
            "io.modelcontextprotocol/clientInfo": "implementation",
            "io.modelcontextprotocol/serverInfo": "implementation",
        }
    ),
    "content": Shape(
        _CONTENT, frozenset({"text", "image", "audio", "resource", "resource_link", "tool_result", "thinking"})
    ),
    "tool_use": Shape({**protocol("type name id"), "_meta": "meta"}, frozenset({"tool_use"})),
    "resource": Shape(
        {
            **protocol("uri uriTemplate mimeType size"),
            "annotations": "annotations",
            "blob": Mode.BLOB,
            "_meta": "meta",
        },
    ),
    "annotations": Shape(
        protocol("audience priority lastModified readOnlyHint destructiveHint idempotentHint openWorldHint")
    ),
    "message": Shape({**protocol("role"), "content": "content"}),
    "tool": Shape(
        {
            **protocol("name execution icons"),
            "annotations": "annotations",
            "inputSchema": Mode.SCHEMA,
            "outputSchema": Mode.SCHEMA,
            "_meta": "meta",
        }
    ),
    "prompt": Shape({**protocol("name icons"), "arguments": "argument", "_meta": "meta"}),
    "argument": Shape(protocol("name required")),
    "implementation": Shape(protocol("name version icons websiteUrl")),
    "root": Shape(protocol("uri")),
    "task": Shape(protocol("taskId status ttl pollInterval createdAt lastUpdatedAt")),
}

# Members of a JSON Schema that are prose or sample data; every other value is structure.
SCHEMA_DATA: Final = frozenset({"title", "description", "$comment", "default", "examples", "example"})
# Members whose own member names are free: names of properties, which are no schema keywords.
SCHEMA_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


def shape_of(name: str, value: Mapping[str, object]) -> Shape | None:
    """The shape ``name`` as it applies to ``value``; None where the value does not say it is one, and so is data."""
    kind = value.get("type")
    if name == "content" and kind == "tool_use":
        return SHAPES["tool_use"]
    shape = SHAPES[name]
    return None if shape.types is not None and kind not in shape.types else shape
