/** Functions that a model calls. */
/**
 * Makes a tool of a definition and a function. The function gets the identity of the call and the
 * checked arguments, and returns a result, or {@link Questions}. It is called in a fresh instance.
 *
 * ```ts
 * export const getOrderStatus = tool(
 *   {
 *     name: "get_order_status",
 *     description: "Says where an order is.",
 *     input: z.object({ orderId: z.string() }),
 *     output: z.object({ id: z.string(), status: z.string() }),
 *     scopes: ["orders:read"],
 *     services: ["orders_api"],
 *     readOnly: true,
 *   },
 *   ({ input, services }) => services.orders_api.get(["orders", input.orderId]).json(Order),
 * );
 * ```
 */
export function tool(definition, run) {
    return { kind: "tool", definition, run };
}
