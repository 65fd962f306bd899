/**
 * Errors: for the caller ({@link ToolError}), and from a service ({@link DownstreamError}).
 *
 * Invariant: the conversion from the second to the first never repeats a text of a service or an
 * authorization server, except what the user needs to go on (a consent hint, names of scopes).
 */
import type { downstream, types } from "./wit.js";
/** The kind of a failure, as a client sees it. */
export type ToolErrorKind = types.Error["tag"];
/** A tool's failure, in words that the caller may read. Throw it. */
export declare class ToolError extends Error {
    readonly kind: ToolErrorKind;
    readonly name = "ToolError";
    constructor(kind: ToolErrorKind, message: string, options?: ErrorOptions);
    /** Returns an error: the arguments make no sense, in a way that the schema cannot express. */
    static invalidInput(message: string, options?: ErrorOptions): ToolError;
    /** Returns an error: the caller may not have this. */
    static forbidden(message: string, options?: ErrorOptions): ToolError;
    /** Returns an error: the requested thing does not exist. */
    static notFound(message: string, options?: ErrorOptions): ToolError;
    /** Returns an error: a later attempt may succeed. */
    static unavailable(message: string, options?: ErrorOptions): ToolError;
    /** Returns an error: any other failure. */
    static failed(message: string, options?: ErrorOptions): ToolError;
}
/** The reason for having no HTTP answer, with its details: `{ tag: "not-granted", val: … }`. */
export type DownstreamReason = downstream.Error;
/**
 * There is no HTTP answer from a service. Every HTTP answer, whatever its status, is a `Response`.
 *
 * A request other than GET and HEAD that may have reached the service has one reason only,
 * `unknown-outcome`. Ask the service what it did; or, where the operator has set `idempotency`, send
 * the same POST or PATCH again in this call: the host gives it the same key. After any other reason
 * nothing was changed. If you do not catch it, the caller gets {@link DownstreamError.toToolError}.
 *
 * ```ts
 * try {
 *   services.orders_api.delete(["orders", id]).success();
 * } catch (error) {
 *   if (error instanceof DownstreamError && error.kind === "unknown-outcome") {
 *     // Ask the service before sending the request again.
 *   }
 *   throw error;
 * }
 * ```
 */
export declare class DownstreamError extends Error {
    readonly reason: DownstreamReason;
    readonly name = "DownstreamError";
    /** The reason's name. */
    readonly kind: DownstreamReason["tag"];
    constructor(reason: DownstreamReason);
    /** Returns the error that the caller may read. */
    toToolError(): ToolError;
}
