"""The official Python client: lists the tools and calls two.

`python client.py URL ORDER [MODE]`, with the bearer token in the environment; prints what it saw as one JSON object.
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url, order, mode="auto"):
    headers = {"authorization": f"Bearer {os.environ['BAILIWICK_TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            tools = await client.list_tools()
            whoami = await client.call_tool("whoami", {})
            status = await client.call_tool("get_order_status", {"order_id": order})
            seen = {
                "protocol": client.protocol_version,
                "tools": [tool.name for tool in tools.tools],
                "whoami": wire(whoami),
                "status": wire(status),
            }
    print(json.dumps(seen))


def wire(result):
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


asyncio.run(main(*sys.argv[1:]))
