/** Where the places of a bundle come from: its source map (ECMA-426), with lines alone. */
import type { Lines } from "../wasm/trace.js";
/** Returns the places at which another line of the project's own files begins, or they end. */
export declare function linesOf(map: string, folder: string): Lines;
