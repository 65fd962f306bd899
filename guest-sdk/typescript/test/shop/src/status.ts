import { tool } from "bailiwick-sdk";
import * as z from "zod";

export const Order = z.object({ id: z.string(), status: z.string() });

export const getOrderStatus = tool(
  {
    name: "get_order_status",
    title: "Order status",
    description: "Says where an order is.",
    input: z.object({ orderId: z.string().min(1), times: z.int().default(1) }),
    output: Order.extend({ askedBy: z.string() }),
    scopes: ["orders:read"],
    services: ["orders_api"],
    readOnly: true,
    icons: ["https://shop.example/icon.svg"],
  },
  ({ identity, input, services }) => {
    const found = services.orders_api.get(["orders", input.orderId]).json(Order);
    return { ...found, askedBy: identity.actor.sub };
  },
);
