"""Another product for the resource-server suite: FastMCP with its JWTVerifier.

    ISSUER_KEY=key.pem ISSUER=http://127.0.0.1:8701 PORT=8702 python fastmcp_server.py
Serves the issuer's metadata and key set at ISSUER, and one tool, which needs the scope orders:read.
Needs fastmcp and what mint.py needs. run_fastmcp.sh runs all of it.
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.parse

from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider, require_scopes
from fastmcp.server.auth.providers.jwt import JWTVerifier

ISSUER = os.environ["ISSUER"]
PORT = int(os.environ["PORT"])
ORIGIN = f"http://127.0.0.1:{PORT}"
MINT = pathlib.Path(__file__).with_name("mint.py")
SCOPE = "orders:read"


class Issuer(http.server.BaseHTTPRequestHandler):
    documents = {}

    def do_GET(self):
        document = self.documents.get(self.path)
        body = json.dumps(document or {}).encode()
        self.send_response(200 if document else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    keys = subprocess.run([sys.executable, MINT, "--jwks"], check=True, capture_output=True)
    Issuer.documents = {
        "/.well-known/oauth-authorization-server": {
            "issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks", "response_types_supported": ["code"],
            "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token",
        },
        "/jwks": json.loads(keys.stdout),
    }
    port = urllib.parse.urlsplit(ISSUER).port
    issuer = http.server.ThreadingHTTPServer(("127.0.0.1", port), Issuer)
    threading.Thread(target=issuer.serve_forever, daemon=True).start()

    verifier = JWTVerifier(
        jwks_uri=f"{ISSUER}/jwks", issuer=ISSUER, audience=f"{ORIGIN}/mcp", algorithm="ES256")
    auth = RemoteAuthProvider(
        token_verifier=verifier, authorization_servers=[ISSUER], base_url=ORIGIN)
    server = FastMCP("orders", auth=auth)

    @server.tool(auth=require_scopes(SCOPE))
    def get_order_status(order_id: str) -> str:
        return f"{order_id}: shipped"

    server.run(transport="http", host="127.0.0.1", port=PORT, show_banner=False)


main()
