"""A server on FastMCP: sessions before 2026-07-28, and each request alone since then.

`python remote.py`; prints its address, and ends with its standard input.
"""

import base64
import json
import os
import socket
import sys
import threading

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_http_headers

server = FastMCP("vendor")


@server.tool
def echo(message: str) -> str:
    """Returns the message."""
    return f"Echo: {message}"


@server.tool(annotations={"readOnlyHint": True})
def whose_call() -> str:
    """Says whose call this is."""
    claims = get_http_headers(include_all=True)["authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "==="))["sub"]


def until_stdin_closes() -> None:
    sys.stdin.read()
    os._exit(0)


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=until_stdin_closes, daemon=True).start()
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
uvicorn.Server(uvicorn.Config(server.http_app(path="/mcp"), log_level="error")).run(sockets=[listener])
