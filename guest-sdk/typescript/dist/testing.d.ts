/** A host for unit tests: `Scene` plays the caller, the services and the client. */
import type { Content } from "./content.js";
import type { Severity } from "./context.js";
import { DownstreamError, type DownstreamReason } from "./error.js";
import type { Message, Prompt } from "./prompt.js";
import type { Resource, Values } from "./resource.js";
import { Response } from "./service.js";
import type { InferInput, InferOutput, Schema } from "./standard.js";
import type { Variables } from "./template.js";
import { type Grants } from "./testing/grants.js";
import { type SceneIdentity } from "./testing/sample.js";
import { type SentRequest } from "./testing/sent.js";
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
export declare class Scene {
    #private;
    /** Sets the actor's subject. */
    actor(sub: string): this;
    /** Changes anything about the identity. */
    identity(change: (identity: SceneIdentity) => void): this;
    /** Plays the services: returns an answer, or the reason why there is none. */
    onSend(services: OnSend): this;
    /**
     * Allows what an operator would: templates of requests by service, as `allow` has them in a
     * configuration. Any other request then fails with `unknown-service`, `not-granted` or
     * `invalid-request`. Without this, a scene checks no request.
     */
    allow(services: Grants): this;
    /** Sets what the client speaks and declares, such as `elicitation.form`. */
    client(revision: string, capabilities: readonly string[]): this;
    /** Receives the messages to the client. */
    onMessage(receive: (severity: Severity, data: unknown) => void): this;
    /** Sets the component's settings. */
    settings(settings: object): this;
    /** Sets the time, milliseconds since 1970-01-01 UTC. */
    now(milliseconds: number): this;
    /** Lets the user accept a form with these fields; without fields, a page. */
    accepts(key: string, content?: object): this;
    /** Lets the user decline a question. */
    declines(key: string): this;
    /** Adds an answer to an earlier question, as the client gives it. */
    answer(key: string, answer: unknown): this;
    /** Sets the state given with the questions. */
    state(state: string | Uint8Array): this;
    /** The log lines so far. */
    get lines(): readonly {
        readonly level: log.Level;
        readonly message: string;
    }[];
    /** Calls a tool. */
    call<In extends Schema, Out extends Schema>(tool: Tool<In, Out>, input: InferInput<In>): Called<InferOutput<Out>>;
    /** Reads a resource; a member of a family by its variables. */
    read<Uri extends string, In extends Schema>(resource: Resource<Uri, In>, ...[variables]: [Variables<Uri>] extends [never] ? [] : [Values<Uri>]): {
        readonly contents: readonly types.EmbeddedResource[];
        readonly questions: Asking | undefined;
    };
    /** Lists the members of a family. */
    members<Uri extends string, In extends Schema>(family: Resource<Uri, In>, cursor?: string): {
        readonly members: readonly {
            readonly uri: string;
            readonly name: string;
        }[];
        readonly next: string | undefined;
    };
    /** Gets the messages of a prompt; the arguments are texts, as clients send them. */
    get<In extends Schema>(prompt: Prompt<In>, input: {
        readonly [Name in keyof InferInput<In>]?: string;
    }): {
        readonly messages: readonly Message[];
        readonly questions: Asking | undefined;
    };
    /** Suggests values for an argument of a prompt or a variable of a family. */
    complete(of_: Pick<Prompt, "kind"> | Pick<Resource, "kind">, argument: string, typed: string, others?: {
        readonly [argument: string]: string;
    }): completion.Suggestions;
}
type OnSend = (request: SentRequest) => Response | DownstreamError | DownstreamReason;
