/**
 * Values that arrive as texts: the arguments of prompts and the variables of families.
 *
 * Invariant: numbers and booleans are read from texts that say just that; anything else stays a
 * text, which the schema checks.
 */
import type { Schema } from "./standard.js";
/** The texts of a call, by name. */
export type Texts = {
    readonly [name: string]: string;
};
/** Returns the texts as the values that the schema expects. */
export declare function read(texts: Texts, schema: Schema): Record<string, unknown>;
