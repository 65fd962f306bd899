/** Questions to the user and to the client, and their answers. */

import { ToolError } from "./error.js";
import { formSchema } from "./form.js";
import { checkInput, isJson } from "./schema.js";
import type { InferOutput, JsonObject, Schema } from "./standard.js";
import type { types } from "./wit.js";

/**
 * Questions that must be answered before the call can go on. Return them in place of a result: the
 * function is called again, **from the start**, with the answers.
 *
 * Give a {@link Questions.state} if the function has sent a request that may have changed
 * something: the host refuses a question without one then.
 */
export class Questions {
  readonly #questions: [string, types.Question][] = [];
  #state: Uint8Array | undefined;

  /**
   * Adds a form: a message and flat, primitive fields. Never for secrets: the client sees the
   * answer. {@link Answers.form} reads it.
   */
  form(key: string, message: string, fields: Schema): this {
    return this.#ask(key, { tag: "form", val: [message, JSON.stringify(formSchema(fields))] });
  }

  /**
   * Adds a page that the user opens, of an origin that the operator lists for this component.
   * {@link Answers.page} says whether the user agreed to open it.
   */
  url(key: string, url: string, message: string): this {
    return this.#other(key, "url", { url, message });
  }

  /**
   * Adds a request to the client's model, if the operator lets this component make it.
   * {@link Answers.sampling} reads the result.
   */
  sampling(key: string, request: SamplingRequest): this {
    return this.#other(key, "sampling/createMessage", request);
  }

  /** Adds a request for the client's roots. {@link Answers.roots} reads the result. */
  roots(key: string): this {
    return this.#other(key, "roots/list", {});
  }

  /**
   * Sets the state that comes back with the answers. The host seals it and binds it to caller,
   * client, component, target and arguments.
   */
  state(state: string | Uint8Array): this {
    this.#state = typeof state === "string" ? new TextEncoder().encode(state) : state;
    return this;
  }

  /** The keys of the questions, in order. For tests. */
  get keys(): string[] {
    return this.#questions.map(([key]) => key);
  }

  /** Returns the questions as the interface has them. */
  toWire(): types.InputRequest {
    return { questions: [...this.#questions], state: this.#state };
  }

  #other(key: string, kind: string, parameters: object): this {
    return this.#ask(key, { tag: "other", val: [kind, JSON.stringify(parameters)] });
  }

  #ask(key: string, question: types.Question): this {
    this.#questions.push([key, question]);
    return this;
  }
}

/** The user's answer to a question: accepted with what was filled in, declined, or closed. */
export type Answer<T> =
  | { readonly action: "accept"; readonly content: T }
  | { readonly action: "decline" }
  | { readonly action: "cancel" };

/** Returns what the user filled in. Throws a `failed` error if the user declined or cancelled. */
export function accepted<T>(answer: Answer<T>): T {
  switch (answer.action) {
    case "accept":
      return answer.content;
    case "decline":
      throw ToolError.failed("the user declined");
    case "cancel":
      throw ToolError.failed("the user cancelled the question");
  }
}

/** The answers to the questions that this tool asked before. */
export class Answers {
  readonly #answers: ReadonlyMap<string, string>;

  constructor(answers: readonly (readonly [string, string])[]) {
    this.#answers = new Map(answers);
  }

  /** Returns the user's answer to a form, if there is one; `fields` is the form's schema. */
  form<S extends Schema>(key: string, fields: S): Answer<InferOutput<S>> | undefined {
    const answer = this.#decision(key);
    if (answer?.action !== "accept") {
      return answer;
    }
    return { action: "accept", content: checkInput(fields, answer.content) };
  }

  /** Returns whether the user agreed to open a page, if the user was asked. */
  page(key: string): Answer<undefined> | undefined {
    const answer = this.#decision(key);
    return answer?.action === "accept" ? { action: "accept", content: undefined } : answer;
  }

  /** Returns the result of the client's model, if there is one. */
  sampling(key: string): SamplingResult | undefined {
    return this.json(key) as SamplingResult | undefined;
  }

  /** Returns the client's roots, if there is an answer. */
  roots(key: string): readonly Root[] | undefined {
    return (this.json(key) as { roots: Root[] } | undefined)?.roots;
  }

  /** Returns the answer to any question as the client gave it. */
  json(key: string): unknown {
    const answer = this.#answers.get(key);
    return answer === undefined ? undefined : JSON.parse(answer);
  }

  #decision(key: string): Answer<unknown> | undefined {
    const answer = this.json(key);
    if (answer === undefined) {
      return undefined;
    }
    const action = isJson(answer) ? answer["action"] : undefined;
    if (action !== "accept" && action !== "decline" && action !== "cancel") {
      throw ToolError.invalidInput(`the answer to \`${key}\` is no decision`);
    }
    return answer as Answer<unknown>;
  }
}

/** A request to the client's model (MCP `CreateMessageRequestParams`). */
export interface SamplingRequest {
  readonly messages: readonly SamplingMessage[];
  readonly maxTokens: number;
  readonly systemPrompt?: string;
  readonly temperature?: number;
  readonly [more: string]: unknown;
}

/** A message to or from the client's model. */
export interface SamplingMessage {
  readonly role: "user" | "assistant";
  readonly content: SamplingContent;
}

/** The content of such a message; further kinds are objects with another `type`. */
export type SamplingContent = { readonly type: "text"; readonly text: string } | JsonObject;

/** The result of the client's model (MCP `CreateMessageResult`). */
export interface SamplingResult extends SamplingMessage {
  readonly model: string;
  readonly stopReason?: string;
}

/** A folder or file that the client works in (MCP `Root`). */
export interface Root {
  readonly uri: string;
  readonly name?: string;
}
