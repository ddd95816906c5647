"""AI agents of the demo: the MCP SDK's own client with a bearer token, in either era of the protocol."""

import contextlib
import enum
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Implementation, LoggingMessageNotificationParams, TextContent

TIMEOUT: Final = httpx2.Timeout(30, read=120)


class Era(enum.Enum):
    """How a client negotiates; the value is what the SDK calls it."""

    HANDSHAKE = "legacy"
    STATELESS = "auto"  # the SDK's default: it asks `server/discover` first, and finds 2026-07-28

    @property
    def version(self) -> str:
        """The protocol version that a client of this era ends up with."""
        return "2025-11-25" if self is Era.HANDSHAKE else "2026-07-28"


class Heard:
    """What an agent was told while its call ran, with the seconds since the call began."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.events: list[tuple[float, str]] = []

    def restart(self) -> None:
        """Count the seconds from now."""
        self._began = time.monotonic()
        self.events.clear()

    def hear(self, text: str) -> None:
        """Note one event."""
        self.events.append((time.monotonic() - self._began, text))

    async def on_log(self, params: LoggingMessageNotificationParams) -> None:
        """Take a log message, as the SDK hands it over."""
        self.hear(f"log: {params.data}")

    async def on_progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Take a progress notification, as the SDK hands it over."""
        self.hear(f"progress {progress:g}/{total or 0:g}: {message}")

    def seconds(self) -> float:
        """Seconds since the call began."""
        return time.monotonic() - self._began


@contextlib.asynccontextmanager
async def agent(url: str, token: str, era: Era, heard: Heard | None = None) -> AsyncIterator[Client]:
    """An SDK client that presents ``token`` with every request."""
    ear = heard or Heard()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=TIMEOUT, trust_env=False) as http,
        Client(
            streamable_http_client(url, http_client=http),
            mode=era.value,
            log_level="info",
            logging_callback=ear.on_log,
            client_info=Implementation(name="demo-agent", version="1.0"),
        ) as client,
    ):
        yield client


def text_of(result: CallToolResult) -> str:
    """The text parts of a result, joined."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def post(url: str, body: dict[str, Any], token: str | None) -> httpx2.Response:
    """One JSON-RPC request over plain HTTP, to see the status and headers that the SDK hides."""
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with httpx2.Client(timeout=TIMEOUT, trust_env=False) as http:
        return http.post(url, json=body, headers=headers)


def tool_call(name: str, arguments: dict[str, Any], *, id_: int = 1) -> dict[str, Any]:
    """The JSON-RPC body of a ``tools/call``."""
    return {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
