/** The host's functions, as a component imports them. Differences of the engines end here. */
import type { Outside } from "../outside.js";
/** Says that a call runs, so the host's functions are there. */
export declare function begin(): void;
/** Returns true once a call runs. */
export declare function isRunning(): boolean;
/** The host. */
export declare const host: Outside;
