"""The client of `fastmcp`, in either era."""

import asyncio
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from tests.clients.drivers import steps


async def main() -> None:
    order = steps.order()
    transport = SSETransport if order["transport"] == "sse" else StreamableHttpTransport
    async with Client(transport(order["url"], auth=order["token"]), mode=order["era"]) as client:
        steps.say({"version": client.session.protocol_version, "server": client.session.server_info.name})

        async def lister() -> list[str]:
            return [tool.name for tool in await client.list_tools()]

        async def caller(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
            result: dict[str, Any] = (await client.call_tool_mcp(name, arguments)).model_dump(
                mode="json", by_alias=True
            )
            return result

        await steps.take(order["steps"], lister, caller)


asyncio.run(main())
