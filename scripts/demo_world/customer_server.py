"""A small MCP server as a company would run it: customers in SQLite, and tools from harmless to ruinous.

It knows nothing of any gateway. Every call that it really executes is appended to a file, so that a demo can prove that
a refused call never came this far. Start it with ``python -m scripts.demo_world.customer_server``; it serves the socket
that it inherits as a file descriptor.
"""

import argparse
import asyncio
import csv
import dataclasses
import io
import json
import socket
import sqlite3
import warnings
from pathlib import Path
from typing import Annotated, Any, Final

import uvicorn
from mcp import MCPDeprecationWarning
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import Field
from scripts.demo_world.people import CUSTOMERS, Customer

ROWS_MAX: Final = 100  # a search answers with a page
STREAM_PAUSE_S: Final = 0.4  # between two customers, so that a reader sees events arrive one by one

_COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Customer))

type CustomerId = Annotated[str, Field(description="For example C-1001")]


class Store:
    """The customers table and the file of executed calls."""

    def __init__(self, database: Path, executed: Path) -> None:
        self._db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._executed = executed
        self._db.execute(f"CREATE TABLE IF NOT EXISTS customers ({', '.join(_COLUMNS)}, PRIMARY KEY (customer_id))")
        marks = ", ".join("?" * len(_COLUMNS))
        rows = [dataclasses.astuple(customer) for customer in CUSTOMERS]
        self._db.executemany(f"INSERT OR IGNORE INTO customers VALUES ({marks})", rows)  # noqa: S608 -- question marks

    def note(self, tool: str, **details: object) -> None:
        """Append one executed call."""
        with self._executed.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"tool": tool, **details}, ensure_ascii=False) + "\n")

    def one(self, customer_id: str) -> dict[str, Any]:
        """The customer's row.

        Raises:
            ToolError: there is none.
        """
        row = self._db.execute("SELECT * FROM customers WHERE customer_id = ?", (customer_id,)).fetchone()
        if row is None:
            raise ToolError(f"no customer {customer_id}")
        return dict(row)

    def matching(self, text: str) -> list[dict[str, Any]]:
        """The customers whose name, country or note contains ``text``."""
        like = f"%{text}%"
        query = "SELECT * FROM customers WHERE name LIKE ? OR country LIKE ? OR note LIKE ? ORDER BY 1 LIMIT ?"
        return [dict(row) for row in self._db.execute(query, (like, like, like, ROWS_MAX))]

    def delete(self, customer_id: str) -> int:
        """Delete a customer; how many rows went."""
        return self._db.execute("DELETE FROM customers WHERE customer_id = ?", (customer_id,)).rowcount


def build(store: Store) -> MCPServer:
    """The server with its six tools."""
    server = MCPServer("customers", title="Customer records", version="1.4.0", log_level="WARNING")
    _add_reading(server, store)
    _add_changing(server, store)
    _add_streaming(server, store)
    return server


def _add_reading(server: MCPServer, store: Store) -> None:
    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def get_customer(customer_id: CustomerId) -> dict[str, Any]:
        """One customer with all details."""
        store.note("get_customer", customer_id=customer_id)
        return store.one(customer_id)

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def search_customers(text: str) -> list[dict[str, Any]]:
        """Customers whose name, country or note contains a text."""
        store.note("search_customers")
        return store.matching(text)

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=True))
    def export_customers(purpose: str) -> str:
        """Every customer as CSV."""
        store.note("export_customers")
        out = io.StringIO()
        writer = csv.DictWriter(out, _COLUMNS)
        writer.writeheader()
        writer.writerows(store.matching(""))
        return f"# exported for: {purpose}\n{out.getvalue()}"


def _add_changing(server: MCPServer, store: Store) -> None:
    @server.tool(annotations=ToolAnnotations(destructive_hint=True))
    def delete_customer(customer_id: CustomerId, reason: str) -> str:
        """Delete a customer for good."""
        store.note("delete_customer", customer_id=customer_id, reason_chars=len(reason))
        return f"{store.delete(customer_id)} customer deleted: {customer_id}"

    @server.tool(annotations=ToolAnnotations(destructive_hint=True))
    def purge_logs(before: str) -> str:
        """Delete the server's logs older than a date."""
        store.note("purge_logs")
        return f"logs before {before} purged"


def _add_streaming(server: MCPServer, store: Store) -> None:
    @server.tool(annotations=ToolAnnotations(idempotent_hint=True, destructive_hint=False))
    async def recalculate_scores(ctx: Context[Any, Any]) -> str:
        """Recalculate every score; tells about each customer while it works."""
        store.note("recalculate_scores")
        rows = store.matching("")
        for done, row in enumerate(rows, 1):
            await ctx.report_progress(done, len(rows), f"{row['name']} <{row['email']}> done")
            await ctx.info({"customer": row["customer_id"], "checked": f"SSN {row['ssn']}, card {row['card']}"})
            await asyncio.sleep(STREAM_PAUSE_S)
        return f"{len(rows)} scores recalculated, the last for {rows[-1]['email']}"


def main() -> None:
    """Serve until the process is told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="a listening socket, inherited")
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--executed", type=Path, required=True, help="file to which every executed call is appended")
    options = parser.parse_args()
    # MCP 2026-07-28 deprecates log messages; servers of today send them, so this one does.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    app = build(Store(options.database, options.executed)).streamable_http_app()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    server.run(sockets=[socket.socket(fileno=options.fd)])


if __name__ == "__main__":
    main()
