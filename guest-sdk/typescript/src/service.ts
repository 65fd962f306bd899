/**
 * Requests to a service: the tool makes one, the host sends it, an answer comes back without
 * credentials.
 *
 * Invariant: a request names a service, never an address, a user or a credential, and a body that
 * is not a success is never read as one.
 */

import { DownstreamError, ToolError } from "./error.js";
import type { Outside, Sent } from "./outside.js";
import { part, type Segment } from "./path.js";
import { check } from "./schema.js";
import type { InferOutput, Schema } from "./standard.js";
import type { downstream } from "./wit.js";

/** What a request has beside its method and path. */
export interface RequestOptions {
  /** Query parameters; a list repeats the key, `undefined` leaves it out. */
  readonly query?: { readonly [key: string]: Segment | boolean | readonly Segment[] | undefined };
  /** Headers. The host refuses credentials, identity headers and what is not on its list. */
  readonly headers?: { readonly [name: string]: string };
  /** A body as JSON. */
  readonly json?: unknown;
  /** A body as a form; a list repeats the key, `undefined` leaves it out. */
  readonly form?: { readonly [key: string]: Field | readonly Field[] | undefined };
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
export class Service {
  readonly #outside: Outside;

  constructor(
    outside: Outside,
    /** The operator's name for it. */
    readonly name: string,
  ) {
    this.#outside = outside;
  }

  /** Sends a GET request. Every HTTP answer is returned, whatever its status. */
  get(path: Path, options?: RequestOptions): Response {
    return this.send(this.request("GET", path, options));
  }

  /** Sends a HEAD request. */
  head(path: Path, options?: RequestOptions): Response {
    return this.send(this.request("HEAD", path, options));
  }

  /** Sends a POST request. */
  post(path: Path, options?: RequestOptions): Response {
    return this.send(this.request("POST", path, options));
  }

  /** Sends a PUT request. */
  put(path: Path, options?: RequestOptions): Response {
    return this.send(this.request("PUT", path, options));
  }

  /** Sends a PATCH request. */
  patch(path: Path, options?: RequestOptions): Response {
    return this.send(this.request("PATCH", path, options));
  }

  /** Sends a DELETE request. */
  delete(path: Path, options?: RequestOptions): Response {
    return this.send(this.request("DELETE", path, options));
  }

  /** Makes a request without sending it. */
  request(method: string, path: Path, options: RequestOptions = {}): Request {
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
  send(request: Request): Response {
    const answer = received(this.#outside.send(request));
    if (answer instanceof DownstreamError) {
      throw answer;
    }
    return answer;
  }
}

/** Returns the answers to several requests sent at once, in their order. */
export function sendAll(outside: Outside, requests: readonly Request[]): Answered[] {
  return outside.sendAll([...requests]).map(received);
}

/** An answer, or the reason why there is none. */
export type Answered = Response | DownstreamError;

/** An HTTP answer of a service, stripped of credentials. */
export class Response {
  /** The headers; names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly #body: Uint8Array;

  constructor(
    /** The HTTP status, 200 to 599. */
    readonly status: number,
    body: string | Uint8Array = "",
    headers: Iterable<readonly [string, string]> = [],
  ) {
    this.#body = typeof body === "string" ? new TextEncoder().encode(body) : body;
    this.headers = new Map([...headers].map(([name, value]) => [name.toLowerCase(), value]));
  }

  /** Makes an answer with a JSON body, for tests. */
  static json(value: unknown, status = 200): Response {
    const type = ["content-type", "application/json"] as const;
    return new Response(status, JSON.stringify(value), [type]);
  }

  /** True if the status is 2xx. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** The body, whatever the status. */
  bytes(): Uint8Array {
    return this.#body;
  }

  /**
   * Returns this answer if its status is 2xx. Otherwise throws a {@link ToolError} without the
   * body: 403 is `forbidden`, 404 and 410 `not-found`, 408, 429, 502, 503 and 504 `unavailable`,
   * anything else `failed`. Look at `status` first to say more.
   */
  success(): this {
    if (!this.ok) {
      throw refusal(this.status);
    }
    return this;
  }

  /** Returns the body of a success as text. */
  text(): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.success().#body);
    } catch (cause) {
      if (cause instanceof ToolError) {
        throw cause;
      }
      throw ToolError.failed("a service answered with something that is not text", { cause });
    }
  }

  /**
   * Returns the body of a success as JSON. With a schema it is checked, and has only what the
   * schema names.
   */
  json(): unknown;
  json<S extends Schema>(schema: S): InferOutput<S>;
  json(schema?: Schema): unknown {
    const text = this.text();
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw ToolError.failed(WRONG_SHAPE, { cause: new Error("the answer is not JSON") });
    }
    if (schema === undefined) {
      return value;
    }
    return check(schema, value, (faults) =>
      ToolError.failed(WRONG_SHAPE, { cause: new Error(faults) }),
    );
  }
}

const WRONG_SHAPE = "a service sent an answer of the wrong shape";

function received(sent: Sent): Answered {
  return sent.tag === "ok"
    ? new Response(sent.val.status, sent.val.body, sent.val.headers)
    : new DownstreamError(sent.val);
}

function refusal(status: number): ToolError {
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
      return ToolError.failed(
        status >= 500
          ? `the service failed (HTTP ${status})`
          : `the service refused the request (HTTP ${status})`,
      );
  }
}

function parameters(
  key: string,
  value: Segment | boolean | readonly Segment[] | undefined,
): [string, downstream.Part][] {
  const values = Array.isArray(value) ? (value as readonly Segment[]) : [value];
  return values
    .filter((each) => each !== undefined)
    .map((each) => [key, part(typeof each === "boolean" ? String(each) : (each as Segment))]);
}

function bodyOf({ json, form, body }: RequestOptions): { type?: string; bytes: Uint8Array } {
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

function encoded(key: string, value: Field | readonly Field[] | undefined): string[] {
  const values = Array.isArray(value) ? (value as readonly Field[]) : [value as Field | undefined];
  return values
    .filter((each) => each !== undefined)
    .map((each) => `${encode(key)}=${encode(String(each))}`);
}

/** Writes a text as forms do (URL Standard, "application/x-www-form-urlencoded serializing"). */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
