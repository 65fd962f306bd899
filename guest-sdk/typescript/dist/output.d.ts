/** The result of a tool: any value, or an {@link Output} put together by hand. */
import { type Content } from "./content.js";
import type { JsonObject, Schema } from "./standard.js";
import type { tools } from "./wit.js";
/** The parts of a result put together by hand. */
export interface OutputParts {
    /** The items that the model sees, texts or any content. */
    readonly content?: readonly (string | Content)[];
    /** Structured content. */
    readonly structured?: object;
    /** True if the tool did its work and the answer is "no". */
    readonly isError?: boolean;
    /** Further metadata for the client. */
    readonly meta?: JsonObject;
}
/**
 * A result put together by hand:
 * `new Output({ content: ["Here it is", content.image("image/png", bytes)] })`.
 */
export declare class Output {
    readonly parts: OutputParts;
    constructor(parts: OutputParts);
    /** Returns a result that is one text, and is marked as an error: the answer is "no". */
    static error(text: string): Output;
}
/** What a tool without an output schema may return. A promise is not: a call is synchronous. */
export type AnyResult = (object & {
    readonly then?: never;
}) | string | number | boolean | null | undefined | void;
/**
 * Returns the outcome of a call. An object becomes structured content with its JSON as text, a
 * string is its own text, nothing is no content, and anything else is JSON as text.
 */
export declare function outcome(value: unknown, schema: Schema | undefined): tools.Outcome;
/** Fails if a function returned a promise, which nothing would wait for. */
export declare function refusePromise(value: unknown): void;
