/** What a function receives: for whom it acts, its input, and its ways to the outside. */

import { ToolError } from "./error.js";
import { Identity } from "./identity.js";
import type { Outside } from "./outside.js";
import { Answers } from "./questions.js";
import { check } from "./schema.js";
import { type Answered, type Request, sendAll, Service } from "./service.js";
import type { InferOutput, Schema } from "./standard.js";
import type { client, types } from "./wit.js";

/** The severity of a message to the client (RFC 5424 §6.2.1). */
export type Severity = client.Severity;

/** The services that a definition asks for, by name. */
export type Services<Names extends string> = { readonly [Name in Names]: Service };

/** A call: for whom it runs, and its ways to the outside. */
export class Call<Names extends string = string> {
  /** For whom this call runs. The host has fixed it. */
  readonly identity: Identity;
  /** The services that the definition names; the operator grants them. */
  readonly services: Services<Names>;
  /** The client's answers to questions of this tool. */
  readonly answers: Answers;
  /** The state given with earlier questions, unchanged and unseen by the client. */
  readonly state: Uint8Array | undefined;
  readonly #outside: Outside;

  constructor(outside: Outside, names: readonly Names[], context: Omit<types.Context, "input">) {
    this.#outside = outside;
    this.identity = new Identity(outside);
    const services = names.map((name) => [name, new Service(outside, name)]);
    this.services = Object.fromEntries(services) as Services<Names>;
    this.answers = new Answers(context.answers);
    this.state = context.state ?? undefined;
  }

  /** Sends several requests at once; the answers are in the order of the requests. */
  readonly sendAll = (requests: readonly Request[]): Answered[] => sendAll(this.#outside, requests);

  /** Log lines for the operator. Nothing about persons. */
  get log(): Log {
    const outside = this.#outside;
    return {
      error: (message) => outside.write("error", message),
      warn: (message) => outside.write("warn", message),
      info: (message) => outside.write("info", message),
      debug: (message) => outside.write("debug", message),
    };
  }

  /** Reports progress to the client. `done` must grow; `total` is its value at the end. */
  readonly progress = (done: number, total?: number, message?: string): void =>
    this.#outside.progress(done, total, message);

  /** The time. */
  get clock(): Clock {
    return { now: () => this.#outside.now() };
  }

  /** Random bytes from the host's cryptographically secure generator. */
  get random(): Random {
    return { bytes: (length) => this.#outside.random(length) };
  }

  /** Returns the operator's settings for this component; an empty object if there are none. */
  readonly settings = <S extends Schema>(schema: S): InferOutput<S> =>
    check(schema, JSON.parse(this.#outside.settings()), (faults) =>
      ToolError.failed("the operator's settings for this tool are not as it needs them", {
        cause: new Error(`settings of this component: ${faults}`),
      }),
    );

  /** The client, which says about itself what it speaks and can do. It decides nothing. */
  get client(): Client {
    const outside = this.#outside;
    return {
      get revision() {
        return outside.revision();
      },
      declares: (capability) => outside.declares(capability),
      message: (severity, data) => outside.message(severity, JSON.stringify(data) ?? "null"),
    };
  }
}

/** A call with its input: what a function receives. */
export class ToolContext<Input, Names extends string = string> extends Call<Names> {
  constructor(
    outside: Outside,
    names: readonly Names[],
    context: Omit<types.Context, "input">,
    /** The caller's arguments, checked. */
    readonly input: Input,
  ) {
    super(outside, names, context);
  }
}

/** Log lines for the operator. */
export interface Log {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** The time, coarse on purpose. */
export interface Clock {
  /** Returns milliseconds since 1970-01-01 UTC. */
  now(): number;
}

/** Randomness. */
export interface Random {
  /** Returns at most 4096 bytes. */
  bytes(length: number): Uint8Array;
}

/** The client of a call. */
export interface Client {
  /** The protocol revision, such as `2026-07-28`. */
  readonly revision: string;
  /** Returns true if the client declared this, such as `elicitation.form`. */
  declares(capability: string): boolean;
  /** Sends a message, a text or any other value. Never blocks. */
  message(severity: Severity, data: unknown): void;
}
