"""The client of the first Python SDK, `mcp` 1.x."""

import asyncio
from typing import Any

from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from tests.clients.drivers import steps


async def main() -> None:
    order = steps.order()
    headers = {"Authorization": f"Bearer {order['token']}"}
    if order["transport"] == "sse":
        async with sse_client(order["url"], headers=headers) as streams:
            await talk(order, streams)
        return
    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(order["url"], http_client=http) as streams,
    ):
        await talk(order, streams)


async def talk(order: dict[str, Any], streams: Any) -> None:
    async with ClientSession(streams[0], streams[1]) as session:
        begun: Any = await session.initialize()
        steps.say({"version": begun.protocolVersion, "server": begun.serverInfo.name})

        async def lister() -> list[str]:
            return [tool.name for tool in (await session.list_tools()).tools]

        async def caller(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
            return (await session.call_tool(name, arguments)).model_dump(mode="json", by_alias=True)

        await steps.take(order["steps"], lister, caller)


asyncio.run(main())
