/** Where the lines of a bundle come from: a source map (ECMA-426), with lines alone. */
import type { Lines } from "../wasm/trace.js";
/** Returns the lines that come from the project's own files. */
export declare function linesOf(map: string, folder: string): Lines;
