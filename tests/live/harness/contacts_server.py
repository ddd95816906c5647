"""A real MCP server made with the SDK that tells a mail address, and takes one: ``--fd N``, a listening socket."""

import argparse
import hashlib
import socket
import warnings
from typing import Annotated, Final

import uvicorn
from mcp import MCPDeprecationWarning
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

ADDRESS: Final = "bob.live@example.com"
NUMBER: Final = 4012888888881881


class Contact(BaseModel):
    """What the server knows of somebody; clients check it against this schema."""

    email: Annotated[str, Field(json_schema_extra={"format": "email", "pattern": "^[^<>]+@[^<>]+$"})]
    card: Annotated[int, Field(gt=10**15)]


def build() -> MCPServer:
    """The server with its tools, which the shipped rules let users call."""
    server = MCPServer("contacts", version="1.0", log_level="WARNING")

    @server.tool()
    def get_contact(name: str) -> Contact:
        """The mail address and card of somebody."""
        return Contact(email=ADDRESS, card=NUMBER)

    @server.tool()
    def get_note(name: str) -> str:
        """A note about somebody."""
        return f"{name} reads {ADDRESS} daily"

    @server.tool()
    def get_mailbox(address: str, query: str = "", card: int = 0) -> str:
        """What is in a mailbox: here, a digest of what was asked."""
        return hashlib.sha256(f"{address}|{query}|{card}".encode()).hexdigest()

    return server


def main() -> None:
    """Serve until the process is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    config = uvicorn.Config(build().streamable_http_app(), log_level="warning", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=options.fd)])


if __name__ == "__main__":
    main()
