// A component without an SDK, for QuickJS and StarlingMonkey.
import { send } from "bailiwick:tool/downstream@0.2.0";
import { actor } from "bailiwick:tool/identity@0.2.0";

export const tools = {
  describe: () => [{
    name: "order_status",
    description: "Says with which status the service answers for an order.",
    inputSchema: '{"type":"object","properties":{"id":{"type":"string"}},"required":["id"],"additionalProperties":false}',
    annotations: { readOnly: true },
    scopes: ["orders:read"],
    services: ["orders_api"],
  }],

  call(tool, { input }) {
    const path = ["orders", JSON.parse(input).id].map((val) => ({ tag: "text", val }));
    const request = { service: "orders_api", method: "GET", path, query: [], headers: [], body: new Uint8Array() };
    const text = `${actor().sub}: ${send(request).status}`;
    return { tag: "complete", val: { content: [{ tag: "text", val: { text } }], isError: false } };
  },
};

export const prompts = {
  describe: () => [{
    name: "complain",
    description: "Helps to write to the shop about an order.",
    arguments: [{ name: "order", description: "The order's number.", required: true }],
    scopes: [],
    services: [],
  }],

  get(name, { input }) {
    const text = `Write to the shop about order ${JSON.parse(input).order}.`;
    return { tag: "complete", val: { messages: [{ role: "user", content: { tag: "text", val: { text } } }] } };
  },
};
