/**
 * For whom a call runs: the Execution Identity Envelope, one question at a time.
 *
 * Invariant: a tool reads it and can show it to a verifier, but nothing that it does to it changes
 * the host's conduct.
 */
/** The identity of a call. The host is asked for each answer once, and only when it is read. */
export class Identity {
    #outside;
    #known = new Map();
    constructor(outside) {
        this.#outside = outside;
    }
    /** The principal that asked: always the pair (`iss`, `sub`); only the pair is unique. */
    get actor() {
        return this.#once("actor", () => this.#outside.actor());
    }
    /** The client that executes for the actor. */
    get agent() {
        return this.#once("agent", () => this.#outside.agent());
    }
    /** The actor's login, if the token has it. */
    get login() {
        return this.#once("login", () => this.#outside.login());
    }
    /** The session of the call. For correlation only, never an input to a decision. */
    get session() {
        return this.#once("session", () => this.#outside.session());
    }
    /** The token's scopes, narrowed to what this call requires; sorted. */
    get scopes() {
        return this.#once("scopes", () => this.#outside.scopes());
    }
    /** The services that this call may reach, sorted by name. */
    get services() {
        return this.#once("services", () => this.#outside.services());
    }
    /** The values that bind the envelope: this call, its component and its arguments. */
    get binding() {
        return this.#once("binding", () => this.#outside.binding());
    }
    /** The envelope as signed JSON, character for character as a verifier needs it. */
    get envelope() {
        return this.#once("envelope", () => this.#outside.envelope());
    }
    /** Returns the mode in which the host calls a service, if the call may reach it. */
    modeOf(service) {
        return this.services.find(({ name }) => name === service)?.mode;
    }
    #once(name, ask) {
        if (!this.#known.has(name)) {
            this.#known.set(name, ask());
        }
        return this.#known.get(name);
    }
}
