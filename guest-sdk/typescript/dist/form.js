/** The schemas of forms: those of types, in the few keywords that MCP gives a form (SEP-1330). */
import { isJson, propertiesOf, toJsonSchema } from "./schema.js";
/** Returns the schema of a form with flat fields. */
export function formSchema(schema) {
    const whole = toJsonSchema(schema, "input");
    const fields = Object.entries(propertiesOf(whole)).map(([name, field]) => [name, plain(field)]);
    const form = { type: "object", properties: Object.fromEntries(fields) };
    return whole["required"] === undefined ? form : { ...form, required: whole["required"] };
}
/** Leaves out what a form has no keyword for. The answer is checked against the type anyway. */
function plain(given) {
    const field = choices(withoutNull(given), "oneOf");
    if (!FORMATS.includes(field["format"])) {
        delete field["format"];
    }
    if (field["default"] === null) {
        delete field["default"];
    }
    if (typeof field["format"] === "string") {
        // Libraries write a pattern beside the format; a form has no keyword for it.
        delete field["pattern"];
    }
    if (isJson(field["items"])) {
        field["items"] = choices(field["items"], "anyOf");
    }
    return field;
}
/** Makes an optional field one that need not be there. */
function withoutNull(given) {
    const { anyOf, ...field } = given;
    const { type, enum: values } = field;
    if (Array.isArray(type)) {
        const kinds = type.filter((kind) => kind !== "null");
        field["type"] = kinds.length === 1 ? kinds[0] : kinds;
    }
    if (Array.isArray(values)) {
        field["enum"] = values.filter((value) => value !== null);
    }
    if (!Array.isArray(anyOf)) {
        return field;
    }
    const branches = anyOf.filter((branch) => !isJson(branch) || branch["type"] !== "null");
    const [only] = branches;
    return branches.length === 1 && isJson(only)
        ? { ...only, ...field }
        : { ...field, anyOf: branches };
}
/** Writes constants with titles as choices. */
function choices(given, name) {
    const { anyOf, oneOf, ...field } = given;
    const branches = (anyOf ?? oneOf);
    if (!Array.isArray(branches)) {
        return field;
    }
    const all = branches.filter(isJson).filter((branch) => "const" in branch);
    if (all.length !== branches.length) {
        return { ...field, oneOf: branches };
    }
    const titled = all.map((branch) => ({
        const: branch["const"],
        title: branch["title"] ?? branch["description"] ?? branch["const"],
    }));
    return name === "oneOf" ? { type: "string", ...field, oneOf: titled } : { anyOf: titled };
}
/** The formats of a form's texts. */
const FORMATS = ["email", "uri", "date", "date-time"];
