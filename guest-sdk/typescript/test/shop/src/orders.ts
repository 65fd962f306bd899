import { accepted, Questions, tool } from "bailiwick-sdk";
import * as z from "zod";

const Sure = z.object({
  sure: z.boolean().describe("Whether to cancel the order."),
  why: z.enum(["late", "dear"]).optional(),
});

export const cancelOrder = tool(
  {
    name: "cancel_order",
    description: "Cancels an order, if the user is sure.",
    input: z.object({ orderId: z.string() }),
    destructive: true,
  },
  ({ input, answers }) => {
    const answer = answers.form("sure", Sure);
    if (answer === undefined) {
      return new Questions().form("sure", `Cancel the order ${input.orderId} for ever?`, Sure);
    }
    return accepted(answer).sure ? "cancelled" : "the order stays";
  },
);

export const deleteOrders = tool(
  {
    name: "delete_orders",
    description: "Fails in the way that is asked for.",
    input: z.object({
      how: z.enum(["throw", "not-granted"]),
    }),
    services: ["orders_api"],
  },
  ({ input, services }) => {
    if (input.how === "not-granted") {
      services.orders_api.delete(["orders"]);
    }
    return firstOf([]);
  },
);

function firstOf(orders: string[]): string {
  return orders[0]!.toUpperCase();
}
