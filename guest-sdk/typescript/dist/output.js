/** The result of a tool: any value, or an {@link Output} put together by hand. */
import { item, text } from "./content.js";
import { ToolError } from "./error.js";
import { Questions } from "./questions.js";
import { check, isJson } from "./schema.js";
/**
 * A result put together by hand:
 * `new Output({ content: ["Here it is", content.image("image/png", bytes)] })`.
 */
export class Output {
    parts;
    constructor(parts) {
        this.parts = parts;
    }
    /** Returns a result that is one text, and is marked as an error: the answer is "no". */
    static error(text) {
        return new Output({ content: [text], isError: true });
    }
}
/**
 * Returns the outcome of a call. An object becomes structured content with its JSON as text, a
 * string is its own text, nothing is no content, and anything else is JSON as text.
 */
export function outcome(value, schema) {
    refusePromise(value);
    if (value instanceof Questions) {
        return { tag: "input-required", val: value.toWire() };
    }
    return { tag: "complete", val: output(value, schema) };
}
/** Fails if a function returned a promise, which nothing would wait for. */
export function refusePromise(value) {
    if (typeof value?.then === "function") {
        throw new Error("the function returned a promise; a call is synchronous: remove `async`");
    }
}
function output(value, schema) {
    if (value instanceof Output) {
        const { content = [], structured, isError = false, meta } = value.parts;
        const checked = structured === undefined ? undefined : fit(structured, schema);
        const items = content.map(item);
        const texts = items.length === 0 && checked !== undefined ? [text(stringify(checked))] : items;
        return {
            content: texts,
            structured: checked === undefined ? undefined : stringify(checked),
            isError,
            meta: meta && stringify(meta),
        };
    }
    const fitting = fit(value, schema);
    if (fitting === undefined || fitting === null) {
        return { content: [], isError: false };
    }
    if (typeof fitting === "string") {
        return { content: [text(fitting)], isError: false };
    }
    const json = stringify(fitting);
    return {
        content: [text(json)],
        structured: isJson(fitting) ? json : undefined,
        isError: false,
    };
}
function fit(value, schema) {
    if (schema === undefined) {
        return value;
    }
    return check(schema, value, (faults) => ToolError.failed("the tool's result is not as its output schema says", {
        cause: new Error(`output: ${faults}`),
    }));
}
function stringify(value) {
    const json = JSON.stringify(value);
    if (json === undefined) {
        throw new Error(`the result is a ${typeof value}, which JSON cannot say`);
    }
    return json;
}
