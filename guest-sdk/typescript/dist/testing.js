/** A host for unit tests: `Scene` plays the caller, the services and the client. */
import { DownstreamError } from "./error.js";
import { callTool, complete, getPrompt, listMembers, readResource } from "./serve.js";
import { Response } from "./service.js";
import { refusal } from "./testing/grants.js";
import { sampleIdentity } from "./testing/sample.js";
import { seen } from "./testing/sent.js";
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
    #identity = sampleIdentity();
    #answers = [];
    #lines = [];
    #state;
    #settings = "{}";
    #now = 1_763_712_000_000;
    #seed = 1;
    #revision = "2026-07-28";
    #capabilities = [];
    #allowed;
    #onSend = () => ({ tag: "unknown-service" });
    #onMessage = () => undefined;
    /** Sets the actor's subject. */
    actor(sub) {
        return this.identity((identity) => (identity.actor = { ...identity.actor, sub }));
    }
    /** Changes anything about the identity. */
    identity(change) {
        change(this.#identity);
        return this;
    }
    /** Plays the services: returns an answer, or the reason why there is none. */
    onSend(services) {
        this.#onSend = services;
        return this;
    }
    /**
     * Allows what an operator would: templates of requests by service, as `allow` has them in a
     * configuration. Any other request then fails with `unknown-service`, `not-granted` or
     * `invalid-request`. Without this, a scene checks no request.
     */
    allow(services) {
        this.#allowed = { ...this.#allowed, ...services };
        return this;
    }
    /** Sets what the client speaks and declares, such as `elicitation.form`. */
    client(revision, capabilities) {
        this.#revision = revision;
        this.#capabilities = capabilities;
        return this;
    }
    /** Receives the messages to the client. */
    onMessage(receive) {
        this.#onMessage = receive;
        return this;
    }
    /** Sets the component's settings. */
    settings(settings) {
        this.#settings = JSON.stringify(settings);
        return this;
    }
    /** Sets the time, milliseconds since 1970-01-01 UTC. */
    now(milliseconds) {
        this.#now = milliseconds;
        return this;
    }
    /** Lets the user accept a form with these fields; without fields, a page. */
    accepts(key, content = {}) {
        return this.answer(key, { action: "accept", content });
    }
    /** Lets the user decline a question. */
    declines(key) {
        return this.answer(key, { action: "decline" });
    }
    /** Adds an answer to an earlier question, as the client gives it. */
    answer(key, answer) {
        this.#answers.push([key, JSON.stringify(answer)]);
        return this;
    }
    /** Sets the state given with the questions. */
    state(state) {
        this.#state = typeof state === "string" ? new TextEncoder().encode(state) : state;
        return this;
    }
    /** The log lines so far. */
    get lines() {
        return this.#lines;
    }
    /** Calls a tool. */
    call(tool, input) {
        const { name } = tool.definition;
        const held = of({ tools: [tool] });
        const { tag, val } = callTool(held, this.#outside(), name, this.#context(input));
        if (tag === "input-required") {
            const questions = asking(val);
            return { structured: undefined, content: [], text: "", isError: false, questions };
        }
        const structured = val.structured == null ? undefined : parse(val.structured);
        const { content, isError } = val;
        return { structured, content, text: textOf(content), isError, questions: undefined };
    }
    /** Reads a resource; a member of a family by its variables. */
    read(resource, ...[variables]) {
        const held = of({ resources: [resource] });
        const context = this.#context(texts(variables ?? {}));
        const { tag, val } = readResource(held, this.#outside(), resource.definition.uri, context);
        return tag === "complete"
            ? { contents: val, questions: undefined }
            : { contents: [], questions: asking(val) };
    }
    /** Lists the members of a family. */
    members(family, cursor) {
        const held = of({ resources: [family] });
        const context = this.#context(cursor === undefined ? {} : { cursor });
        const { items, next } = listMembers(held, this.#outside(), family.definition.uri, context);
        return { members: items, next: next ?? undefined };
    }
    /** Gets the messages of a prompt; the arguments are texts, as clients send them. */
    get(prompt, input) {
        const held = of({ prompts: [prompt] });
        const { name } = prompt.definition;
        const { tag, val } = getPrompt(held, this.#outside(), name, this.#context(input));
        return tag === "complete"
            ? { messages: val.messages, questions: undefined }
            : { messages: [], questions: asking(val) };
    }
    /** Suggests values for an argument of a prompt or a variable of a family. */
    complete(of_, argument, typed, others = {}) {
        const held = of(of_.kind === "prompt" ? { prompts: [of_] } : { resources: [of_] });
        const reference = of_.kind === "prompt"
            ? { tag: "prompt", val: of_.definition.name }
            : { tag: "family", val: of_.definition.uri };
        return complete(held, this.#outside(), reference, argument, typed, this.#context(others));
    }
    #context(input) {
        return { input: JSON.stringify(input), answers: this.#answers, state: this.#state };
    }
    #outside() {
        const identity = this.#identity;
        const { iss, sub } = identity.actor;
        const send = (request) => {
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
            declares: (capability) => this.#capabilities.some((held) => `${held}.`.startsWith(`${capability}.`)),
            message: (severity, data) => this.#onMessage(severity, parse(data)),
        };
    }
    /** Returns the same bytes in every test (the linear generator of Numerical Recipes). */
    #byte() {
        this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
        return this.#seed >>> 24;
    }
}
function of(parts) {
    return { tools: [], resources: [], prompts: [], ...parts };
}
function asking(wire) {
    return { keys: wire.questions.map(([key]) => key), wire };
}
function texts(values) {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
function textOf(content) {
    const all = content.flatMap((item) => (item.tag === "text" ? [item.val.text] : []));
    return all.join("\n");
}
function parse(json) {
    return JSON.parse(json);
}
