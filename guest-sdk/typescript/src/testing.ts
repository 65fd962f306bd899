/** A host for unit tests: `Scene` plays the caller, the services and the client. */

import type { Component } from "./component.js";
import type { Content } from "./content.js";
import type { Severity } from "./context.js";
import { DownstreamError, type DownstreamReason } from "./error.js";
import type { Outside, Sent } from "./outside.js";
import type { Message, Prompt } from "./prompt.js";
import type { Resource, Values } from "./resource.js";
import { callTool, complete, getPrompt, listMembers, readResource } from "./serve.js";
import { type Request, Response } from "./service.js";
import type { InferInput, InferOutput, Schema } from "./standard.js";
import type { Variables } from "./template.js";
import { type Grants, refusal } from "./testing/grants.js";
import { sampleIdentity, type SceneIdentity } from "./testing/sample.js";
import { seen, type SentRequest } from "./testing/sent.js";
import type { Tool } from "./tool.js";
import type { completion, log, types } from "./wit.js";

export type { SceneIdentity, SentRequest };

/** The end of a call of a tool. */
export interface Called<T> {
  /** The structured content. */
  readonly structured: T | undefined;
  /** The items that the model sees. */
  readonly content: readonly Content[];
  /** The texts of these items, joined by line breaks. */
  readonly text: string;
  /** True if the answer is "no". */
  readonly isError: boolean;
  /** The questions, if the tool asks; none otherwise. */
  readonly questions: Asking | undefined;
}

/** Questions that a function asked. */
export interface Asking {
  readonly keys: readonly string[];
  readonly wire: types.InputRequest;
}

/**
 * The caller of a test, and the answers of the outside: a user `user_1` of tenant `acme`, with no
 * settings and no services. What a function throws reaches the test as it is.
 *
 * ```ts
 * const scene = new Scene().actor("user_7").onSend(() => Response.json({ status: "shipped" }));
 * expect(scene.call(getOrderStatus, { orderId: "1" }).structured).toEqual({ status: "shipped" });
 * ```
 */
export class Scene {
  readonly #identity = sampleIdentity();
  readonly #answers: [string, string][] = [];
  readonly #lines: { level: log.Level; message: string }[] = [];
  #state: Uint8Array | undefined;
  #settings = "{}";
  #now = 1_763_712_000_000;
  #seed = 1;
  #revision = "2026-07-28";
  #capabilities: readonly string[] = [];
  #allowed: Grants | undefined;
  #onSend: OnSend = () => ({ tag: "unknown-service" });
  #onMessage: (severity: Severity, data: unknown) => void = () => undefined;

  /** Sets the actor's subject. */
  actor(sub: string): this {
    return this.identity((identity) => (identity.actor = { ...identity.actor, sub }));
  }

  /** Changes anything about the identity. */
  identity(change: (identity: SceneIdentity) => void): this {
    change(this.#identity);
    return this;
  }

  /** Plays the services: returns an answer, or the reason why there is none. */
  onSend(services: OnSend): this {
    this.#onSend = services;
    return this;
  }

  /**
   * Allows what an operator would: templates of requests by service, as `allow` has them in a
   * configuration. Any other request then fails with `unknown-service`, `not-granted` or
   * `invalid-request`. Without this, a scene checks no request.
   */
  allow(services: Grants): this {
    this.#allowed = { ...this.#allowed, ...services };
    return this;
  }

  /** Sets what the client speaks and declares, such as `elicitation.form`. */
  client(revision: string, capabilities: readonly string[]): this {
    this.#revision = revision;
    this.#capabilities = capabilities;
    return this;
  }

  /** Receives the messages to the client. */
  onMessage(receive: (severity: Severity, data: unknown) => void): this {
    this.#onMessage = receive;
    return this;
  }

  /** Sets the component's settings. */
  settings(settings: object): this {
    this.#settings = JSON.stringify(settings);
    return this;
  }

  /** Sets the time, milliseconds since 1970-01-01 UTC. */
  now(milliseconds: number): this {
    this.#now = milliseconds;
    return this;
  }

  /** Lets the user accept a form with these fields; without fields, a page. */
  accepts(key: string, content: object = {}): this {
    return this.answer(key, { action: "accept", content });
  }

  /** Lets the user decline a question. */
  declines(key: string): this {
    return this.answer(key, { action: "decline" });
  }

  /** Adds an answer to an earlier question, as the client gives it. */
  answer(key: string, answer: unknown): this {
    this.#answers.push([key, JSON.stringify(answer)]);
    return this;
  }

  /** Sets the state given with the questions. */
  state(state: string | Uint8Array): this {
    this.#state = typeof state === "string" ? new TextEncoder().encode(state) : state;
    return this;
  }

  /** The log lines so far. */
  get lines(): readonly { readonly level: log.Level; readonly message: string }[] {
    return this.#lines;
  }

  /** Calls a tool. */
  call<In extends Schema, Out extends Schema>(
    tool: Tool<In, Out>,
    input: InferInput<In>,
  ): Called<InferOutput<Out>> {
    const { name } = tool.definition;
    const held = of({ tools: [tool as unknown as Tool] });
    const { tag, val } = callTool(held, this.#outside(), name, this.#context(input));
    if (tag === "input-required") {
      const questions = asking(val);
      return { structured: undefined, content: [], text: "", isError: false, questions };
    }
    const structured = val.structured == null ? undefined : parse<InferOutput<Out>>(val.structured);
    const { content, isError } = val;
    return { structured, content, text: textOf(content), isError, questions: undefined };
  }

  /** Reads a resource; a member of a family by its variables. */
  read<Uri extends string, In extends Schema>(
    resource: Resource<Uri, In>,
    ...[variables]: [Variables<Uri>] extends [never] ? [] : [Values<Uri>]
  ): {
    readonly contents: readonly types.EmbeddedResource[];
    readonly questions: Asking | undefined;
  } {
    const held = of({ resources: [resource as unknown as Resource] });
    const context = this.#context(texts(variables ?? {}));
    const { tag, val } = readResource(held, this.#outside(), resource.definition.uri, context);
    return tag === "complete"
      ? { contents: val, questions: undefined }
      : { contents: [], questions: asking(val) };
  }

  /** Lists the members of a family. */
  members<Uri extends string, In extends Schema>(
    family: Resource<Uri, In>,
    cursor?: string,
  ): {
    readonly members: readonly { readonly uri: string; readonly name: string }[];
    readonly next: string | undefined;
  } {
    const held = of({ resources: [family as unknown as Resource] });
    const context = this.#context(cursor === undefined ? {} : { cursor });
    const { items, next } = listMembers(held, this.#outside(), family.definition.uri, context);
    return { members: items, next: next ?? undefined };
  }

  /** Gets the messages of a prompt; the arguments are texts, as clients send them. */
  get<In extends Schema>(
    prompt: Prompt<In>,
    input: { readonly [Name in keyof InferInput<In>]?: string },
  ): { readonly messages: readonly Message[]; readonly questions: Asking | undefined } {
    const held = of({ prompts: [prompt as unknown as Prompt] });
    const { name } = prompt.definition;
    const { tag, val } = getPrompt(held, this.#outside(), name, this.#context(input));
    return tag === "complete"
      ? { messages: val.messages, questions: undefined }
      : { messages: [], questions: asking(val) };
  }

  /** Suggests values for an argument of a prompt or a variable of a family. */
  complete(
    of_: Pick<Prompt, "kind"> | Pick<Resource, "kind">,
    argument: string,
    typed: string,
    others: { readonly [argument: string]: string } = {},
  ): completion.Suggestions {
    const held = of(
      of_.kind === "prompt" ? { prompts: [of_ as Prompt] } : { resources: [of_ as Resource] },
    );
    const reference: completion.Reference =
      of_.kind === "prompt"
        ? { tag: "prompt", val: (of_ as Prompt).definition.name }
        : { tag: "family", val: (of_ as Resource).definition.uri };
    return complete(held, this.#outside(), reference, argument, typed, this.#context(others));
  }

  #context(input: unknown): types.Context {
    return { input: JSON.stringify(input), answers: this.#answers, state: this.#state };
  }

  #outside(): Outside {
    const identity = this.#identity;
    const { iss, sub } = identity.actor;
    const send = (request: Request): Sent => {
      const refused = this.#allowed && refusal(this.#allowed, request);
      const answer = refused ?? this.#onSend(seen(request));
      if (answer instanceof Response) {
        const headers = [...answer.headers];
        return { tag: "ok", val: { status: answer.status, headers, body: answer.bytes() } };
      }
      return { tag: "err", val: answer instanceof DownstreamError ? answer.reason : answer };
    };
    return {
      actor: () => identity.actor,
      login: () => identity.login,
      agent: () => identity.agent,
      session: () => identity.session,
      scopes: () => identity.scopes,
      services: () => identity.services,
      binding: () => identity.binding,
      envelope: () => JSON.stringify({ actor: { type: "user", sub, iss } }),
      send,
      sendAll: (requests) => requests.map(send),
      settings: () => this.#settings,
      now: () => this.#now,
      random: (length) => Uint8Array.from({ length }, () => this.#byte()),
      progress: () => undefined,
      write: (level, message) => void this.#lines.push({ level, message }),
      revision: () => this.#revision,
      declares: (capability) =>
        this.#capabilities.some((held) => `${held}.`.startsWith(`${capability}.`)),
      message: (severity, data) => this.#onMessage(severity, parse(data)),
    };
  }

  /** Returns the same bytes in every test (the linear generator of Numerical Recipes). */
  #byte(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed >>> 24;
  }
}

type OnSend = (request: SentRequest) => Response | DownstreamError | DownstreamReason;

function of(parts: Partial<Component>): Component {
  return { tools: [], resources: [], prompts: [], ...parts };
}

function asking(wire: types.InputRequest): Asking {
  return { keys: wire.questions.map(([key]) => key), wire };
}

function texts(values: object): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function textOf(content: readonly Content[]): string {
  const all = content.flatMap((item) => (item.tag === "text" ? [item.val.text] : []));
  return all.join("\n");
}

function parse<T>(json: string): T {
  return JSON.parse(json) as T;
}
