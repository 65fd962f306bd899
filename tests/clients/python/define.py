"""The official Python client meets the definitions of tests/vectors: it lists the tools and calls each.

`python define.py URL [MODE]`, with the bearer token in the environment; prints what each call came to.
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url, mode="auto"):
    headers = {"authorization": f"Bearer {os.environ['BAILIWICK_TOKEN']}"}
    seen = {}
    async with httpx2.AsyncClient(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            for tool in (await client.list_tools()).tools:
                try:
                    result = await client.call_tool(tool.name, {})
                    seen[tool.name] = {"structured": result.structured_content, "error": bool(result.is_error)}
                except Exception as error:
                    seen[tool.name] = {"failed": repr(error)}
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
