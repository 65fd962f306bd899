/**
 * Values that arrive as texts: the arguments of prompts and the variables of families.
 *
 * Invariant: numbers and booleans are read from texts that say just that; anything else stays a
 * text, which the schema checks.
 */

import { propertiesOf } from "./schema.js";
import type { JsonObject, Schema } from "./standard.js";

/** The texts of a call, by name. */
export type Texts = { readonly [name: string]: string };

/** Returns the texts as the values that the schema expects. */
export function read(texts: Texts, schema: Schema): Record<string, unknown> {
  const wanted = propertiesOf(jsonOf(schema));
  const values = Object.entries(texts).map(([name, text]) => [name, value(text, wanted[name])]);
  return Object.fromEntries(values) as Record<string, unknown>;
}

function value(text: string, schema: JsonObject | undefined): unknown {
  switch (schema?.["type"]) {
    case "number":
    case "integer":
      return NUMBER.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    default:
      return text;
  }
}

/** Returns the JSON Schema, or an empty one if the library cannot make it while a call runs. */
function jsonOf(schema: Schema): JsonObject {
  return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? {};
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;
