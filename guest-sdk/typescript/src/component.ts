/** All that a component offers. */

import type { Prompt } from "./prompt.js";
import type { Resource } from "./resource.js";
import type { Tool } from "./tool.js";

/** The parts of a component. */
export interface Component {
  readonly tools: readonly Tool[];
  readonly resources: readonly Resource[];
  readonly prompts: readonly Prompt[];
}

/**
 * Makes a component. The entry module exports it as its default:
 * `export default component({ tools: [getOrderStatus] });`
 */
export function component(parts: {
  readonly tools?: readonly Pick<Tool, "kind">[];
  readonly resources?: readonly Pick<Resource, "kind">[];
  readonly prompts?: readonly Pick<Prompt, "kind">[];
}): Component {
  return {
    tools: (parts.tools ?? []) as readonly Tool[],
    resources: (parts.resources ?? []) as readonly Resource[],
    prompts: (parts.prompts ?? []) as readonly Prompt[],
  };
}
