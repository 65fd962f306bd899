/** Suggestions for an argument of a prompt or a variable of a family. */
import type { Call } from "./context.js";
import type { completion } from "./wit.js";
/** Suggests values for one argument or variable. */
export type Completer<Names extends string> = (call: Call<Names>, asked: Asked) => readonly string[] | Suggestions;
/** What the user has typed of an argument so far. */
export declare class Asked {
    #private;
    /** What the user has typed. */
    readonly typed: string;
    constructor(
    /** What the user has typed. */
    typed: string, others?: {
        readonly [argument: string]: string;
    });
    /** Returns another argument of the same prompt or family, if it is known already. */
    other(argument: string): string | undefined;
    /** Suggests those of the values that begin as the user has typed, in any case. */
    matching(values: Iterable<string>): string[];
}
/** Suggested values, the best first, and how many there are in all. */
export interface Suggestions {
    /** The values. The first 100 are sent. */
    readonly values: readonly string[];
    /** The number of all values, if it is known. */
    readonly total?: number;
    /** True if there are more, and nobody knows how many. */
    readonly more?: boolean;
}
/** Returns suggestions as the interface has them. */
export declare function suggestions(given: readonly string[] | Suggestions): completion.Suggestions;
