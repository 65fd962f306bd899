#!/bin/sh
# Runs the suite against FastMCP, in a folder of its own:
#     tests/resource-server/run_fastmcp.sh SUITE FOLDER [VERSION]
# SUITE is the program resource-server-suite; the report is FOLDER/report.json.
set -eu
suite=$1 folder=$2 version=${3:-4.2.3}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
python=$folder/venv/bin/python
[ -x "$python" ] || python3 -m venv "$folder/venv"
"$python" -m pip install --quiet "fastmcp==$version" 'pyjwt[crypto]'
export ISSUER=http://127.0.0.1:8701 ISSUER_KEY="$folder/key.pem" PORT=8702
"$python" "$here/mint.py" --new-key >"$ISSUER_KEY"
"$python" "$here/fastmcp_server.py" 2>"$folder/server.log" &
server=$!
trap 'kill $server' EXIT
# The issuer publishes before the server listens.
until "$python" -c "import socket; socket.create_connection(('127.0.0.1', $PORT))" 2>/dev/null; do
    kill -0 $server
    sleep 0.2
done
"$suite" --url "http://127.0.0.1:$PORT/mcp" --mint "'$python' '$here/mint.py'" \
    --scopes orders:read --tool get_order_status --arguments '{"order_id": "A-1001"}' \
    --json "$folder/report.json"
