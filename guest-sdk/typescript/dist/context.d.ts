/** What a function receives: for whom it acts, its input, and its ways to the outside. */
import { Identity } from "./identity.js";
import type { Outside } from "./outside.js";
import { Answers } from "./questions.js";
import { type Answered, type Request, Service } from "./service.js";
import type { InferOutput, Schema } from "./standard.js";
import type { client, types } from "./wit.js";
/** The severity of a message to the client (RFC 5424 §6.2.1). */
export type Severity = client.Severity;
/** The services that a definition asks for, by name. */
export type Services<Names extends string> = {
    readonly [Name in Names]: Service;
};
/** A call: for whom it runs, and its ways to the outside. */
export declare class Call<Names extends string = string> {
    #private;
    /** For whom this call runs. The host has fixed it. */
    readonly identity: Identity;
    /** The services that the definition names; the operator grants them. */
    readonly services: Services<Names>;
    /** The client's answers to questions of this tool. */
    readonly answers: Answers;
    /** The state given with earlier questions, unchanged and unseen by the client. */
    readonly state: Uint8Array | undefined;
    constructor(outside: Outside, names: readonly Names[], context: Omit<types.Context, "input">);
    /** Sends several requests at once; the answers are in the order of the requests. */
    readonly sendAll: (requests: readonly Request[]) => Answered[];
    /** Log lines for the operator. Nothing about persons. */
    get log(): Log;
    /** Reports progress to the client. `done` must grow; `total` is its value at the end. */
    readonly progress: (done: number, total?: number, message?: string) => void;
    /** The time. */
    get clock(): Clock;
    /** Random bytes from the host's cryptographically secure generator. */
    get random(): Random;
    /** Returns the operator's settings for this component; an empty object if there are none. */
    readonly settings: <S extends Schema>(schema: S) => InferOutput<S>;
    /** The client, which says about itself what it speaks and can do. It decides nothing. */
    get client(): Client;
}
/** A call with its input: what a function receives. */
export declare class ToolContext<Input, Names extends string = string> extends Call<Names> {
    /** The caller's arguments, checked. */
    readonly input: Input;
    constructor(outside: Outside, names: readonly Names[], context: Omit<types.Context, "input">, 
    /** The caller's arguments, checked. */
    input: Input);
}
/** Log lines for the operator. */
export interface Log {
    error(message: string): void;
    warn(message: string): void;
    info(message: string): void;
    debug(message: string): void;
}
/** The time, coarse on purpose. */
export interface Clock {
    /** Returns milliseconds since 1970-01-01 UTC. */
    now(): number;
}
/** Randomness. */
export interface Random {
    /** Returns at most 4096 bytes. */
    bytes(length: number): Uint8Array;
}
/** The client of a call. */
export interface Client {
    /** The protocol revision, such as `2026-07-28`. */
    readonly revision: string;
    /** Returns true if the client declared this, such as `elicitation.form`. */
    declares(capability: string): boolean;
    /** Sends a message, a text or any other value. Never blocks. */
    message(severity: Severity, data: unknown): void;
}
