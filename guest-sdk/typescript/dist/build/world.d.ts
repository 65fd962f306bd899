/** The world of a component: exactly the interfaces that it exports. */
import type { Described } from "../describe.js";
/** Writes the world and the interface; returns the folder. */
export declare function writeWorld(described: Described, scratch: string): string;
/** The world's name. */
export declare const WORLD = "component";
