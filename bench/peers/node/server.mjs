// The tool `echo` on the TypeScript SDK, stateless, answers as JSON, no protection. As the SDK's
// own example of a stateless server, without Express and its log.

import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { z } from "zod";

const message = { message: z.string() };

/** Makes the server of one request: a stateless transport cannot be used again. */
function echo() {
  const server = new McpServer({ name: "typescript", version: "1" });
  server.registerTool(
    "echo",
    { description: "Returns the message.", inputSchema: message, outputSchema: message },
    ({ message }) => ({
      content: [{ type: "text", text: JSON.stringify({ message }) }],
      structuredContent: { message },
    }),
  );
  return server;
}

const http = createServer(async (request, response) => {
  const server = echo();
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: undefined,
    enableJsonResponse: true,
  });
  response.on("close", () => {
    transport.close();
    server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response);
});

http.listen(0, "127.0.0.1", () => {
  console.error(`listening on http://127.0.0.1:${http.address().port}/mcp`);
});

// The bench holds the other end, so this process does not outlive it.
process.stdin.on("end", () => process.exit()).resume();
