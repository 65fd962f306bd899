"""FastMCP's client logs in at the development issuer as its users let it: `auth="oauth"`.

`python login.py URL USER` prints what it saw as one JSON object. In place of a browser, a thread presses the user's
button and goes where the answer leads.
"""

import asyncio
import json
import re
import sys
import threading
import time
import webbrowser

import httpx2
from fastmcp import Client


def press(page, user):
    """Opens the login page, presses a button, and follows the redirect once the client listens."""
    with httpx2.Client() as browser:
        opened = browser.get(page)
        request = re.search(r'name="request" value="([^"]*)"', opened.text)[1]
        scopes = re.findall(r'name="scope" value="([^"]*)"', opened.text)
        form = {"request": request, "scope": scopes, "user": user}
        answer = browser.post(opened.url.join("/authorize"), data=form)
        while True:
            try:
                return browser.get(answer.headers["location"])
            except httpx2.ConnectError:
                time.sleep(0.05)


async def main(url, user):
    webbrowser.open = lambda page, *_: threading.Thread(target=press, args=(page, user), daemon=True).start()
    async with Client(url, auth="oauth") as client:
        tools = await client.list_tools()
        whoami = await client.call_tool("whoami", {})
    seen = {
        "tools": [tool.name for tool in tools],
        "whoami": {"structuredContent": whoami.structured_content},
    }
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
