"""The client of the second Python SDK, `mcp` 2.x, in either era."""

import asyncio
from typing import Any

from mcp.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from tests.clients.drivers import steps


async def main() -> None:
    order = steps.order()
    headers = {"Authorization": f"Bearer {order['token']}"}
    if order["transport"] == "sse":
        await talk(order, Client(sse_client(order["url"], headers=headers), mode=order["era"]))
        return
    async with create_mcp_http_client(headers=headers) as http:
        await talk(order, Client(streamable_http_client(order["url"], http_client=http), mode=order["era"]))


async def talk(order: dict[str, Any], connecting: Client) -> None:
    async with connecting as client:
        server = client.server_info
        steps.say({"version": client.protocol_version, "server": server.name if server else ""})

        async def lister() -> list[str]:
            return [tool.name for tool in (await client.list_tools()).tools]

        async def caller(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
            return (await client.call_tool(name, arguments)).model_dump(mode="json", by_alias=True)

        await steps.take(order["steps"], lister, caller)


asyncio.run(main())
