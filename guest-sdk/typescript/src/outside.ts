/**
 * The host as a call reaches it. `wasm/host.ts` implements it for a component, `testing.ts` for
 * tests.
 *
 * Invariant: nothing here takes a user, a tenant, a token or an address.
 */

import type { client, downstream, identity, log } from "./wit.js";

/** A record of the interface without `null` and `bigint`, which depend on the engine. */
export type Plain<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly Plain<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Plain<Exclude<T[K], null | bigint>> }
      : T;

/** An answer of a service, or the reason why there is none. */
export type Sent =
  | { readonly tag: "ok"; readonly val: downstream.Response }
  | { readonly tag: "err"; readonly val: downstream.Error };

/** The functions of the host. */
export interface Outside {
  actor(): Plain<identity.Principal>;
  login(): Plain<identity.Login>;
  agent(): Plain<identity.Executor>;
  session(): Plain<identity.Correlation>;
  scopes(): readonly string[];
  services(): readonly Plain<identity.Service>[];
  binding(): Plain<identity.Binding>;
  envelope(): string;
  send(request: downstream.Request): Sent;
  sendAll(requests: downstream.Request[]): Sent[];
  settings(): string;
  now(): number;
  random(length: number): Uint8Array;
  progress(done: number, total: number | undefined, message: string | undefined): void;
  write(level: log.Level, message: string): void;
  revision(): string;
  declares(capability: string): boolean;
  message(severity: client.Severity, data: string): void;
}
