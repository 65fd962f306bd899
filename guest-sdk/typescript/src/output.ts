/** The result of a tool: any value, or an {@link Output} put together by hand. */

import { type Content, item, text } from "./content.js";
import { ToolError } from "./error.js";
import { Questions } from "./questions.js";
import { check, isJson } from "./schema.js";
import type { JsonObject, Schema } from "./standard.js";
import type { tools, types } from "./wit.js";

/** The parts of a result put together by hand. */
export interface OutputParts {
  /** The items that the model sees, texts or any content. */
  readonly content?: readonly (string | Content)[];
  /** Structured content. */
  readonly structured?: object;
  /** True if the tool did its work and the answer is "no". */
  readonly isError?: boolean;
  /** Further metadata for the client. */
  readonly meta?: JsonObject;
}

/**
 * A result put together by hand:
 * `new Output({ content: ["Here it is", content.image("image/png", bytes)] })`.
 */
export class Output {
  constructor(readonly parts: OutputParts) {}

  /** Returns a result that is one text, and is marked as an error: the answer is "no". */
  static error(text: string): Output {
    return new Output({ content: [text], isError: true });
  }
}

/** What a tool without an output schema may return. A promise is not: a call is synchronous. */
export type AnyResult =
  (object & { readonly then?: never }) | string | number | boolean | null | undefined | void;

/**
 * Returns the outcome of a call. An object becomes structured content with its JSON as text, a
 * string is its own text, nothing is no content, and anything else is JSON as text.
 */
export function outcome(value: unknown, schema: Schema | undefined): tools.Outcome {
  refusePromise(value);
  if (value instanceof Questions) {
    return { tag: "input-required", val: value.toWire() };
  }
  return { tag: "complete", val: output(value, schema) };
}

/** Fails if a function returned a promise, which nothing would wait for. */
export function refusePromise(value: unknown): void {
  if (typeof (value as { then?: unknown } | null | undefined)?.then === "function") {
    throw new Error("the function returned a promise; a call is synchronous: remove `async`");
  }
}

function output(value: unknown, schema: Schema | undefined): types.Output {
  if (value instanceof Output) {
    const { content = [], structured, isError = false, meta } = value.parts;
    const checked = structured === undefined ? undefined : fit(structured, schema);
    const items = content.map(item);
    const texts = items.length === 0 && checked !== undefined ? [text(stringify(checked))] : items;
    return {
      content: texts,
      structured: checked === undefined ? undefined : stringify(checked),
      isError,
      meta: meta && stringify(meta),
    };
  }
  const fitting = fit(value, schema);
  if (fitting === undefined || fitting === null) {
    return { content: [], isError: false };
  }
  if (typeof fitting === "string") {
    return { content: [text(fitting)], isError: false };
  }
  const json = stringify(fitting);
  return {
    content: [text(json)],
    structured: isJson(fitting) ? json : undefined,
    isError: false,
  };
}

function fit(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) {
    return value;
  }
  return check(schema, value, (faults) =>
    ToolError.failed("the tool's result is not as its output schema says", {
      cause: new Error(`output: ${faults}`),
    }),
  );
}

function stringify(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) {
    throw new Error(`the result is a ${typeof value}, which JSON cannot say`);
  }
  return json;
}
