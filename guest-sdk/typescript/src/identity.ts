/**
 * For whom a call runs: the Execution Identity Envelope, one question at a time.
 *
 * Invariant: a tool reads it and can show it to a verifier, but nothing that it does to it changes
 * the host's conduct.
 */

import type { Outside, Plain } from "./outside.js";
import type { identity } from "./wit.js";

/** The principal that asked: always the pair (`iss`, `sub`). */
export type Principal = Plain<identity.Principal>;
/** The actor's login. */
export type Login = Plain<identity.Login>;
/** The client that executes for the actor. */
export type Executor = Plain<identity.Executor>;
/** The session of a call. */
export type Correlation = Plain<identity.Correlation>;
/** A service in reach, with its mode. */
export type GrantedService = Plain<identity.Service>;
/** The authority on which a service is called. */
export type DelegationMode = identity.DelegationMode;
/** The values that bind the envelope to a call. */
export type Binding = Plain<identity.Binding>;

/** The identity of a call. The host is asked for each answer once, and only when it is read. */
export class Identity {
  readonly #outside: Outside;
  readonly #known = new Map<string, unknown>();

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  /** The principal that asked: always the pair (`iss`, `sub`); only the pair is unique. */
  get actor(): Principal {
    return this.#once("actor", () => this.#outside.actor());
  }

  /** The client that executes for the actor. */
  get agent(): Executor {
    return this.#once("agent", () => this.#outside.agent());
  }

  /** The actor's login, if the token has it. */
  get login(): Login {
    return this.#once("login", () => this.#outside.login());
  }

  /** The session of the call. For correlation only, never an input to a decision. */
  get session(): Correlation {
    return this.#once("session", () => this.#outside.session());
  }

  /** The token's scopes, narrowed to what this call requires; sorted. */
  get scopes(): readonly string[] {
    return this.#once("scopes", () => this.#outside.scopes());
  }

  /** The services that this call may reach, sorted by name. */
  get services(): readonly GrantedService[] {
    return this.#once("services", () => this.#outside.services());
  }

  /** The values that bind the envelope: this call, its component and its arguments. */
  get binding(): Binding {
    return this.#once("binding", () => this.#outside.binding());
  }

  /** The envelope as signed JSON, character for character as a verifier needs it. */
  get envelope(): string {
    return this.#once("envelope", () => this.#outside.envelope());
  }

  /** Returns the mode in which the host calls a service, if the call may reach it. */
  modeOf(service: string): DelegationMode | undefined {
    return this.services.find(({ name }) => name === service)?.mode;
  }

  #once<T>(name: string, ask: () => T): T {
    if (!this.#known.has(name)) {
      this.#known.set(name, ask());
    }
    return this.#known.get(name) as T;
  }
}
