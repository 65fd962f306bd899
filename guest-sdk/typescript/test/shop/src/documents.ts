import { content, Contents, prompt, resource, user } from "bailiwick-sdk";
import * as z from "zod";

export const terms = resource(
  { uri: "shop://terms", name: "terms", description: "The terms.", mimeType: "text/markdown" },
  () => "# Terms",
);

export const order = resource(
  {
    uri: "shop://orders/{id}",
    name: "order",
    description: "One of the caller's orders.",
    scopes: ["orders:read"],
    services: ["orders_api"],
    members: () => numbers().map((id) => ({ variables: { id }, name: `order ${id}` })),
    complete: { id: (_call, asked) => asked.matching(numbers()) },
  },
  ({ input, services }) => Contents.json(services.orders_api.get(["orders", input.id]).json()),
);

export const complain = prompt(
  {
    name: "complain",
    description: "Helps to write to the shop about an order.",
    input: z.object({
      order: z.string().describe("The order's number."),
      days: z.number().optional().describe("For how long you wait."),
    }),
    complete: { order: (_call, asked) => asked.matching(numbers()) },
  },
  ({ input }) => [
    user(content.link(order.uriOf({ id: input.order }), "the order")),
    user(`Write to the shop. I have waited ${(input.days ?? 0) * 24} hours.`),
  ],
);

function numbers(): string[] {
  return ["A-1001", "A-1002", "A-2001"];
}
