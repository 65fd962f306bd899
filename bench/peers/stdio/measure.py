"""Measures an MCP server that speaks over standard input and output, one call after another.

    python3 measure.py PROGRAM ARGUMENT...

The server needs a tool `echo` that takes `message` and returns it. Prints p50, p99 and the server's
processor time for each call.
"""

import json
import os
import subprocess
import sys
import time

MESSAGE = "the quick brown fox jumps over the lazy dog"
CALLS = 3000
WARM_UP = 300


class Server:
    def __init__(self, command):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        )
        self.asked = 0

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": params})
        while True:
            answer = json.loads(self.process.stdout.readline())
            if answer.get("id") == self.asked:
                return answer["result"]

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def echo(self):
        result = self.ask("tools/call", {"name": "echo", "arguments": {"message": MESSAGE}})
        if MESSAGE not in json.dumps(result):
            sys.exit(f"not an echo: {result}")


def main():
    server = Server(sys.argv[1:])
    client = {"name": "measure", "version": "1"}
    about = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": client}
    server.ask("initialize", about)
    server.send({"method": "notifications/initialized"})
    for _ in range(WARM_UP):
        server.echo()
    before, times = server.processor_seconds(), []
    for _ in range(CALLS):
        began = time.perf_counter()
        server.echo()
        times.append(time.perf_counter() - began)
    times.sort()
    cpu = (server.processor_seconds() - before) / CALLS
    figures = {"p50": times[CALLS // 2], "p99": times[CALLS * 99 // 100], "processor time": cpu}
    print(", ".join(f"{name} {1e6 * figure:.0f} µs" for name, figure in figures.items()))
    server.process.kill()


if __name__ == "__main__":
    main()
