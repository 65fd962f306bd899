"""The official Python client logs in at the development issuer, with nothing but the URL of the host.

`python login.py URL USER` prints what it saw as one JSON object. A function presses the user's button on the page.
"""

import asyncio
import json
import re
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

CALLBACK = "http://127.0.0.1:49152/callback"


class Storage:
    """What a client keeps between its requests."""

    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def press(page, user):
    """Opens the login page and presses a button; returns the fields of the redirect."""
    async with httpx2.AsyncClient() as browser:
        opened = await browser.get(page)
        request = re.search(r'name="request" value="([^"]*)"', opened.text)[1]
        scopes = re.findall(r'name="scope" value="([^"]*)"', opened.text)
        form = {"request": request, "scope": scopes, "user": user}
        answer = await browser.post(opened.url.join("/authorize"), data=form)
    fields = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in fields.items()}


async def main(url, user):
    pages = []

    async def redirect(page):
        pages.append(page)

    async def callback():
        fields = await press(pages[-1], user)
        return AuthorizationCodeResult(code=fields["code"], state=fields.get("state"), iss=fields.get("iss"))

    metadata = OAuthClientMetadata(client_name="Bailiwick story", redirect_uris=[CALLBACK])
    login = OAuthClientProvider(url, metadata, Storage(), redirect_handler=redirect, callback_handler=callback)
    async with httpx2.AsyncClient(auth=login) as http:
        async with Client(streamable_http_client(url, http_client=http), mode="auto") as client:
            tools = await client.list_tools()
            whoami = await client.call_tool("whoami", {})
            seen = {
                "tools": [tool.name for tool in tools.tools],
                "whoami": whoami.model_dump(mode="json", by_alias=True, exclude_none=True),
            }
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
