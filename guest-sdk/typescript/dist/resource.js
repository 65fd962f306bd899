/** Documents that clients read by URI. */
import { resourceBody } from "./content.js";
import { refusePromise } from "./output.js";
import { Questions } from "./questions.js";
import { expand } from "./template.js";
/** The contents of a resource that are more than one text or some bytes. */
export class Contents {
    body;
    more;
    constructor(
    /** The body that has the URI that was asked for, if there is one. */
    body, 
    /** What belongs to it; the media type is the definition's unless given. */
    more = {}) {
        this.body = body;
        this.more = more;
    }
    /** Makes contents of a value, as JSON. */
    static json(value) {
        return new Contents(JSON.stringify(value), { mimeType: "application/json" });
    }
}
/**
 * Makes a resource, or a family of them, of a definition and a function. The function returns a
 * text, bytes, {@link Contents} or {@link Questions}.
 */
export function resource(definition, run) {
    const uriOf = (values) => expand(definition.uri, values);
    return { kind: "resource", definition, uriOf, run };
}
/** Returns the outcome of reading. */
export function outcome(value, uri, mimeType) {
    refusePromise(value);
    if (value instanceof Questions) {
        return { tag: "input-required", val: value.toWire() };
    }
    const contents = value instanceof Contents ? value : new Contents(value);
    const { body, more } = contents;
    const whole = body === undefined ? [] : [{ uri, mimeType, ...more, body }];
    return { tag: "complete", val: [...whole, ...(more.parts ?? [])].map(embedded) };
}
/** Returns a page as the interface has it. */
export function page(uri, given) {
    refusePromise(given);
    const { members, next } = Array.isArray(given)
        ? { members: given, next: undefined }
        : given;
    const items = members.map(({ variables, meta, ...member }) => ({
        ...member,
        uri: expand(uri, variables),
        meta: json(meta),
    }));
    return { items, next };
}
function embedded({ uri, mimeType, body, meta }) {
    return { uri, mimeType, body: resourceBody(body), meta: json(meta) };
}
function json(meta) {
    return meta === undefined ? undefined : JSON.stringify(meta);
}
