"""The headers that a client of the modern era sends with every message."""

from typing import Any, Final

VERSION: Final = "2026-07-28"
META: Final[dict[str, Any]] = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientInfo": {"name": "tests", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
_NAMES: Final = ("name", "uri", "taskId")


def standard_headers(message: object, given: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """What MCP 2026-07-28 requires beside ``message`` and is not among ``given``; nothing for another era."""
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(params, dict):
        return ()
    version = params.get("_meta", {}).get("io.modelcontextprotocol/protocolVersion")
    if version != VERSION:
        return ()
    name = next((params[member] for member in _NAMES if member in params), None)
    headers = [("mcp-protocol-version", VERSION), ("mcp-method", str(message.get("method")))]
    headers += [("mcp-name", str(name))] if name is not None else []
    stated = {key.lower() for key, _ in given}
    return tuple(pair for pair in headers if pair[0] not in stated)
