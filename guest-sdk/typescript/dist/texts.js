/**
 * Values that arrive as texts: the arguments of prompts and the variables of families.
 *
 * Invariant: numbers and booleans are read from texts that say just that; anything else stays a
 * text, which the schema checks.
 */
import { propertiesOf } from "./schema.js";
/** Returns the texts as the values that the schema expects. */
export function read(texts, schema) {
    const wanted = propertiesOf(jsonOf(schema));
    const values = Object.entries(texts).map(([name, text]) => [name, value(text, wanted[name])]);
    return Object.fromEntries(values);
}
function value(text, schema) {
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
function jsonOf(schema) {
    return schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? {};
}
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;
