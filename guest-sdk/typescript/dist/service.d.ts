/**
 * Requests to a service: the tool makes one, the host sends it, an answer comes back without
 * credentials.
 *
 * Invariant: a request names a service, never an address, a user or a credential, and a body that
 * is not a success is never read as one.
 */
import { DownstreamError } from "./error.js";
import type { Outside } from "./outside.js";
import { type Segment } from "./path.js";
import type { InferOutput, Schema } from "./standard.js";
import type { downstream } from "./wit.js";
/** What a request has beside its method and path. */
export interface RequestOptions {
    /** Query parameters; a list repeats the key, `undefined` leaves it out. */
    readonly query?: {
        readonly [key: string]: Segment | boolean | readonly Segment[] | undefined;
    };
    /** Headers. The host refuses credentials, identity headers and what is not on its list. */
    readonly headers?: {
        readonly [name: string]: string;
    };
    /** A body as JSON. */
    readonly json?: unknown;
    /** A body as a form; a list repeats the key, `undefined` leaves it out. */
    readonly form?: {
        readonly [key: string]: Field | readonly Field[] | undefined;
    };
    /** A body as it is; say what it is in `headers["content-type"]`. */
    readonly body?: string | Uint8Array;
}
/** A value in a form. */
export type Field = string | number | boolean;
/** A path: one item for each segment. */
export type Path = readonly Segment[];
/** A request that was not sent yet, for {@link Service.sendAll}. */
export type Request = downstream.Request;
/** A service, by the name that the operator gave it. */
export declare class Service {
    #private;
    /** The operator's name for it. */
    readonly name: string;
    constructor(outside: Outside, 
    /** The operator's name for it. */
    name: string);
    /** Sends a GET request. Every HTTP answer is returned, whatever its status. */
    get(path: Path, options?: RequestOptions): Response;
    /** Sends a HEAD request. */
    head(path: Path, options?: RequestOptions): Response;
    /** Sends a POST request. */
    post(path: Path, options?: RequestOptions): Response;
    /** Sends a PUT request. */
    put(path: Path, options?: RequestOptions): Response;
    /** Sends a PATCH request. */
    patch(path: Path, options?: RequestOptions): Response;
    /** Sends a DELETE request. */
    delete(path: Path, options?: RequestOptions): Response;
    /** Makes a request without sending it. */
    request(method: string, path: Path, options?: RequestOptions): Request;
    /** Sends a request. Throws a {@link DownstreamError} if there is no HTTP answer. */
    send(request: Request): Response;
}
/** Returns the answers to several requests sent at once, in their order. */
export declare function sendAll(outside: Outside, requests: readonly Request[]): Answered[];
/** An answer, or the reason why there is none. */
export type Answered = Response | DownstreamError;
/** An HTTP answer of a service, stripped of credentials. */
export declare class Response {
    #private;
    /** The HTTP status, 200 to 599. */
    readonly status: number;
    /** The headers; names in lower case. */
    readonly headers: ReadonlyMap<string, string>;
    constructor(
    /** The HTTP status, 200 to 599. */
    status: number, body?: string | Uint8Array, headers?: Iterable<readonly [string, string]>);
    /** Makes an answer with a JSON body, for tests. */
    static json(value: unknown, status?: number): Response;
    /** True if the status is 2xx. */
    get ok(): boolean;
    /** The body, whatever the status. */
    bytes(): Uint8Array;
    /**
     * Returns this answer if its status is 2xx. Otherwise throws a {@link ToolError} without the
     * body: 403 is `forbidden`, 404 and 410 `not-found`, 408, 429, 502, 503 and 504 `unavailable`,
     * anything else `failed`. Look at `status` first to say more.
     */
    success(): this;
    /** Returns the body of a success as text. */
    text(): string;
    /**
     * Returns the body of a success as JSON. With a schema it is checked, and has only what the
     * schema names.
     */
    json(): unknown;
    json<S extends Schema>(schema: S): InferOutput<S>;
}
