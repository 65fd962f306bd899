/** Exceptions as one line for the operator's log: what happened, and where in the sources. */
/**
 * Where the lines of the bundle come from: the files, and runs of lines `[in the bundle, the file's
 * index, in the file, how many]`. The build appends it to the bundle.
 */
export interface Lines {
    readonly files: readonly string[];
    readonly runs: readonly (readonly [number, number, number, number])[];
}
/** Returns a line such as `TypeError: x is not a function (in run, src/tool.ts:12)`. */
export declare function described(error: unknown, lines: Lines | undefined): string;
