/** What a function receives: for whom it acts, its input, and its ways to the outside. */
import { ToolError } from "./error.js";
import { Identity } from "./identity.js";
import { Answers } from "./questions.js";
import { check } from "./schema.js";
import { sendAll, Service } from "./service.js";
/** A call: for whom it runs, and its ways to the outside. */
export class Call {
    /** For whom this call runs. The host has fixed it. */
    identity;
    /** The services that the definition names; the operator grants them. */
    services;
    /** The client's answers to questions of this tool. */
    answers;
    /** The state given with earlier questions, unchanged and unseen by the client. */
    state;
    #outside;
    constructor(outside, names, context) {
        this.#outside = outside;
        this.identity = new Identity(outside);
        const services = names.map((name) => [name, new Service(outside, name)]);
        this.services = Object.fromEntries(services);
        this.answers = new Answers(context.answers);
        this.state = context.state ?? undefined;
    }
    /** Sends several requests at once; the answers are in the order of the requests. */
    sendAll = (requests) => sendAll(this.#outside, requests);
    /** Log lines for the operator. Nothing about persons. */
    get log() {
        const outside = this.#outside;
        return {
            error: (message) => outside.write("error", message),
            warn: (message) => outside.write("warn", message),
            info: (message) => outside.write("info", message),
            debug: (message) => outside.write("debug", message),
        };
    }
    /** Reports progress to the client. `done` must grow; `total` is its value at the end. */
    progress = (done, total, message) => this.#outside.progress(done, total, message);
    /** The time. */
    get clock() {
        return { now: () => this.#outside.now() };
    }
    /** Random bytes from the host's cryptographically secure generator. */
    get random() {
        return { bytes: (length) => this.#outside.random(length) };
    }
    /** Returns the operator's settings for this component; an empty object if there are none. */
    settings = (schema) => check(schema, JSON.parse(this.#outside.settings()), (faults) => ToolError.failed("the operator's settings for this tool are not as it needs them", {
        cause: new Error(`settings of this component: ${faults}`),
    }));
    /** The client, which says about itself what it speaks and can do. It decides nothing. */
    get client() {
        const outside = this.#outside;
        return {
            get revision() {
                return outside.revision();
            },
            declares: (capability) => outside.declares(capability),
            message: (severity, data) => outside.message(severity, JSON.stringify(data) ?? "null"),
        };
    }
}
/** A call with its input: what a function receives. */
export class ToolContext extends Call {
    input;
    constructor(outside, names, context, 
    /** The caller's arguments, checked. */
    input) {
        super(outside, names, context);
        this.input = input;
    }
}
