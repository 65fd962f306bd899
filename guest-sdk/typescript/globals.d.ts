/**
 * The globals that a component has beside those of ECMAScript. Name this file in `tsconfig.json`:
 * `"types": ["bailiwick-sdk/globals"]`.
 */

/** Writes to the host's log, for the operator. */
declare var console: {
  error(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  info(...values: unknown[]): void;
  log(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  trace(...values: unknown[]): void;
};

/** Randomness from the host's cryptographically secure generator. */
declare var crypto: {
  getRandomValues<T extends ArrayBufferView>(into: T): T;
  randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
};

/** Encodes texts as UTF-8. */
declare var TextEncoder: { new (): { encode(text?: string): Uint8Array<ArrayBuffer> } };

/** Decodes UTF-8. */
declare var TextDecoder: {
  new (
    label?: "utf-8",
    options?: { fatal?: boolean; ignoreBOM?: boolean },
  ): { decode(bytes?: ArrayBuffer | ArrayBufferView): string };
};
