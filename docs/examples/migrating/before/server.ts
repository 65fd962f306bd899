// An MCP server with a key: whoever asks, the service sees the owner of the key.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import * as z from "zod";

const key = process.env["ORDERS_API_KEY"];
if (!key) {
  throw new Error("ORDERS_API_KEY is not set");
}

const server = new McpServer({ name: "shop", version: "1.0.0" });

server.registerTool(
  "order_status",
  {
    description: "Says where an order is.",
    inputSchema: { orderId: z.string().min(1).describe("The order's number.") },
    outputSchema: { id: z.string(), status: z.string() },
    annotations: { readOnlyHint: true },
  },
  async ({ orderId }) => {
    const url = `https://orders.example.com/v1/orders/${encodeURIComponent(orderId)}`;
    const answer = await fetch(url, { headers: { "X-Api-Key": key } });
    if (!answer.ok) {
      const text = `the service says ${answer.status}`;
      return { isError: true, content: [{ type: "text", text }] };
    }
    const { id, status } = (await answer.json()) as { id: string; status: string };
    const order = { id, status };
    return { content: [{ type: "text", text: JSON.stringify(order) }], structuredContent: order };
  },
);

await server.connect(new StdioServerTransport());
