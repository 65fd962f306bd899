/**
 * For whom a call runs: the Execution Identity Envelope, one question at a time.
 *
 * Invariant: a tool reads it and can show it to a verifier, but nothing that it does to it changes
 * the host's conduct.
 */
import type { Outside, Plain } from "./outside.js";
import type { identity } from "./wit.js";
/** The principal that asked: always the pair (`iss`, `sub`). */
export type Principal = Plain<identity.Principal>;
/** The actor's login. */
export type Login = Plain<identity.Login>;
/** The client that executes for the actor. */
export type Executor = Plain<identity.Executor>;
/** The session of a call. */
export type Correlation = Plain<identity.Correlation>;
/** A service in reach, with its mode. */
export type GrantedService = Plain<identity.Service>;
/** The authority on which a service is called. */
export type DelegationMode = identity.DelegationMode;
/** The values that bind the envelope to a call. */
export type Binding = Plain<identity.Binding>;
/** The identity of a call. The host is asked for each answer once, and only when it is read. */
export declare class Identity {
    #private;
    constructor(outside: Outside);
    /** The principal that asked: always the pair (`iss`, `sub`); only the pair is unique. */
    get actor(): Principal;
    /** The client that executes for the actor. */
    get agent(): Executor;
    /** The actor's login, if the token has it. */
    get login(): Login;
    /** The session of the call. For correlation only, never an input to a decision. */
    get session(): Correlation;
    /** The token's scopes, narrowed to what this call requires; sorted. */
    get scopes(): readonly string[];
    /** The services that this call may reach, sorted by name. */
    get services(): readonly GrantedService[];
    /** The values that bind the envelope: this call, its component and its arguments. */
    get binding(): Binding;
    /** The envelope as signed JSON, character for character as a verifier needs it. */
    get envelope(): string;
    /** Returns the mode in which the host calls a service, if the call may reach it. */
    modeOf(service: string): DelegationMode | undefined;
}
