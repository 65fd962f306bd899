"""The tool `echo` on FastMCP, stateless, answers as JSON, no protection, no log of requests."""

import os
import socket
import sys
import threading

import uvicorn
from fastmcp import FastMCP
from pydantic import BaseModel

mcp = FastMCP("fastmcp")


class Said(BaseModel):
    message: str


@mcp.tool
def echo(message: str) -> Said:
    """Returns the message."""
    return Said(message=message)


def until_stdin_closes() -> None:
    """Ends with the bench, which holds the other end."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    # With its protocol, or asyncio does not set TCP_NODELAY on connections.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    app = mcp.http_app(path="/mcp", stateless_http=True, json_response=True)
    threading.Thread(target=until_stdin_closes, daemon=True).start()
    port = listener.getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}/mcp", file=sys.stderr, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


main()
