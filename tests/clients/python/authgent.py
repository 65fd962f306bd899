"""Starts the authorization server `authgent` on a free port of loopback and prints its URL.

`python authgent.py FOLDER` keeps its database in the folder and serves until it is ended.
"""

import os
import secrets
import socket
import sys
from pathlib import Path

announce, sys.stdout = sys.stdout, sys.stderr  # what it logs is not what the caller waits for
listener = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{listener.getsockname()[1]}"
os.chdir(Path(sys.argv[1]))
os.environ.update(AUTHGENT_SERVER_URL=url, AUTHGENT_SECRET_KEY=secrets.token_hex(32))

import uvicorn  # noqa: E402 (the settings above are read on import)
from authgent_server import db  # noqa: E402
from authgent_server.app import create_app  # noqa: E402
from sqlalchemy import NullPool  # noqa: E402
from sqlalchemy.ext.asyncio import create_async_engine  # noqa: E402

# With SQLite all its requests share one connection, and the end of one request rolls back what another is reading.
db._engine = create_async_engine("sqlite+aiosqlite:///authgent.db", poolclass=NullPool)


class Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(url, file=announce, flush=True)


Server(uvicorn.Config(create_app, factory=True, log_level="warning")).run(sockets=[listener])
