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
export class ToolError extends Error {
  override readonly name = "ToolError";

  constructor(
    readonly kind: ToolErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Returns an error: the arguments make no sense, in a way that the schema cannot express. */
  static invalidInput(message: string, options?: ErrorOptions): ToolError {
    return new ToolError("invalid-input", message, options);
  }

  /** Returns an error: the caller may not have this. */
  static forbidden(message: string, options?: ErrorOptions): ToolError {
    return new ToolError("forbidden", message, options);
  }

  /** Returns an error: the requested thing does not exist. */
  static notFound(message: string, options?: ErrorOptions): ToolError {
    return new ToolError("not-found", message, options);
  }

  /** Returns an error: a later attempt may succeed. */
  static unavailable(message: string, options?: ErrorOptions): ToolError {
    return new ToolError("unavailable", message, options);
  }

  /** Returns an error: any other failure. */
  static failed(message: string, options?: ErrorOptions): ToolError {
    return new ToolError("failed", message, options);
  }
}

const NOT_GRANTED = "the operator has not granted this tool what it asked of a service";

/** What the host says of a request that a rule denies. */
const DENIED_BY_RULE = /^the operator's rule (.+?) denies it(?:, .*)?$/s;

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
export class DownstreamError extends Error {
  override readonly name = "DownstreamError";

  /** The reason's name. */
  readonly kind: DownstreamReason["tag"];

  constructor(readonly reason: DownstreamReason) {
    super("val" in reason ? `${reason.tag}: ${String(reason.val)}` : reason.tag);
    this.kind = reason.tag;
  }

  /** Returns the error that the caller may read. */
  toToolError(): ToolError {
    const options = { cause: this };
    const { reason } = this;
    switch (reason.tag) {
      case "unknown-service":
        return ToolError.failed(NOT_GRANTED, options);
      case "not-granted": {
        const [, rule] = DENIED_BY_RULE.exec(reason.val) ?? [];
        return rule === undefined
          ? ToolError.failed(NOT_GRANTED, options)
          : ToolError.forbidden(`refused by the operator's rule \`${rule}\``, options);
      }
      case "invalid-request":
        return ToolError.failed("the tool made a malformed request to a service", options);
      case "identity-unavailable":
        return ToolError.forbidden("this needs a signed-in user", options);
      case "consent-required":
        return ToolError.forbidden(`consent is needed first: ${reason.val}`, options);
      case "scope-denied":
        return ToolError.forbidden(
          `these scopes were not given: ${reason.val.join(", ")}`,
          options,
        );
      case "credential-refused":
        return ToolError.forbidden(
          "no credential for a service is available for this caller, or its answer showed one",
          options,
        );
      case "unavailable":
        return ToolError.unavailable("a service cannot be reached at the moment", options);
      case "timed-out":
        return ToolError.unavailable("a service did not answer in time", options);
      case "too-large":
        return ToolError.failed("the answer of a service is too large", options);
      case "quota-exhausted":
        return ToolError.failed("this call has used up its requests to services", options);
      case "unknown-outcome":
        return ToolError.failed(
          "a service may have done what was asked, or not; look before asking again",
          options,
        );
      default:
        return ToolError.failed("a service could not be called", options);
    }
  }
}
