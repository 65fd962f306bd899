/** Questions to the user and to the client, and their answers. */
import { ToolError } from "./error.js";
import { formSchema } from "./form.js";
import { checkInput, isJson } from "./schema.js";
/**
 * Questions that must be answered before the call can go on. Return them in place of a result: the
 * function is called again, **from the start**, with the answers.
 *
 * Give a {@link Questions.state} if the function has sent a request that may have changed
 * something: the host refuses a question without one then.
 */
export class Questions {
    #questions = [];
    #state;
    /**
     * Adds a form: a message and flat, primitive fields. Never for secrets: the client sees the
     * answer. {@link Answers.form} reads it.
     */
    form(key, message, fields) {
        return this.#ask(key, { tag: "form", val: [message, JSON.stringify(formSchema(fields))] });
    }
    /**
     * Adds a page that the user opens, of an origin that the operator lists for this component.
     * {@link Answers.page} says whether the user agreed to open it.
     */
    url(key, url, message) {
        return this.#other(key, "url", { url, message });
    }
    /**
     * Adds a request to the client's model, if the operator lets this component make it.
     * {@link Answers.sampling} reads the result.
     */
    sampling(key, request) {
        return this.#other(key, "sampling/createMessage", request);
    }
    /** Adds a request for the client's roots. {@link Answers.roots} reads the result. */
    roots(key) {
        return this.#other(key, "roots/list", {});
    }
    /**
     * Sets the state that comes back with the answers. The host seals it and binds it to caller,
     * client, component, target and arguments.
     */
    state(state) {
        this.#state = typeof state === "string" ? new TextEncoder().encode(state) : state;
        return this;
    }
    /** The keys of the questions, in order. For tests. */
    get keys() {
        return this.#questions.map(([key]) => key);
    }
    /** Returns the questions as the interface has them. */
    toWire() {
        return { questions: [...this.#questions], state: this.#state };
    }
    #other(key, kind, parameters) {
        return this.#ask(key, { tag: "other", val: [kind, JSON.stringify(parameters)] });
    }
    #ask(key, question) {
        this.#questions.push([key, question]);
        return this;
    }
}
/** Returns what the user filled in. Throws a `failed` error if the user declined or cancelled. */
export function accepted(answer) {
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
    #answers;
    constructor(answers) {
        this.#answers = new Map(answers);
    }
    /** Returns the user's answer to a form, if there is one; `fields` is the form's schema. */
    form(key, fields) {
        const answer = this.#decision(key);
        if (answer?.action !== "accept") {
            return answer;
        }
        return { action: "accept", content: checkInput(fields, answer.content) };
    }
    /** Returns whether the user agreed to open a page, if the user was asked. */
    page(key) {
        const answer = this.#decision(key);
        return answer?.action === "accept" ? { action: "accept", content: undefined } : answer;
    }
    /** Returns the result of the client's model, if there is one. */
    sampling(key) {
        return this.json(key);
    }
    /** Returns the client's roots, if there is an answer. */
    roots(key) {
        return this.json(key)?.roots;
    }
    /** Returns the answer to any question as the client gave it. */
    json(key) {
        const answer = this.#answers.get(key);
        return answer === undefined ? undefined : JSON.parse(answer);
    }
    #decision(key) {
        const answer = this.json(key);
        if (answer === undefined) {
            return undefined;
        }
        const action = isJson(answer) ? answer["action"] : undefined;
        if (action !== "accept" && action !== "decline" && action !== "cancel") {
            throw ToolError.invalidInput(`the answer to \`${key}\` is no decision`);
        }
        return answer;
    }
}
