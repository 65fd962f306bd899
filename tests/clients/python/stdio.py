"""The official Python client starts a host and speaks to it over standard streams.

`python stdio.py BAILIWICK CONFIG MODE`, with the token in the environment; prints what it saw as one JSON object.
"""

import asyncio
import json
import os
import sys

from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.client.stdio import stdio_client


async def main(command, config, mode):
    env = {"BAILIWICK_TOKEN": os.environ["BAILIWICK_TOKEN"]}
    server = StdioServerParameters(command=command, args=["serve", "--stdio", "--config", config], env=env)
    async with Client(stdio_client(server), mode=mode) as client:
        tools = await client.list_tools()
        whoami = await client.call_tool("whoami", {})
        try:
            refused = (await client.call_tool("no_such_tool", {})).model_dump_json()
        except Exception as error:
            refused = str(error)
        seen = {
            "protocol": client.protocol_version,
            "tools": [tool.name for tool in tools.tools],
            "whoami": whoami.model_dump(mode="json", by_alias=True, exclude_none=True),
            "refused": refused,
        }
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
