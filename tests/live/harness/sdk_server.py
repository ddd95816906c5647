"""A real MCP server made with the SDK, which lets nobody in but those who show its credential.

Over HTTP or HTTPS on a socket that it inherits (``python -m tests.live.harness.sdk_server --fd N ...``), or over stdio.
It says its own name, what it was shown, and what its client answers when it asks.
"""

import argparse
import os
import socket
import warnings
from typing import Any, Final

import uvicorn
from mcp import MCPDeprecationWarning
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OK: Final = 200


class Color(BaseModel):
    """What the server asks its client's user."""

    color: str


def build(name: str) -> MCPServer:
    """The server with its tools, which the shipped rules let users call."""
    server = MCPServer(name, version="1.0", log_level="WARNING")

    @server.tool()
    def get_name() -> str:
        """Which server this is, and in which process."""
        return f"{name} in process {os.getpid()}"

    @server.tool()
    def get_variable(variable: str) -> str:
        """What the server's environment has under a name."""
        return os.environ.get(variable, "(not set)")

    @server.tool()
    async def get_steps(ctx: Context[Any, Any]) -> str:
        """Report progress twice, then answer."""
        for step in (1, 2):
            await ctx.report_progress(step, 2, f"step {step}")
        return "two steps"

    @server.tool()
    async def get_color(ctx: Context[Any, Any]) -> str:
        """Ask the client's user something in the middle of a call."""
        asked = await ctx.elicit("Which color?", Color)
        return asked.data.color if asked.action == "accept" else asked.action

    return server


class Guarded:
    """The app, for whoever sends the right header; everybody else is told 401."""

    def __init__(self, app: ASGIApp, header: str, value: str) -> None:
        self._app = app
        self._header = header
        self._value = value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and Request(scope).headers.get(self._header) != self._value:
            await PlainTextResponse("who are you?", 401)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def main() -> None:
    """Serve until the process is told to end, or stdin does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--fd", type=int, help="a listening socket, inherited; stdio without it")
    parser.add_argument("--header", default="authorization")
    parser.add_argument("--value", default="")
    parser.add_argument("--certificate", help="PEM with key and certificate: https")
    options = parser.parse_args()
    # MCP 2026-07-28 deprecates what servers of today do.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    server = build(options.name)
    if options.fd is None:
        server.run("stdio")
        return
    app = Guarded(server.streamable_http_app(), options.header, options.value)
    config = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=1,
        ssl_certfile=options.certificate,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=options.fd)])


if __name__ == "__main__":
    main()
