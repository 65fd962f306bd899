/** Functions that a model calls. */

import type { About, Nothing } from "./about.js";
import type { ToolContext } from "./context.js";
import type { AnyResult, Output } from "./output.js";
import type { Questions } from "./questions.js";
import type { InferInput, InferOutput, Schema } from "./standard.js";

/** What a tool says about itself. */
export interface ToolDefinition<
  Names extends string,
  In extends Schema,
  Out extends Schema,
> extends About<Names> {
  /** What the model reads. */
  readonly description: string;
  /** The arguments, an object. A tool without it takes none. */
  readonly input?: In;
  /** The structured result, an object. The result has only what it names. */
  readonly output?: Out;
  /** Changes nothing. */
  readonly readOnly?: boolean;
  /** May destroy something. */
  readonly destructive?: boolean;
  /** Another call with the same arguments changes nothing more. */
  readonly idempotent?: boolean;
  /** Reaches beyond the services of this host. */
  readonly openWorld?: boolean;
}

/** A tool. */
export interface Tool<In extends Schema = Schema, Out extends Schema = Schema> {
  readonly kind: "tool";
  readonly definition: ToolDefinition<string, In, Out>;
  /** Runs the function. In tests, use `Scene.call`. */
  run(context: ToolContext<InferOutput<In>>): unknown;
}

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
export function tool<
  const Names extends string = never,
  In extends Schema = Nothing,
  Out extends Schema = Schema<AnyResult>,
>(
  definition: ToolDefinition<Names, In, Out>,
  run: (context: ToolContext<InferOutput<In>, Names>) => InferInput<Out> | Output | Questions,
): Tool<In, Out> {
  return { kind: "tool", definition, run };
}
