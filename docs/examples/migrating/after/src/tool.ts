import { component, tool } from "bailiwick-sdk";
import * as z from "zod";

const Order = z.object({ id: z.string(), status: z.string() });

export const orderStatus = tool(
  {
    name: "order_status",
    description: "Says where an order is.",
    input: z.object({ orderId: z.string().min(1).describe("The order's number.") }),
    output: Order,
    scopes: ["orders:read"],
    services: ["orders_api"],
    readOnly: true,
  },
  ({ input, services }) => services.orders_api.get(["orders", input.orderId]).json(Order),
);

export default component({ tools: [orderStatus] });
