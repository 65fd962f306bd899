/** The schemas of forms: those of types, in the few keywords that MCP gives a form (SEP-1330). */
import type { Schema } from "./standard.js";
type Json = Record<string, unknown>;
/** Returns the schema of a form with flat fields. */
export declare function formSchema(schema: Schema): Json;
export {};
