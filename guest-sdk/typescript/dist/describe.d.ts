/**
 * The definitions as the interface has them, made once, while the component is built.
 *
 * Invariant: a wrong definition fails here, with the names of the thing and the field.
 */
import type { Component } from "./component.js";
import { type Fallback } from "./schema.js";
import type { facets, prompts, resources, tools } from "./wit.js";
/** What the exports `describe` return. */
export interface Described {
    readonly tools: tools.Definition[];
    readonly resources: resources.Definition[];
    readonly prompts: prompts.Definition[];
    readonly facets: [facets.Subject, [string, string][]][];
    /** True if a prompt or a family suggests values. */
    readonly completes: boolean;
}
/** Definitions are wrong; the message has a line for each fault. */
export declare class DefinitionError extends Error {
    readonly faults: readonly string[];
    readonly name = "DefinitionError";
    constructor(faults: readonly string[]);
}
/** Returns the definitions. Throws a {@link DefinitionError} with all faults. */
export declare function describe(component: Component, fallback?: Fallback): Described;
