import { component, tool } from "bailiwick-sdk";
import * as z from "zod";

// What the service answers. What it does not name is left out of the tool's result.
const Order = z.object({
  id: z.string(),
  status: z.string().describe("Such as `shipped`."),
});

export const getOrderStatus = tool(
  {
    name: "get_order_status",
    // The model reads this, and the descriptions of the arguments.
    description: "Says where one of the user's orders is.",
    // What a caller can send. There is no user here: nobody can ask as another.
    input: z.object({
      orderId: z.string().min(1).describe("The order's number, such as `A-1001`."),
    }),
    output: Order.extend({ askedBy: z.string() }),
    // The caller's token must have these scopes, and the operator grants the services.
    scopes: ["orders:read"],
    services: ["orders_api"],
    readOnly: true,
  },
  // The host says for whom a call runs, and makes the requests with that user's authority.
  ({ identity, input, services }) => {
    const order = services.orders_api.get(["orders", input.orderId]).json(Order);
    return { ...order, askedBy: identity.actor.sub };
  },
);

// What the component offers: tools, and also `resources` and `prompts`.
export default component({ tools: [getOrderStatus] });
