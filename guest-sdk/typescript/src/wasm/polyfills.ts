/**
 * What authors expect and the engine lacks, or has in a way that is not honest: time, randomness,
 * `console`, UTF-8. Loaded before anything else.
 */

import { host, isRunning } from "./host.js";
import * as utf8 from "./text.js";

define("TextEncoder", (globalThis as Globals)["TextEncoder"] ?? utf8.TextEncoder);
define("TextDecoder", (globalThis as Globals)["TextDecoder"] ?? utf8.TextDecoder);
define("console", console());
define("crypto", { getRandomValues, randomUUID });
define("Date", hostDate());
define("fetch", () => {
  throw new Error("a component has no network: name a service, and use `services.NAME.get(…)`");
});
Math.random = () => {
  const [high = 0, low = 0] = getRandomValues(new Uint32Array(2));
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
};

/** Sets a global, also where the engine has one that cannot be assigned. */
function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

/** Returns a `Date` whose present is the host's. */
function hostDate(): DateConstructor {
  const hosted = new Proxy(Date, {
    construct: (target, given, as) =>
      Reflect.construct(target, given.length === 0 ? [host.now()] : given, as) as object,
    apply: (target) => new target(host.now()).toString(),
    get: (target, name, self) =>
      name === "now" ? () => host.now() : (Reflect.get(target, name, self) as unknown),
  });
  Date.prototype.constructor = hosted;
  return hosted;
}

function getRandomValues<T extends ArrayBufferView>(into: T): T {
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  for (let at = 0; at < bytes.length; at += MOST_BYTES) {
    bytes.set(host.random(Math.min(MOST_BYTES, bytes.length - at)), at);
  }
  return into;
}

/** Returns a random UUID (RFC 9562 §5.4). */
function randomUUID(): string {
  const bytes = getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Returns a `console` that writes to the host's log; while the component is built, nowhere. */
function console(): Record<string, (...values: unknown[]) => void> {
  const to =
    (level: "error" | "warn" | "info" | "debug") =>
    (...values: unknown[]) =>
      isRunning() ? host.write(level, values.map(shown).join(" ")) : undefined;
  return {
    error: to("error"),
    warn: to("warn"),
    info: to("info"),
    log: to("info"),
    debug: to("debug"),
    trace: to("debug"),
  };
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    return value;
  }
  if (value instanceof Error) {
    return `${value.name}: ${value.message}`;
  }
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

type Globals = { readonly [name: string]: unknown };

/** The most bytes that the host returns at once. */
const MOST_BYTES = 4096;
