/** Loads the entry in Node, in a process of its own, and returns its definitions. */
import type { Described } from "../describe.js";
import type { Project } from "./project.js";
/** The definitions of an entry, and what it has written. */
export interface Evaluated {
    readonly described: Described;
    readonly said: string;
}
/** Fails with the faults of the definitions, or with the exception that the entry threw. */
export declare function evaluate(project: Project, scratch: string): Promise<Evaluated>;
