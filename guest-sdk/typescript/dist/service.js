/**
 * Requests to a service: the tool makes one, the host sends it, an answer comes back without
 * credentials.
 *
 * Invariant: a request names a service, never an address, a user or a credential, and a body that
 * is not a success is never read as one.
 */
import { DownstreamError, ToolError } from "./error.js";
import { part } from "./path.js";
import { check } from "./schema.js";
/** A service, by the name that the operator gave it. */
export class Service {
    name;
    #outside;
    constructor(outside, 
    /** The operator's name for it. */
    name) {
        this.name = name;
        this.#outside = outside;
    }
    /** Sends a GET request. Every HTTP answer is returned, whatever its status. */
    get(path, options) {
        return this.send(this.request("GET", path, options));
    }
    /** Sends a HEAD request. */
    head(path, options) {
        return this.send(this.request("HEAD", path, options));
    }
    /** Sends a POST request. */
    post(path, options) {
        return this.send(this.request("POST", path, options));
    }
    /** Sends a PUT request. */
    put(path, options) {
        return this.send(this.request("PUT", path, options));
    }
    /** Sends a PATCH request. */
    patch(path, options) {
        return this.send(this.request("PATCH", path, options));
    }
    /** Sends a DELETE request. */
    delete(path, options) {
        return this.send(this.request("DELETE", path, options));
    }
    /** Makes a request without sending it. */
    request(method, path, options = {}) {
        const { type, bytes } = bodyOf(options);
        const headers = Object.entries(options.headers ?? {});
        const named = headers.some(([name]) => name.toLowerCase() === "content-type");
        return {
            service: this.name,
            method,
            path: path.map(part),
            query: Object.entries(options.query ?? {}).flatMap(([key, value]) => parameters(key, value)),
            headers: named || type === undefined ? headers : [...headers, ["content-type", type]],
            body: bytes,
        };
    }
    /** Sends a request. Throws a {@link DownstreamError} if there is no HTTP answer. */
    send(request) {
        const answer = received(this.#outside.send(request));
        if (answer instanceof DownstreamError) {
            throw answer;
        }
        return answer;
    }
}
/** Returns the answers to several requests sent at once, in their order. */
export function sendAll(outside, requests) {
    return outside.sendAll([...requests]).map(received);
}
/** An HTTP answer of a service, stripped of credentials. */
export class Response {
    status;
    /** The headers; names in lower case. */
    headers;
    #body;
    constructor(
    /** The HTTP status, 200 to 599. */
    status, body = "", headers = []) {
        this.status = status;
        this.#body = typeof body === "string" ? new TextEncoder().encode(body) : body;
        this.headers = new Map([...headers].map(([name, value]) => [name.toLowerCase(), value]));
    }
    /** Makes an answer with a JSON body, for tests. */
    static json(value, status = 200) {
        const type = ["content-type", "application/json"];
        return new Response(status, JSON.stringify(value), [type]);
    }
    /** True if the status is 2xx. */
    get ok() {
        return this.status >= 200 && this.status < 300;
    }
    /** The body, whatever the status. */
    bytes() {
        return this.#body;
    }
    /**
     * Returns this answer if its status is 2xx. Otherwise throws a {@link ToolError} without the
     * body: 403 is `forbidden`, 404 and 410 `not-found`, 408, 429, 502, 503 and 504 `unavailable`,
     * anything else `failed`. Look at `status` first to say more.
     */
    success() {
        if (!this.ok) {
            throw refusal(this.status);
        }
        return this;
    }
    /** Returns the body of a success as text. */
    text() {
        try {
            return new TextDecoder("utf-8", { fatal: true }).decode(this.success().#body);
        }
        catch (cause) {
            if (cause instanceof ToolError) {
                throw cause;
            }
            throw ToolError.failed("a service answered with something that is not text", { cause });
        }
    }
    json(schema) {
        const text = this.text();
        let value;
        try {
            value = JSON.parse(text);
        }
        catch {
            throw ToolError.failed(WRONG_SHAPE, { cause: new Error("the answer is not JSON") });
        }
        if (schema === undefined) {
            return value;
        }
        return check(schema, value, (faults) => ToolError.failed(WRONG_SHAPE, { cause: new Error(faults) }));
    }
}
const WRONG_SHAPE = "a service sent an answer of the wrong shape";
function received(sent) {
    return sent.tag === "ok"
        ? new Response(sent.val.status, sent.val.body, sent.val.headers)
        : new DownstreamError(sent.val);
}
function refusal(status) {
    switch (status) {
        case 403:
            return ToolError.forbidden("the service does not allow this (HTTP 403)");
        case 404:
        case 410:
            return ToolError.notFound(`the service has no such thing (HTTP ${status})`);
        case 408:
        case 429:
        case 502:
        case 503:
        case 504:
            return ToolError.unavailable(`the service cannot answer now (HTTP ${status})`);
        default:
            return ToolError.failed(status >= 500
                ? `the service failed (HTTP ${status})`
                : `the service refused the request (HTTP ${status})`);
    }
}
function parameters(key, value) {
    const values = Array.isArray(value) ? value : [value];
    return values
        .filter((each) => each !== undefined)
        .map((each) => [key, part(typeof each === "boolean" ? String(each) : each)]);
}
function bodyOf({ json, form, body }) {
    if (json !== undefined) {
        return { type: "application/json", bytes: new TextEncoder().encode(JSON.stringify(json)) };
    }
    if (form !== undefined) {
        const fields = Object.entries(form).flatMap(([key, value]) => encoded(key, value));
        const bytes = new TextEncoder().encode(fields.join("&"));
        return { type: "application/x-www-form-urlencoded", bytes };
    }
    if (typeof body === "string") {
        return { type: "text/plain; charset=utf-8", bytes: new TextEncoder().encode(body) };
    }
    return body === undefined
        ? { bytes: new Uint8Array() }
        : { type: "application/octet-stream", bytes: body };
}
function encoded(key, value) {
    const values = Array.isArray(value) ? value : [value];
    return values
        .filter((each) => each !== undefined)
        .map((each) => `${encode(key)}=${encode(String(each))}`);
}
/** Writes a text as forms do (URL Standard, "application/x-www-form-urlencoded serializing"). */
function encode(text) {
    return encodeURIComponent(text)
        .replace(/[!'()~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll("%20", "+");
}
