"""The official Python client as it was in 2025: lists the tools and calls two.

`python client.py URL ORDER`, with the bearer token in the environment; prints what it saw as one JSON object. With
`define` in place of an order, it calls each tool and prints what each call came to.
"""

import asyncio
import json
import os
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(url, order):
    headers = {"authorization": f"Bearer {os.environ['BAILIWICK_TOKEN']}"}
    async with streamablehttp_client(url, headers=headers) as (incoming, outgoing, _):
        async with ClientSession(incoming, outgoing) as client:
            about = await client.initialize()
            tools = await client.list_tools()
            if order == "define":
                seen = {tool.name: await define(client, tool.name) for tool in tools.tools}
            else:
                whoami = await client.call_tool("whoami", {})
                status = await client.call_tool("get_order_status", {"order_id": order})
                seen = {
                    "protocol": about.protocolVersion,
                    "tools": [tool.name for tool in tools.tools],
                    "whoami": wire(whoami),
                    "status": wire(status),
                }
    print(json.dumps(seen))


async def define(client, name):
    try:
        result = await client.call_tool(name, {})
    except Exception as error:
        return {"failed": repr(error)}
    return {"structured": result.structuredContent, "error": bool(result.isError)}


def wire(result):
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


asyncio.run(main(*sys.argv[1:]))
