/** Templates of messages that people choose. */

import type { About, Nothing } from "./about.js";
import type { Completer } from "./completion.js";
import { type Content, item } from "./content.js";
import type { ToolContext } from "./context.js";
import { refusePromise } from "./output.js";
import { Questions } from "./questions.js";
import type { InferInput, InferOutput, JsonObject, Schema } from "./standard.js";
import type { prompts } from "./wit.js";

/** What a prompt says about itself. */
export interface PromptDefinition<Names extends string, In extends Schema> extends About<Names> {
  /** What people read. */
  readonly description: string;
  /** The arguments, an object of flat fields. Clients send texts, read as the types say. */
  readonly input?: In;
  /** Functions that suggest values for arguments. */
  readonly complete?: { readonly [Name in keyof InferInput<In> & string]?: Completer<Names> };
}

/** A prompt. */
export interface Prompt<In extends Schema = Schema> {
  readonly kind: "prompt";
  readonly definition: PromptDefinition<string, In>;
  /** Runs the function. In tests, use `Scene.get`. */
  run(context: ToolContext<InferOutput<In>>): unknown;
}

/** A message, and its speaker. */
export interface Message {
  readonly role: "user" | "assistant";
  readonly content: Content;
}

/** The messages of a prompt, with what belongs to them. */
export interface Messages {
  readonly messages: readonly Message[];
  readonly description?: string;
  readonly meta?: JsonObject;
}

/** Returns a message of the user: a text or any content. */
export function user(content: string | Content): Message {
  return { role: "user", content: item(content) };
}

/** Returns a message of the model: a text or any content. */
export function assistant(content: string | Content): Message {
  return { role: "assistant", content: item(content) };
}

/**
 * Makes a prompt of a definition and a function. The function returns a text (one message of the
 * user), messages, or {@link Questions}.
 */
export function prompt<const Names extends string = never, In extends Schema = Nothing>(
  definition: PromptDefinition<Names, In>,
  run: (
    context: ToolContext<InferOutput<In>, Names>,
  ) => string | readonly Message[] | Messages | Questions,
): Prompt<In> {
  return { kind: "prompt", definition, run } as unknown as Prompt<In>;
}

/** Returns the outcome of a prompt. */
export function outcome(value: unknown): prompts.Outcome {
  refusePromise(value);
  if (value instanceof Questions) {
    return { tag: "input-required", val: value.toWire() };
  }
  const whole = messagesOf(value as string | readonly Message[] | Messages);
  const messages = whole.messages.map(({ role, content }) => ({ role, content }));
  const meta = whole.meta && JSON.stringify(whole.meta);
  return { tag: "complete", val: { description: whole.description, messages, meta } };
}

function messagesOf(value: string | readonly Message[] | Messages): Messages {
  if (typeof value === "string") {
    return { messages: [user(value)] };
  }
  return Array.isArray(value) ? { messages: value as readonly Message[] } : (value as Messages);
}
