"""The official Python client: answers the questions of a tool, round by round.

`python answer.py URL`, with the bearer token in the environment; prints what it saw as one JSON object.
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

asked = []


async def answer(context, params):
    asked.append(params.message)
    if "sure" in params.requested_schema["properties"]:
        return ElicitResult(action="accept", content={"sure": True})
    return ElicitResult(action="accept", content={"nights": 3, "board": "Full", "note": "a cot"})


async def main(url):
    headers = {"authorization": f"Bearer {os.environ['BAILIWICK_TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode="auto", elicitation_callback=answer) as client:
            booked = await client.call_tool("book", {"room": 7})
    print(json.dumps({"asked": asked, "text": booked.content[0].text}))


asyncio.run(main(*sys.argv[1:]))
