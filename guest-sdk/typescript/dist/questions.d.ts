/** Questions to the user and to the client, and their answers. */
import type { InferOutput, JsonObject, Schema } from "./standard.js";
import type { types } from "./wit.js";
/**
 * Questions that must be answered before the call can go on. Return them in place of a result: the
 * function is called again, **from the start**, with the answers.
 *
 * Give a {@link Questions.state} if the function has sent a request that may have changed
 * something: the host refuses a question without one then.
 */
export declare class Questions {
    #private;
    /**
     * Adds a form: a message and flat, primitive fields. Never for secrets: the client sees the
     * answer. {@link Answers.form} reads it.
     */
    form(key: string, message: string, fields: Schema): this;
    /**
     * Adds a page that the user opens, of an origin that the operator lists for this component.
     * {@link Answers.page} says whether the user agreed to open it.
     */
    url(key: string, url: string, message: string): this;
    /**
     * Adds a request to the client's model, if the operator lets this component make it.
     * {@link Answers.sampling} reads the result.
     */
    sampling(key: string, request: SamplingRequest): this;
    /** Adds a request for the client's roots. {@link Answers.roots} reads the result. */
    roots(key: string): this;
    /**
     * Sets the state that comes back with the answers. The host seals it and binds it to caller,
     * client, component, target and arguments.
     */
    state(state: string | Uint8Array): this;
    /** The keys of the questions, in order. For tests. */
    get keys(): string[];
    /** Returns the questions as the interface has them. */
    toWire(): types.InputRequest;
}
/** The user's answer to a question: accepted with what was filled in, declined, or closed. */
export type Answer<T> = {
    readonly action: "accept";
    readonly content: T;
} | {
    readonly action: "decline";
} | {
    readonly action: "cancel";
};
/** Returns what the user filled in. Throws a `failed` error if the user declined or cancelled. */
export declare function accepted<T>(answer: Answer<T>): T;
/** The answers to the questions that this tool asked before. */
export declare class Answers {
    #private;
    constructor(answers: readonly (readonly [string, string])[]);
    /** Returns the user's answer to a form, if there is one; `fields` is the form's schema. */
    form<S extends Schema>(key: string, fields: S): Answer<InferOutput<S>> | undefined;
    /** Returns whether the user agreed to open a page, if the user was asked. */
    page(key: string): Answer<undefined> | undefined;
    /** Returns the result of the client's model, if there is one. */
    sampling(key: string): SamplingResult | undefined;
    /** Returns the client's roots, if there is an answer. */
    roots(key: string): readonly Root[] | undefined;
    /** Returns the answer to any question as the client gave it. */
    json(key: string): unknown;
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
export type SamplingContent = {
    readonly type: "text";
    readonly text: string;
} | JsonObject;
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
