/** Exceptions as one line for the operator's log: what happened, and where in the sources. */
/**
 * Where the places of the bundle come from: the author's files, and `[line, column, the file's
 * index, its line]`, in order. The index is -1 where another's code begins. The build appends this
 * to the bundle.
 */
export interface Lines {
    readonly files: readonly string[];
    readonly places: readonly (readonly [number, number, number, number])[];
}
/** Returns a line such as `TypeError: x is not a function (src/tool.ts:12, src/tool.ts:30)`. */
export declare function described(error: unknown, lines: Lines | undefined): string;
/** Returns the place in the author's files that a place of the bundle comes from, if it does. */
export declare function source(line: number, column: number, { files, places }: Lines): string | undefined;
