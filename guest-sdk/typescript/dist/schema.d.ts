/** Schemas at work: their JSON Schema for clients, and the check of a value. */
import { ToolError } from "./error.js";
import type { InferOutput, JsonObject, Schema } from "./standard.js";
type Json = Record<string, unknown>;
/** Makes the JSON Schema of a library that has no converter of its own; the build knows some. */
export type Fallback = (schema: Schema, side: "input" | "output") => Json | undefined;
/** Returns the JSON Schema of a value before (`input`) or after (`output`) the check. */
export declare function toJsonSchema(schema: Schema, side: "input" | "output", fallback?: Fallback): Json;
/** Returns the JSON Schema of arguments, in which a caller can send only what it names. */
export declare function inputSchema(schema: Schema, fallback?: Fallback): Json;
/** Checks a value. Fails with the error that `refuse` makes of the fields and their faults. */
export declare function check<S extends Schema>(schema: S, value: unknown, refuse: (faults: string) => ToolError): InferOutput<S>;
/** Checks the caller's input. */
export declare function checkInput<S extends Schema>(schema: S, value: unknown): InferOutput<S>;
/** Returns true if a value is an object of JSON. */
export declare function isJson(value: unknown): value is Json;
/** Returns the members that the schema of an object names. */
export declare function propertiesOf(schema: JsonObject): Record<string, Json>;
export {};
